import * as z from 'zod';
import type { IdempotencyKeys } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({ fingerprint: z.string(), rotationId: z.string(), at: z.coerce.date() });

export function tableIdempotencyKeys(records: Records): IdempotencyKeys {
  return {
    async claim(caller, key, fingerprint, rotationId, at) {
      const group = ['idempotency', caller];
      const added = await records.add(group, [key], { fingerprint, rotationId, at });
      if (isFailure(added)) return added;
      if (added.kind === 'put') return { kind: 'claimed' };
      const got = await records.get(group, [key]);
      return isFailure(got) ? got : { kind: 'known', ...fields.parse(got.fields) };
    },
  };
}
