import type { Marks } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const group = ['mark'];

export function tableMarks(records: Records): Marks {
  return {
    async has(key) {
      const got = await records.get(group, [key]);
      return isFailure(got) ? got : { kind: 'known', marked: got.fields !== undefined };
    },
    async put(key) {
      const put = await records.put(group, [key], {});
      return isFailure(put) ? put : { kind: 'marked' };
    },
  };
}
