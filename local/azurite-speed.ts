/**
 * Loaded into Azurite before its own code, which takes longer for each call of a queue the more messages wait there: with ten thousand, a
 * tenth of a second, while the service takes no longer than with one. What it answers stays the same.
 */
import { createSecretKey } from 'node:crypto';
import { createRequire } from 'node:module';
import * as z from 'zod';

type Document = Readonly<Record<string, unknown>>;

interface Collection {
  readonly data: readonly Document[];
  readonly binaryIndices: Readonly<Record<string, unknown>>;
  /** First and last place in the index of a property. */
  calculateRange(operator: '$eq', property: string, value: unknown): readonly [first: number, last: number];
  remove(document: unknown): void;
}

interface Resultset {
  readonly collection: Collection;
  readonly filteredrows: number[];
  readonly filterInitialized: boolean;
}

/** One property, and what is asked of it. */
type Filter = Readonly<Record<string, unknown>>;

interface Loki {
  readonly Collection: {
    readonly prototype: {
      update: (this: Collection, documents: unknown) => unknown;
      removeBatch: (this: Collection, documents: readonly unknown[]) => void;
      removeBatchByPositions: (this: Collection, positions: readonly number[]) => void;
    };
  };
  readonly Resultset: {
    readonly prototype: {
      compoundsort: (
        this: Resultset,
        properties: readonly (readonly [name: string, descending: boolean])[],
      ) => Resultset;
      findAnd: (this: Resultset, filters: readonly Filter[]) => Resultset;
      $and: (this: Resultset, filters: readonly Filter[]) => Resultset;
    };
  };
}

type Templates = (template: string) => object;

interface QueueStore {
  readonly default: {
    readonly prototype: { clearExpiredMessages: (...given: unknown[]) => Promise<void> };
  };
}

const gone = 'Azurite has changed: fix this file, or take it out';
const lokiSchema = z.custom<Loki>(
  (one) => typeof one === 'function' && 'Collection' in one && 'Resultset' in one,
  gone,
);
const storeSchema = z.custom<QueueStore>((one) => typeof one === 'object' && one !== null && 'default' in one, gone);

const cryptoSchema = z.custom<{ createHmac: (algorithm: string, key: unknown, ...more: unknown[]) => unknown }>(
  (one) => typeof one === 'object' && one !== null && 'createHmac' in one,
  gone,
);

const load = createRequire(createRequire(import.meta.url).resolve('azurite/package.json'));
const loki = lokiSchema.parse(load('lokijs'));
const store = storeSchema.parse(load('./dist/src/queue/persistence/LokiQueueMetadataStore.js'));

// Each call is compared with some eighty templates of addresses, which are read anew for each comparison.
const templates = z.custom<Templates>((one) => typeof one === 'function', gone);
const known = new Map<string, object>();
const readTemplate = templates.parse(load('uri-templates'));
const loaded = load.cache[load.resolve('uri-templates')];
if (loaded === undefined) throw new Error(gone);
loaded.exports = (template: string) => {
  const before = known.get(template);
  if (before !== undefined) return before;
  const made = readTemplate(template);
  known.set(template, made);
  return made;
};

// A key that is bytes costs Node six times as much as one that it made itself.
const crypto = cryptoSchema.parse(load('node:crypto'));
const { createHmac } = crypto;
crypto.createHmac = (algorithm, key, ...more) =>
  createHmac(algorithm, key instanceof Uint8Array ? createSecretKey(key) : key, ...more);

// When several documents are changed or removed, even none of them, the database sorts all its indexes anew.
const collection = loki.Collection.prototype;
const { update, removeBatch, removeBatchByPositions } = collection;

/** Beyond this, sorting once is quicker than taking each out of its place. */
const few = 32;

collection.update = function (documents) {
  if (!Array.isArray(documents) || documents.length > few) return update.call(this, documents);
  for (const document of documents) update.call(this, document);
  return undefined;
};

collection.removeBatch = function (documents) {
  if (documents.length > few) removeBatch.call(this, documents);
  else for (const document of documents) this.remove(document);
};

collection.removeBatchByPositions = function (positions) {
  if (positions.length > few) removeBatchByPositions.call(this, positions);
  else for (const document of positions.map((position) => this.data[position])) this.remove(document);
};

// Its comparison is made for values of any kind; what is sorted here are times and numbers.
const resultset = loki.Resultset.prototype;
const { compoundsort } = resultset;

resultset.compoundsort = function (properties) {
  const { data } = this.collection;
  const numeric = (row: number) =>
    properties.every(([name, descending]) => !descending && typeof data[row]?.[name] === 'number');
  if (!this.filteredrows.every(numeric)) return compoundsort.call(this, properties);
  const value = (row: number, name: string): number => Number(data[row]?.[name]);
  this.filteredrows.sort((one, other) => {
    for (const [name] of properties) {
      const difference = value(one, name) - value(other, name);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return this;
};

// Only the first filter goes by an index, the others look through all it leaves: so the one that leaves least goes first.
const { findAnd } = resultset;

function leaves({ collection }: Resultset, filter: Filter): number {
  const [[property, value] = ['', undefined]] = Object.entries(filter);
  if (typeof value !== 'string' || collection.binaryIndices[property] === undefined) return Number.POSITIVE_INFINITY;
  const [first, last] = collection.calculateRange('$eq', property, value);
  return last - first;
}

resultset.$and = resultset.findAnd = function (filters) {
  if (this.filterInitialized || this.collection.data.length <= few) return findAnd.call(this, filters);
  const byLeft = filters.map((filter) => ({ filter, left: leaves(this, filter) }));
  byLeft.sort((one, other) => (one.left === other.left ? 0 : one.left - other.left));
  return findAnd.call(
    this,
    byLeft.map(({ filter }) => filter),
  );
};

// Looks through all messages at each call. The service promises no moment at which an expired message is gone.
const queues = store.default.prototype;
const { clearExpiredMessages } = queues;
const lookedAt = new Map<string, number>();
const lookEveryMs = 500;

queues.clearExpiredMessages = async function (...given) {
  const queue = given.slice(0, 2).join('/');
  const before = lookedAt.get(queue);
  if (before !== undefined && performance.now() - before < lookEveryMs) return;
  lookedAt.set(queue, performance.now());
  await clearExpiredMessages.apply(this, given);
};
