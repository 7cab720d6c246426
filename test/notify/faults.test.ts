/** What every kind of channel does when its receiver does not: one table, over HTTP, in simulated time. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Fault, startServer } from '../../local/providers/server.ts';
import { poisonQueueOf, queueNames } from '../../shared/contract/queue-names.ts';
import { findSecrets } from '../canary.ts';
import { type Bench, canaries, kinds, startBench } from './kinds.ts';
import { hourMs, minuteMs, rotatedNotice } from './world.ts';

const id = rotatedNotice().id;
const always = Number.POSITIVE_INFINITY;

describe.each(kinds)('a channel of kind %s', (kind) => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await startBench(kind);
  });
  afterEach(async () => {
    const { world } = bench;
    await bench.close();
    const seen = { logs: world.logs, messages: world.messages, rows: world.rows, switches: world.switches };
    expect(findSecrets(seen, Object.values(canaries))).toEqual([]);
  });

  const fail = (fault: Omit<Fault, 'on'>) =>
    bench.server.fail({ ...fault, on: (asked) => bench.isEffect(asked.method, asked.path) });
  const row = () => [...bench.world.rows.values()][0];

  test('tells its receiver once, and the state says so', async () => {
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(bench.times()).toBe(1);
    expect(row()).toMatchObject({
      state: 'delivered',
      attempts: 1,
      channel: 'ours',
      rotationId: rotatedNotice().rotationId,
    });
    expect(bench.world.messages).toEqual([]);
    if (bench.ids !== undefined) expect(bench.ids()).toEqual([id]);
  });

  test('receiver down for an hour: nothing is lost, and it is told within half an hour of coming back', async () => {
    const startMs = bench.world.nowMs;
    fail({ when: 'before', how: 'cut', times: always });
    bench.world.tell(rotatedNotice());
    await bench.world.run(hourMs);
    expect(bench.times()).toBe(0);
    expect(row()).toMatchObject({ state: 'waiting', detail: expect.stringContaining('gave no good answer') });
    expect(row()?.nextAt?.getTime()).toBeGreaterThan(startMs);
    bench.server.heal();
    await bench.world.run(hourMs / 2 + 5 * minuteMs);
    expect(bench.times()).toBe(1);
    expect(row()).toMatchObject({ state: 'delivered' });
    expect(row()).not.toHaveProperty('nextAt');
  });

  test('three times 500: told at the fourth attempt, with pauses that grow', async () => {
    fail({ when: 'before', how: { status: 500, body: 'oops' }, times: 3 });
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(bench.times()).toBe(1);
    expect(row()).toMatchObject({ state: 'delivered', attempts: 4 });
  });

  test('429 with Retry-After: left alone for that long', async () => {
    const startMs = bench.world.nowMs;
    fail({ when: 'before', how: { status: 429, headers: { 'retry-after': '600' } } });
    bench.world.tell(rotatedNotice());
    await bench.world.run(595_000);
    expect(bench.times()).toBe(0);
    await bench.world.run(10_000);
    expect(bench.times()).toBe(1);
    expect(row()?.lastAt?.getTime()).toBe(startMs + 600_000);
  });

  test('no answer in time: given up for now, and sent again', async () => {
    fail({ when: 'before', how: 'silent' });
    bench.world.attemptMs = 300;
    bench.world.tell(rotatedNotice());
    await bench.world.run(5_000);
    bench.world.attemptMs = 20_000;
    await bench.world.run();
    expect(bench.times()).toBe(1);
    expect(bench.world.logs.join()).toContain('no answer in time');
    expect(row()).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  test('connection cut after the effect: told again under the same id, which the receiver can drop', async () => {
    fail({ when: 'after', how: 'cut' });
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(bench.times()).toBe(2);
    if (bench.ids !== undefined) expect(bench.ids()).toEqual([id, id]);
    expect(row()).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  test('a redirect is not followed: nothing goes where the receiver points', async () => {
    const elsewhere = await startServer(() => ({ status: 200 }));
    try {
      fail({ when: 'before', how: { status: 307, headers: { location: `${elsewhere.url}/stolen` } } });
      bench.world.tell(rotatedNotice());
      await bench.world.run(5_000);
      expect(row()).toMatchObject({ state: 'waiting', detail: expect.stringContaining('a redirect') });
      expect(elsewhere.requests).toEqual([]);
      await bench.world.run();
      expect(row()).toMatchObject({ state: 'delivered', attempts: 2 });
      expect(elsewhere.requests).toEqual([]);
    } finally {
      await elsewhere.close();
    }
  });

  test('a huge answer is not read to its end, and its status counts', async () => {
    fail({ when: 'after', how: { status: 200, body: 'x'.repeat(20_000_000) } });
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(bench.times()).toBe(1);
    expect(row()).toMatchObject({ state: 'delivered', attempts: 1 });
  });

  test('a refusal is named as an error once with the next step, and tried again until somebody has mended it', async () => {
    fail({ when: 'before', how: { status: 403 }, times: 3 });
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(row()).toMatchObject({ state: 'delivered', attempts: 4 });
    const errors = bench.world.logs.filter((line) => line.includes('notice-refused'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/HTTP 403.*KEYTURN_CHANNELS/);
  });

  test('two copies of one notice tell the receiver once', async () => {
    bench.world.tell(rotatedNotice());
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(bench.times()).toBe(1);
  });

  test('down for good: after a day it is given up, named with the next step, and kept as poison', async () => {
    const startMs = bench.world.nowMs;
    fail({ when: 'before', how: { status: 503 }, times: always });
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(bench.world.nowMs - startMs).toBe(24 * hourMs);
    expect(row()).toMatchObject({ state: 'given-up', detail: expect.stringContaining('HTTP 503') });
    expect(bench.world.messages).toMatchObject([
      {
        queue: poisonQueueOf(queueNames.notifications),
        body: { secret: 'orders-db', channel: 'ours', hint: expect.stringContaining('ours') },
      },
    ]);
    expect(bench.world.logs.filter((line) => line.includes('notice-given-up'))).toHaveLength(1);
  });

  test('the worker dies at any call: the receiver is told, and duplicates bear the same id', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= 8; at++) {
        const before = bench.times();
        const notice = rotatedNotice({ id: `notice-${when}-${at}` });
        bench.world.crash = { at, when };
        bench.world.tell(notice);
        await bench.world.run();
        bench.world.crash = undefined;
        expect(bench.times() - before, `${when} call ${at}`).toBeGreaterThanOrEqual(1);
        expect(bench.times() - before, `${when} call ${at}`).toBeLessThanOrEqual(2);
        expect(bench.world.messages).toEqual([]);
        if (bench.ids !== undefined) expect(bench.ids()).toContain(notice.id);
      }
    }
  });

  test('storage tables that do not answer cost a duplicate at most, never the message', async () => {
    bench.world.tablesDown = true;
    bench.world.tell(rotatedNotice());
    await bench.world.run();
    expect(bench.times()).toBe(1);
    expect(bench.world.messages).toEqual([]);
  });
});
