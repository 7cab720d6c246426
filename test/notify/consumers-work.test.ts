/** Whoever is woken by a failed rotation is told first whether consumers are down, and until when they are not. */
import { describe, expect, test } from 'vitest';
import type { Notice } from '../../shared/contract/notice.ts';
import { notice as schema } from '../../shared/contract/notice.ts';
import type { Failed } from '../../shared/engine/running/result.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { wordsOf } from '../../shared/notify/text.ts';
import { tell } from '../../shared/operations/news.ts';
import { logTo } from '../../shared/telemetry.ts';

const at = { secret: 'orders-db', target: 'db.contoso.com', detail: 'no route' };
const unreachable = failure('target-unreachable', at);
const expiresAt = new Date('2026-05-30T02:14:00Z');
const applied = [{ name: 'apply', ms: 1, outcome: 'target-unreachable' }];

const nothing = () => undefined;
const log = logTo({ info: nothing, warn: nothing, error: nothing });

async function told(why: Failure, more: Partial<Failed>): Promise<Notice> {
  const sent: unknown[] = [];
  const queues = {
    enqueue: async (_queue: unknown, message: unknown) => {
      sent.push(message);
      return { kind: 'enqueued' as const };
    },
  };
  const result = { rotationId: 'a'.repeat(32), ...more };
  const news = { type: 'failed', activity: 'rotation', failure: why, result } as const;
  await tell({ queues, log, now: () => new Date('2026-03-01T02:14:00Z') }, { vault: 'v', secret: 'orders-db' }, news);
  return schema.parse(sent[0]);
}

describe('a failed rotation', () => {
  test.each([
    ['of two logins', { held: { expiresAt, outlives: true }, steps: applied, unpublished: true }],
    ['in place, before the target was touched', { held: { expiresAt, outlives: false }, steps: [] }],
  ])('%s: consumers go on until the published version expires', async (_, more) => {
    const notice = await told(unreachable, more);
    expect(notice).toMatchObject({ stillWorks: 'yes', worksUntil: expiresAt.toISOString() });
    expect(wordsOf(notice).what).toContain(
      'was not rotated. Consumers: the published credential is unchanged and works until 2026-05-30 02:14 UTC at the latest.',
    );
  });

  test('in place, once it was applied or its answer was lost: consumers may be refused', async () => {
    for (const unpublished of [true, undefined]) {
      const reached = unpublished === undefined ? {} : { unpublished };
      const notice = await told(unreachable, { held: { expiresAt, outlives: false }, steps: applied, ...reached });
      expect(notice).toMatchObject({ stillWorks: 'unknown' });
      expect(notice).not.toHaveProperty('worksUntil');
      expect(wordsOf(notice).what).toContain('Consumers: they may be refused until it is finished');
    }
  });

  test('because nothing that is known logs in: consumers are refused', async () => {
    const dead = failure('no-live-credential', { secret: 'orders-db', login: 'orders_app', detail: 'refused' });
    const notice = await told(dead, { held: { expiresAt, outlives: true }, steps: [] });
    expect(notice.stillWorks).toBe('no');
    expect(wordsOf(notice).what).toContain('Consumers: what they hold is refused now.');
  });

  test('after its publish: the new version works', async () => {
    const notice = await told(unreachable, { published: { from: 'b', to: 'c' } });
    expect(wordsOf(notice).what).toContain('half done. Consumers: the new version works.');
  });

  test('of which nothing was read says nothing of consumers', async () => {
    expect(await told(unreachable, {})).not.toHaveProperty('stillWorks');
  });
});
