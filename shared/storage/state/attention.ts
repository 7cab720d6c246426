import * as z from 'zod';
import type { ActivityTrouble, Attention, Trouble } from '../../contract/state.ts';
import { calm, oneMoreFailure, withoutActivity, withReminders, withWaiting } from '../../contract/trouble.ts';
import { isFailure } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import type { Fields, Records } from './records.ts';

const activity = z
  .object({
    failures: z.number(),
    retries: z.number(),
    since: z.coerce.date(),
    last: z.object({ code: z.string(), message: z.string(), hint: z.string(), at: z.coerce.date() }),
    nextTryAt: z.coerce.date().optional(),
    paused: z.boolean(),
    unpublished: z.boolean(),
  })
  .transform(
    ({ nextTryAt, ...rest }): ActivityTrouble => ({ ...rest, ...(nextTryAt === undefined ? {} : { nextTryAt }) }),
  );

const trouble = z.object({
  rotation: activity.optional(),
  retirement: activity.optional(),
  check: activity.optional(),
  waitsFor: z.array(z.string()).optional(),
  reminders: z.array(z.string()).optional(),
});

const row = z.object({ secret: z.string(), trouble: z.string() });

function read(record: unknown): Trouble {
  if (record === undefined) return calm;
  const { rotation, retirement, check, waitsFor, reminders } = trouble.parse(parseJson(row.parse(record).trouble));
  return {
    kind: 'trouble',
    ...(rotation === undefined ? {} : { rotation }),
    ...(retirement === undefined ? {} : { retirement }),
    ...(check === undefined ? {} : { check }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(reminders === undefined ? {} : { reminders }),
  };
}

/** Undefined where nothing is left to keep. */
function write(secret: string, { kind: _kind, ...of }: Trouble): Fields | undefined {
  return Object.keys(of).length === 0 ? undefined : { secret, trouble: JSON.stringify(of) };
}

/** One record for each secret in trouble. */
export function tableAttention(records: Records): Attention {
  const change = async (vault: string, secret: string, how: (trouble: Trouble) => Trouble) => {
    let now = calm;
    const changed = await records.change(['attention', vault], [secret], (record) => {
      now = how(read(record));
      return write(secret, now);
    });
    return isFailure(changed) ? changed : now;
  };
  return {
    async of(vault, secret) {
      const got = await records.get(['attention', vault], [secret]);
      return isFailure(got) ? got : read(got.fields);
    },
    async *all(vault) {
      for await (const record of records.all(['attention', vault])) {
        if (isFailure(record)) yield record;
        else yield { kind: 'secret', secret: row.parse(record.fields).secret, trouble: read(record.fields) };
      }
    },
    failed: (vault, secret, activity, failed, next) =>
      change(vault, secret, (before) => ({ ...before, [activity]: oneMoreFailure(before[activity], failed, next) })),
    async waits(vault, secret, waitsFor) {
      const changed = await change(vault, secret, (before) => withWaiting(before, waitsFor));
      return isFailure(changed) ? changed : { kind: 'kept' };
    },
    async reminds(vault, secret, reminders) {
      const changed = await change(vault, secret, (before) => withReminders(before, reminders));
      return isFailure(changed) ? changed : { kind: 'kept' };
    },
    async cleared(vault, secret, activity) {
      const changed = await change(vault, secret, (before) => withoutActivity(before, activity));
      return isFailure(changed) ? changed : { kind: 'cleared' };
    },
  };
}
