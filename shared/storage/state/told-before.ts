import * as z from 'zod';
import type { ToldBefore } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({ secret: z.string(), what: z.string() });

/** One record for each secret and thing that people were told. */
export function tableToldBefore(records: Records): ToldBefore {
  return {
    async *all(vault) {
      for await (const record of records.all(['told', vault])) {
        if (isFailure(record)) yield record;
        else yield { kind: 'told', ...fields.parse(record.fields) };
      }
    },
    async add(vault, secret, what) {
      const put = await records.put(['told', vault], [secret, what], { secret, what });
      return isFailure(put) ? put : { kind: 'kept' };
    },
    async remove(vault, secret, what) {
      const removed = await records.remove(['told', vault], [secret, what]);
      return isFailure(removed) ? removed : { kind: 'kept' };
    },
  };
}
