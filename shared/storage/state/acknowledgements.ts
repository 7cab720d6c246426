import * as z from 'zod';
import type { Acknowledgements } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({ consumer: z.string(), at: z.coerce.date() });

/** One record for each consumer and version; the first acknowledgement of a consumer is the one that counts. */
export function tableAcknowledgements(records: Records): Acknowledgements {
  return {
    async add(vault, secret, version, consumer, at) {
      const added = await records.add(['acknowledged', vault, secret, version], [consumer], { consumer, at });
      return isFailure(added) ? added : { kind: 'added' };
    },
    async of(vault, secret, version) {
      const consumers = new Map<string, Date>();
      for await (const record of records.all(['acknowledged', vault, secret, version])) {
        if (isFailure(record)) return record;
        const { consumer, at } = fields.parse(record.fields);
        consumers.set(consumer, at);
      }
      return { kind: 'acknowledged', consumers };
    },
  };
}
