/** What happened, for people. The engine never reads it; losing it loses nothing else. */
import { odata, type TableClient, type TableEntity } from '@azure/data-tables';
import * as z from 'zod';
import { type History, type RotationRecord, recordOutcomes } from '../contract/ports.ts';
import type { Failure } from '../errors.ts';
import type { StorageClients } from './connect.ts';
import { entitiesOf } from './entities.ts';
import { storageFailure, storageFault } from './fault.ts';

export const historyTable = 'rotations';

// A text property holds 64 KB, in UTF-16 that is 32,768 characters.
const longestText = 32_000;
const longestDetail = 500;

const step = z.object({ name: z.string(), ms: z.number(), outcome: z.string() });
const steps = z.array(step);
const texts = z.array(z.string());
const row = z.object({
  rotationId: z.string(),
  vault: z.string(),
  secret: z.string(),
  activity: z.enum(['rotation', 'retirement']),
  reason: z.string(),
  detail: z.string().nullish(),
  requestedBy: z.string(),
  startedAt: z.date(),
  endedAt: z.date().nullish(),
  nextTryAt: z.date().nullish(),
  outcome: z.enum(recordOutcomes),
  from: z.string().nullish(),
  to: z.string().nullish(),
  login: z.string().nullish(),
  failureCode: z.string().nullish(),
  failureMessage: z.string().nullish(),
  failureHint: z.string().nullish(),
  /** JSON. */
  warnings: z.string().nullish(),
  steps: z.string(),
});

const shorten = (text: string, length: number) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

/** The steps as JSON that fits. When there are too many, those in the middle are counted instead of shown. */
export function stepsJson(all: RotationRecord['steps']): string {
  const short = all.map((one) => ({
    ...one,
    name: shorten(one.name, 100),
    outcome: shorten(one.outcome, longestDetail),
  }));
  for (let kept = short.length; ; kept = Math.floor(kept / 2)) {
    const head = Math.ceil(kept / 2);
    const left = short.length - kept;
    const gap = left === 0 ? [] : [{ name: 'left out', ms: 0, outcome: `${left} steps` }];
    const json = JSON.stringify([...short.slice(0, head), ...gap, ...short.slice(head + left)]);
    if (json.length <= longestText || kept === 0) return json;
  }
}

/** Each is a sentence or two; more than fit are counted. */
function warningsJson(all: readonly string[]): string {
  const most = 20;
  const left = all.length - most;
  const shown = all.slice(0, most).map((one) => shorten(one, 1_000));
  return JSON.stringify(left > 0 ? [...shown, `${left} more warnings`] : shown);
}

function partitionKey(vault: string, secret: string): string {
  // Some signs are not allowed in a key; no vault and no secret has them.
  return `${vault}:${secret}`.toLowerCase().replaceAll(/[^0-9a-z:.-]/g, '_');
}

// Rows come in the order of their keys, so counting down to a day far off puts the newest first.
const farOff = 9_999_999_999_999;

function toRow(record: RotationRecord) {
  const { steps: all, failure, detail, warnings, ...plain } = record;
  return {
    ...plain,
    partitionKey: partitionKey(record.vault, record.secret),
    rowKey: `${String(farOff - record.startedAt.getTime()).padStart(13, '0')}-${record.rotationId}`,
    reason: shorten(record.reason, longestText),
    requestedBy: shorten(record.requestedBy, longestText),
    steps: stepsJson(all),
    ...(detail === undefined ? {} : { detail: shorten(detail, longestText) }),
    ...(warnings === undefined ? {} : { warnings: warningsJson(warnings) }),
    ...(failure === undefined
      ? {}
      : {
          failureCode: failure.code,
          failureMessage: shorten(failure.message, longestText),
          failureHint: shorten(failure.hint, longestText),
        }),
  };
}

function fromRow(entity: object): RotationRecord {
  const { endedAt, nextTryAt, detail, warnings, from, to, login, failureCode, failureMessage, failureHint, ...known } =
    row.parse(entity);
  return {
    ...known,
    steps: steps.parse(JSON.parse(known.steps)),
    ...(endedAt ? { endedAt } : {}),
    ...(nextTryAt ? { nextTryAt } : {}),
    ...(detail ? { detail } : {}),
    ...(warnings ? { warnings: texts.parse(JSON.parse(warnings)) } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(login ? { login } : {}),
    ...(failureCode ? { failure: { code: failureCode, message: failureMessage ?? '', hint: failureHint ?? '' } } : {}),
  };
}

type Listed = { readonly kind: 'listed'; readonly records: readonly RotationRecord[] };

/** Where a rotation is found by its id alone. No vault has a name of two letters, so it is no partition of a secret. */
const indexKey = (rotationId: string) => ({ partitionKey: `id:${rotationId}`, rowKey: 'rotation' });
const indexRow = z.object({ vault: z.string(), secret: z.string() });
const rotationIdForm = /^[0-9a-f]{32}$/;

/** A rotation with more attempts than this shows the newest. */
const mostAttempts = 100;

/** How many ids are remembered as written to the index; more are only written once more. */
const mostRemembered = 1_000;

export class TableHistory implements History {
  readonly #table: TableClient;
  readonly #within: StorageClients['within'];
  readonly #indexed = new Set<string>();

  constructor(clients: Pick<StorageClients, 'table' | 'within'>) {
    this.#table = clients.table(historyTable);
    this.#within = clients.within;
  }

  async record(record: RotationRecord): Promise<{ readonly kind: 'recorded' } | Failure> {
    try {
      await this.#index(record);
      await this.#put(toRow(record));
      return { kind: 'recorded' };
    } catch (error) {
      return storageFailure(storageFault(error), 'table', record.secret);
    }
  }

  async of(vault: string, secret: string, { limit }: { readonly limit: number }): Promise<Listed | Failure> {
    return this.#list(odata`PartitionKey eq ${partitionKey(vault, secret)}`, secret, limit);
  }

  async rotation(rotationId: string): Promise<Listed | Failure> {
    if (!rotationIdForm.test(rotationId)) return { kind: 'listed', records: [] };
    const { partitionKey: id, rowKey } = indexKey(rotationId);
    try {
      const { vault, secret } = indexRow.parse(await this.#table.getEntity(id, rowKey, this.#within()));
      const filter = odata`PartitionKey eq ${partitionKey(vault, secret)} and rotationId eq ${rotationId}`;
      return await this.#list(filter, secret, mostAttempts);
    } catch (error) {
      const fault = storageFault(error);
      return fault.status === 404 ? { kind: 'listed', records: [] } : storageFailure(fault, 'table', rotationId);
    }
  }

  async #list(filter: string, about: string, limit: number): Promise<Listed | Failure> {
    const rows: object[] = [];
    try {
      for await (const entity of entitiesOf(this.#table, filter, this.#within)) {
        if (rows.length === limit) break;
        rows.push(entity);
      }
    } catch (error) {
      const fault = storageFault(error);
      // No table yet: nothing has happened yet.
      if (fault.status !== 404) return storageFailure(fault, 'table', about);
    }
    return { kind: 'listed', records: rows.map(fromRow) };
  }

  /** Written before the attempt itself: an entry that leads to nothing does no harm, an attempt without one is not found. */
  async #index({ rotationId, vault, secret }: RotationRecord): Promise<void> {
    if (!rotationIdForm.test(rotationId) || this.#indexed.has(rotationId)) return;
    await this.#put({ ...indexKey(rotationId), vault, secret });
    if (this.#indexed.size >= mostRemembered) this.#indexed.clear();
    this.#indexed.add(rotationId);
  }

  async #put(entity: TableEntity): Promise<void> {
    await this.#table.upsertEntity(entity, 'Replace', this.#within()).catch(async (error: unknown) => {
      if (storageFault(error).status !== 404) throw error;
      await this.#table.createTable(this.#within());
      await this.#table.upsertEntity(entity, 'Replace', this.#within());
    });
  }
}
