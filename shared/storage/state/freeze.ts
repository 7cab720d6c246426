import { z } from 'zod';
import type { Freeze, FreezeState } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({ frozen: z.boolean(), by: z.string(), reason: z.string(), at: z.coerce.date() });
const group = ['freeze'];
const key = ['app'];

function read(record: unknown): FreezeState {
  if (record === undefined) return { kind: 'freeze', frozen: false };
  const { frozen, by, reason, at } = fields.parse(record);
  return { kind: 'freeze', frozen, by, reason, since: at };
}

export function tableFreeze(records: Records): Freeze {
  return {
    async read() {
      const got = await records.get(group, key);
      return isFailure(got) ? got : read(got.fields);
    },
    async set(state) {
      const put = await records.put(group, key, state);
      return isFailure(put) ? put : read(state);
    },
  };
}
