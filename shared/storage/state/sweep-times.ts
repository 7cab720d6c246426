import * as z from 'zod';
import type { SweepTimes } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({ at: z.coerce.date() });
const group = ['swept'];

export function tableSweepTimes(records: Records): SweepTimes {
  return {
    async of(vault) {
      const got = await records.get(group, [vault]);
      if (isFailure(got)) return got;
      return { kind: 'known', at: got.fields === undefined ? undefined : fields.parse(got.fields).at };
    },
    async keep(vault, at) {
      const put = await records.put(group, [vault], { at });
      return isFailure(put) ? put : { kind: 'kept' };
    },
  };
}
