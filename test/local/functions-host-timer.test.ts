import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import type { FunctionsHost } from '../../local/functions-host/index.ts';
import { isMonitored, missedRun, parseSchedule } from '../../local/functions-host/instance/schedule.ts';
import { openTimerStore } from '../../local/functions-host/instance/timer-store.ts';
import { logged, saying, startFixture } from './functions-app.ts';

let azurite: Azurite;
let host: FunctionsHost | undefined;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterEach(async () => {
  await host?.close();
  host = undefined;
});
afterAll(() => azurite?.close());

test('a timer runs on one of two instances, never over itself, and on the other when that one is killed', async () => {
  host = await startFixture(azurite.connectionString, { instances: 2, settings: { TICK_SCHEDULE: '* * * * * *' } });
  const runs = await logged(host, saying('{"tick":'), 3);
  const words = runs.map(({ message }) => JSON.parse(message).tick);
  expect(words).toEqual(['begins', 'ends', 'begins']);
  const leader = runs[0]?.instance ?? 0;
  expect(new Set(runs.map(({ instance }) => instance))).toEqual(new Set([leader]));
  await host.kill(leader);
  const [next] = await logged(host, (record) => saying('{"tick":"begins"')(record) && record.instance !== leader);
  expect(next?.instance).toBe(1 - leader);
});

test('a run that was missed while no host ran happens at the next start and says so', async () => {
  const hostId = 'app-that-slept';
  const store = await openTimerStore(azurite.connectionString, hostId);
  const [lastUpdated, next] = [new Date('2024-05-01T12:00:00Z'), new Date('2025-01-01T00:00:00Z')];
  await store.write('tick', { Last: lastUpdated, Next: next, LastUpdated: lastUpdated });
  const settings = { AzureFunctionsWebHost__hostid: hostId };
  host = await startFixture(azurite.connectionString, { settings });
  const [begun] = await logged(host, saying('{"tick":"begins"'));
  expect(JSON.parse(begun?.message ?? '')).toMatchObject({
    timer: { isPastDue: true, schedule: { adjustForDST: true }, scheduleStatus: { last: lastUpdated.toISOString() } },
  });
  await logged(host, saying("Executed 'Functions.tick' (Succeeded"));
  await expect
    .poll(async () => (await store.read('tick'))?.Next.getTime(), { timeout: 10_000 })
    .toBeGreaterThan(Date.now());
  await host.close();
  host = await startFixture(azurite.connectionString, { settings });
  expect((await fetch(`${host.url}/api/echo`)).status).toBe(200);
  expect(host.logs().some(saying('{"tick"'))).toBe(false);
});

test.each([
  ['0 */5 * * * *', '2026-03-01T00:00:01Z', '2026-03-01T00:05:00Z'],
  ['30 9 * * 1-5', '2026-03-06T09:30:00Z', '2026-03-09T09:30:00Z'],
  ['0 0 0 13 * FRI', '2026-01-01T00:00:00Z', '2026-02-13T00:00:00Z'],
  ['*/10 * * * * *', '2026-03-01T00:00:09.999Z', '2026-03-01T00:00:10Z'],
  ['0 5/20 * * * *', '2026-03-01T00:06:00Z', '2026-03-01T00:25:00Z'],
  ['0 0 3 * * SUN', '2026-03-02T00:00:00Z', '2026-03-08T03:00:00Z'],
])('the schedule "%s" after %s is due at %s', (expression, from, expected) => {
  expect(parseSchedule(expression, 'UTC').next(new Date(from))).toEqual(new Date(expected));
});

const refused = [
  '',
  '* * * *',
  '0 0 0 0 0 0 0',
  '60 * * * * *',
  '0 0 0 * * 5#2',
  '0 0 0 LW * *',
  '@daily',
  '0 0 ? * * *',
];
test.each([...refused, '0 0 0 * * 7', '0 0 0 * * 1-7', '0 /5 * * * *', '0 0 0 * * ,1'])(
  'the schedule "%s" is refused',
  (expression) => {
    expect(() => parseSchedule(expression, 'UTC')).toThrow('was not recognized as a valid cron expression');
  },
);

test('a schedule that was changed meanwhile has missed nothing, and one of seconds is not remembered', () => {
  const schedule = parseSchedule('0 0 * * * *', 'UTC');
  const at = (text: string) => new Date(text);
  const status = {
    Last: at('2026-01-01T10:00:00Z'),
    LastUpdated: at('2026-01-01T10:00:00Z'),
    Next: at('2026-01-01T10:30:00Z'),
  };
  expect(missedRun(schedule, status, at('2026-01-01T12:00:00Z'))).toBe(false);
  expect(missedRun(schedule, { ...status, Next: at('2026-01-01T11:00:00Z') }, at('2026-01-01T12:00:00Z'))).toBe(true);
  expect(missedRun(schedule, { ...status, Next: at('2026-01-01T11:00:00Z') }, at('2026-01-01T10:59:00Z'))).toBe(false);
  expect(isMonitored(schedule, new Date())).toBe(true);
  expect(isMonitored(parseSchedule('*/5 * * * * *', 'UTC'), new Date())).toBe(false);
});
