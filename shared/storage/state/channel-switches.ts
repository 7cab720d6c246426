import * as z from 'zod';
import type { ChannelSwitch, ChannelSwitches } from '../../contract/deliveries.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({ channel: z.string(), setting: z.string(), reason: z.string(), at: z.coerce.date() });
const group = ['channel-off'];

/** One record for each channel that is off. */
export function tableChannelSwitches(records: Records): ChannelSwitches {
  return {
    async off(one) {
      const put = await records.put(group, [one.channel], { ...one });
      return isFailure(put) ? put : { kind: 'kept' };
    },
    async on(channel) {
      const removed = await records.remove(group, [channel]);
      return isFailure(removed) ? removed : { kind: 'kept' };
    },
    async all() {
      const switches: ChannelSwitch[] = [];
      for await (const record of records.all(group)) {
        if (isFailure(record)) return record;
        switches.push(fields.parse(record.fields));
      }
      return { kind: 'listed', switches };
    },
    async one(channel) {
      const got = await records.get(group, [channel]);
      if (isFailure(got)) return got;
      return { kind: 'known', off: got.fields === undefined ? undefined : fields.parse(got.fields) };
    },
  };
}
