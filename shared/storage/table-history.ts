/** What happened, for people. The engine never reads it; losing it loses nothing else. */
import { odata, type TableClient } from '@azure/data-tables';
import { z } from 'zod';
import type { History, RotationRecord } from '../contract/ports.ts';
import type { Failure } from '../errors.ts';
import type { StorageClients } from './connect.ts';
import { storageFailure, storageFault } from './fault.ts';

export const historyTable = 'rotations';

// A text property holds 64 KB, in UTF-16 that is 32,768 characters.
const longestText = 32_000;
const longestDetail = 500;

const step = z.object({ name: z.string(), ms: z.number(), outcome: z.string() });
const steps = z.array(step);
const row = z.object({
  rotationId: z.string(),
  vault: z.string(),
  secret: z.string(),
  reason: z.string(),
  requestedBy: z.string(),
  startedAt: z.date(),
  endedAt: z.date().nullish(),
  outcome: z.enum(['running', 'rotated', 'skipped', 'failed', 'retired']),
  from: z.string().nullish(),
  to: z.string().nullish(),
  failureCode: z.string().nullish(),
  failureMessage: z.string().nullish(),
  failureHint: z.string().nullish(),
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

function partitionKey(vault: string, secret: string): string {
  // Some signs are not allowed in a key; no vault and no secret has them.
  return `${vault}:${secret}`.toLowerCase().replaceAll(/[^0-9a-z:.-]/g, '_');
}

// Rows come in the order of their keys, so counting down to a day far off puts the newest first.
const farOff = 9_999_999_999_999;

function toRow(record: RotationRecord) {
  const { steps: all, failure, ...plain } = record;
  return {
    ...plain,
    partitionKey: partitionKey(record.vault, record.secret),
    rowKey: `${String(farOff - record.startedAt.getTime()).padStart(13, '0')}-${record.rotationId}`,
    reason: shorten(record.reason, longestText),
    requestedBy: shorten(record.requestedBy, longestText),
    steps: stepsJson(all),
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
  const { endedAt, from, to, failureCode, failureMessage, failureHint, ...known } = row.parse(entity);
  return {
    ...known,
    steps: steps.parse(JSON.parse(known.steps)),
    ...(endedAt ? { endedAt } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(failureCode ? { failure: { code: failureCode, message: failureMessage ?? '', hint: failureHint ?? '' } } : {}),
  };
}

export class TableHistory implements History {
  readonly #table: TableClient;

  constructor(clients: Pick<StorageClients, 'table'>) {
    this.#table = clients.table(historyTable);
  }

  async record(record: RotationRecord): Promise<{ readonly kind: 'recorded' } | Failure> {
    const entity = toRow(record);
    try {
      await this.#table.upsertEntity(entity, 'Replace').catch(async (error: unknown) => {
        if (storageFault(error).status !== 404) throw error;
        await this.#table.createTable();
        await this.#table.upsertEntity(entity, 'Replace');
      });
      return { kind: 'recorded' };
    } catch (error) {
      return storageFailure(storageFault(error), 'table', record.secret);
    }
  }

  async of(
    vault: string,
    secret: string,
    { limit }: { readonly limit: number },
  ): Promise<{ readonly kind: 'listed'; readonly records: readonly RotationRecord[] } | Failure> {
    const filter = odata`PartitionKey eq ${partitionKey(vault, secret)}`;
    const rows: object[] = [];
    try {
      for await (const entity of this.#table.listEntities({ queryOptions: { filter } })) {
        if (rows.length === limit) break;
        rows.push(entity);
      }
    } catch (error) {
      const fault = storageFault(error);
      // No table yet: nothing has happened yet.
      if (fault.status !== 404) return storageFailure(fault, 'table', secret);
    }
    return { kind: 'listed', records: rows.map(fromRow) };
  }
}
