import * as z from 'zod';
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

/**
 * Remembers what was read for a moment: a storm of events asks the same question hundreds of times a second. A freeze that is set by
 * another instance is seen that much later; one that is set here is seen at once.
 */
export function rememberedFreeze(freeze: Freeze, forMs: number, elapsedMs: () => number): Freeze {
  let latest: { readonly at: number; readonly read: ReturnType<Freeze['read']> } | undefined;
  return {
    read() {
      const now = elapsedMs();
      if (latest !== undefined && now - latest.at < forMs) return latest.read;
      const read = freeze.read();
      const asked = { at: now, read };
      latest = asked;
      // What could not be read is asked for again.
      const forget = () => {
        if (latest === asked) latest = undefined;
      };
      read.then((state) => (isFailure(state) ? forget() : undefined), forget);
      return read;
    },
    async set(state) {
      latest = undefined;
      const set = await freeze.set(state);
      latest = undefined;
      return set;
    },
  };
}
