import * as z from 'zod';
import type { Irregular, Irregularities } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Fields, Records } from './records.ts';

const fields = z.object({ secret: z.string(), sharedWith: z.string(), optedOut: z.boolean() });

function read(kept: unknown): Irregular {
  const parsed = fields.safeParse(kept);
  if (!parsed.success) return {};
  const { sharedWith, optedOut } = parsed.data;
  return {
    ...(sharedWith === '' ? {} : { sharedWith: sharedWith.split(' ') }),
    ...(optedOut ? { optedOut } : {}),
  };
}

/** Undefined where there is nothing to keep. */
function written(secret: string, { sharedWith = [], optedOut = false }: Irregular): Fields | undefined {
  return sharedWith.length === 0 && !optedOut ? undefined : { secret, sharedWith: sharedWith.join(' '), optedOut };
}

/** One record for each secret. */
export function tableIrregularities(records: Records): Irregularities {
  const group = (vault: string) => ['irregular', vault];
  return {
    async *all(vault) {
      for await (const record of records.all(group(vault))) {
        if (isFailure(record)) yield record;
        else yield { kind: 'irregular', secret: fields.parse(record.fields).secret, ...read(record.fields) };
      }
    },
    async of({ vault, secret }) {
      const got = await records.get(group(vault), [secret]);
      return isFailure(got) ? got : { kind: 'irregular', ...read(got.fields) };
    },
    async change({ vault, secret }, change) {
      const changed = await records.change(group(vault), [secret], (before) => written(secret, change(read(before))));
      return isFailure(changed) ? changed : { kind: 'kept' };
    },
  };
}
