import * as z from 'zod';
import type { Rehearsals } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const time = z.coerce.date();
const fields = z.object({ secret: z.string(), begunAt: time, endedAt: time.optional() });

/** One record for each secret that was ever rehearsed. */
export function tableRehearsals(records: Records): Rehearsals {
  return {
    async *all(vault) {
      for await (const record of records.all(['rehearsals', vault])) {
        if (isFailure(record)) yield record;
        else {
          const { secret, begunAt, endedAt } = fields.parse(record.fields);
          yield { kind: 'rehearsal', secret, begunAt, ...(endedAt === undefined ? {} : { endedAt }) };
        }
      }
    },
    async keep({ vault, secret }, { begunAt, endedAt }) {
      const kept = { secret, begunAt, ...(endedAt === undefined ? {} : { endedAt }) };
      const put = await records.put(['rehearsals', vault], [secret], kept);
      return isFailure(put) ? put : { kind: 'kept' };
    },
  };
}
