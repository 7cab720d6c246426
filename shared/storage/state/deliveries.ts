import * as z from 'zod';
import { type Deliveries, type Delivery, deliveryStates } from '../../contract/deliveries.ts';
import { noticeTypes } from '../../contract/notice-types.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const fields = z.object({
  noticeId: z.string(),
  type: z.enum(noticeTypes),
  rotationId: z.string(),
  vault: z.string(),
  secret: z.string(),
  channel: z.string(),
  state: z.enum(deliveryStates),
  attempts: z.number(),
  firstAt: z.coerce.date(),
  lastAt: z.coerce.date().optional(),
  nextAt: z.coerce.date().optional(),
  detail: z.string().optional(),
});

function read(record: unknown): Delivery {
  const { lastAt, nextAt, detail, ...known } = fields.parse(record);
  return {
    ...known,
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(detail === undefined ? {} : { detail }),
  };
}

type About = Pick<Delivery, 'rotationId' | 'noticeId' | 'channel' | 'vault' | 'secret'>;

// A key must not be empty, and a rotation's id never holds a dash.
const groupOf = (rotationId: string) => ['delivery', rotationId === '' ? '-' : rotationId];
// An id comes from a stamp, which whoever may edit a secret can write: one secret's news must not stand for another's.
const keyOf = ({ noticeId, channel, vault, secret }: About) => [noticeId, channel, vault, secret];

/** One record for each notice, secret and channel, grouped by rotation. */
export function tableDeliveries(records: Records): Deliveries {
  return {
    async keep(delivery) {
      const put = await records.put(groupOf(delivery.rotationId), keyOf(delivery), { ...delivery });
      return isFailure(put) ? put : { kind: 'kept' };
    },
    async one(about) {
      const got = await records.get(groupOf(about.rotationId), keyOf(about));
      if (isFailure(got)) return got;
      return { kind: 'known', delivery: got.fields === undefined ? undefined : read(got.fields) };
    },
    async of(rotationId) {
      const deliveries: Delivery[] = [];
      for await (const record of records.all(groupOf(rotationId))) {
        if (isFailure(record)) return record;
        deliveries.push(read(record.fields));
      }
      deliveries.sort((a, b) => a.firstAt.getTime() - b.firstAt.getTime());
      return { kind: 'listed', deliveries };
    },
  };
}
