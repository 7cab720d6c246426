/** Small records in one table, by a group and a key. What the classes of this folder share. */
import { createHash } from 'node:crypto';
import { odata, type TableClient } from '@azure/data-tables';
import { type Failure, isFailure } from '../../errors.ts';
import type { StorageClients } from '../connect.ts';
import { entitiesOf } from '../entities.ts';
import { storageFailure, storageFault } from '../fault.ts';

export const stateTable = 'state';

export type Fields = Readonly<Record<string, string | number | boolean | Date>>;

/** Workers that change one record at the same moment try again; more often than this they do not meet. */
const mostRounds = 6;

/** The service takes 1 KiB for each of the two keys, in UTF-16; keys made of what people wrote may be longer. */
const longestKey = 256;

/** Record keys may not hold every sign; percent encoding with another escape sign keeps them apart, and a hash those that are too long. */
function keyOf(parts: readonly string[]): string {
  const text = parts.join('\n').toLowerCase().toWellFormed();
  const key = encodeURIComponent(text).replaceAll('%', '=');
  if (key.length <= longestKey) return key;
  return `${key.slice(0, longestKey / 2)}~${createHash('sha256').update(text).digest('hex')}`;
}

export class Records {
  readonly #table: TableClient;
  readonly #within: StorageClients['within'];

  constructor(clients: Pick<StorageClients, 'table' | 'within'>) {
    this.#table = clients.table(stateTable);
    this.#within = clients.within;
  }

  /** The record as the table gives it, to be read by a schema; undefined where there is none. */
  async get(
    group: readonly string[],
    key: readonly string[],
  ): Promise<{ readonly kind: 'got'; readonly fields: unknown } | Failure> {
    try {
      return { kind: 'got', fields: await this.#table.getEntity(keyOf(group), keyOf(key), this.#within()) };
    } catch (error) {
      const fault = storageFault(error);
      return fault.status === 404 ? { kind: 'got', fields: undefined } : storageFailure(fault, 'table', key.join('/'));
    }
  }

  /** Makes the record or replaces it. */
  async put(
    group: readonly string[],
    key: readonly string[],
    fields: Fields,
  ): Promise<{ readonly kind: 'put' } | Failure> {
    const entity = { partitionKey: keyOf(group), rowKey: keyOf(key), ...fields };
    const made = await this.#made(key, () => this.#table.upsertEntity(entity, 'Replace', this.#within()));
    return isFailure(made) ? made : { kind: 'put' };
  }

  /** Makes the record unless there is one. */
  async add(
    group: readonly string[],
    key: readonly string[],
    fields: Fields,
  ): Promise<{ readonly kind: 'put' | 'exists' } | Failure> {
    const entity = { partitionKey: keyOf(group), rowKey: keyOf(key), ...fields };
    return this.#made(key, () => this.#table.createEntity(entity, this.#within()));
  }

  async remove(group: readonly string[], key: readonly string[]): Promise<{ readonly kind: 'removed' } | Failure> {
    try {
      await this.#table.deleteEntity(keyOf(group), keyOf(key), this.#within());
      return { kind: 'removed' };
    } catch (error) {
      const fault = storageFault(error);
      return fault.status === 404 ? { kind: 'removed' } : storageFailure(fault, 'table', key.join('/'));
    }
  }

  /**
   * Changes a record by what it is, and loses no change that another worker makes at the same moment. `change` is pure and may be asked
   * several times; undefined: the record is to go, or there is to be none.
   */
  async change(
    group: readonly string[],
    key: readonly string[],
    change: (fields: unknown) => Fields | undefined,
  ): Promise<{ readonly kind: 'changed' } | Failure> {
    for (let round = 1; ; round++) {
      const got = await this.get(group, key);
      if (isFailure(got)) return got;
      const fields = change(got.fields);
      const etag = etagOf(got.fields);
      try {
        if (fields !== undefined || etag !== undefined) await this.#exchange(group, key, fields, etag);
        return { kind: 'changed' };
      } catch (error) {
        const fault = storageFault(error);
        const overtaken = fault.status === 412 || fault.status === 409 || fault.status === 404;
        if (!overtaken || round === mostRounds) return storageFailure(fault, 'table', key.join('/'));
        if (fault.code === 'TableNotFound') await this.#table.createTable();
      }
    }
  }

  async #exchange(
    group: readonly string[],
    key: readonly string[],
    fields: Fields | undefined,
    etag: string | undefined,
  ): Promise<void> {
    const at = { partitionKey: keyOf(group), rowKey: keyOf(key) };
    if (etag === undefined) await this.#table.createEntity({ ...at, ...fields });
    else if (fields === undefined) await this.#table.deleteEntity(at.partitionKey, at.rowKey, { etag });
    else await this.#table.updateEntity({ ...at, ...fields }, 'Replace', { etag });
  }

  /** All records of a group, a page of the service at a time. */
  async *all(
    group: readonly string[],
  ): AsyncGenerator<{ readonly kind: 'record'; readonly fields: unknown } | Failure> {
    const filter = odata`PartitionKey eq ${keyOf(group)}`;
    try {
      for await (const fields of entitiesOf(this.#table, filter, this.#within)) yield { kind: 'record', fields };
    } catch (error) {
      const fault = storageFault(error);
      if (fault.status !== 404) yield storageFailure(fault, 'table', group.join('/'));
    }
  }

  async #made(
    key: readonly string[],
    write: () => Promise<unknown>,
  ): Promise<{ readonly kind: 'put' | 'exists' } | Failure> {
    try {
      await write().catch(async (error: unknown) => {
        if (storageFault(error).status !== 404) throw error;
        await this.#table.createTable(this.#within());
        await write();
      });
      return { kind: 'put' };
    } catch (error) {
      const fault = storageFault(error);
      return fault.status === 409 ? { kind: 'exists' } : storageFailure(fault, 'table', key.join('/'));
    }
  }
}

/** Absent where there is no record. */
function etagOf(fields: unknown): string | undefined {
  const etag: unknown = typeof fields === 'object' && fields !== null && 'etag' in fields ? fields.etag : undefined;
  return typeof etag === 'string' ? etag : undefined;
}
