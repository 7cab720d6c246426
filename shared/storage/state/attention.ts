import * as z from 'zod';
import type { Attention, Trouble } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({
  secret: z.string(),
  failures: z.number(),
  quarantined: z.boolean(),
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  at: z.coerce.date(),
});

const calm: Trouble = { kind: 'trouble', failures: 0, quarantined: false };

function read(record: unknown): Trouble {
  if (record === undefined) return calm;
  const { failures, quarantined, code, message, hint, at } = fields.parse(record);
  return { kind: 'trouble', failures, quarantined, last: { code, message, hint, at } };
}

/** One record for each secret in trouble. Two workers counting at once may count one failure less: that costs one more attempt. */
export function tableAttention(records: Records): Attention {
  const of: Attention['of'] = async (vault, secret) => {
    const got = await records.get(['attention', vault], [secret]);
    return isFailure(got) ? got : read(got.fields);
  };
  return {
    of,
    async *all(vault) {
      for await (const record of records.all(['attention', vault])) {
        if (isFailure(record)) yield record;
        else yield { kind: 'secret', secret: fields.parse(record.fields).secret, trouble: read(record.fields) };
      }
    },
    async failed(vault, secret, failed, quarantineAfter) {
      const before = await of(vault, secret);
      if (isFailure(before)) return before;
      const failures = before.failures + 1;
      const quarantined = failures >= quarantineAfter;
      const put = await records.put(['attention', vault], [secret], { secret, failures, quarantined, ...failed });
      return isFailure(put) ? put : { kind: 'trouble', failures, quarantined, last: failed };
    },
    async cleared(vault, secret) {
      const removed = await records.remove(['attention', vault], [secret]);
      return isFailure(removed) ? removed : { kind: 'cleared' };
    },
  };
}
