/**
 * The crash matrix of test/engine on real parts: Microsoft's vault client against the emulator, the Postgres rotator against a server,
 * leases, queues and marks in a storage account. A worker dies before and after every call; another takes over.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import type { RotationResult } from '../../shared/engine/rotation/result.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { type CrashPoint, dyingAt, type Trace } from '../engine/crash.ts';
import { Crash } from '../engine/world.ts';
import { type RealParts, startRealParts } from './real-parts.ts';

let parts: RealParts;
beforeAll(async () => {
  parts = await startRealParts();
});
afterAll(() => parts.close());

type Tested = 'alternating-users' | 'single-user';

interface Scene {
  readonly name: string;
  readonly strategy: Tested;
  readonly version: string;
  readonly value: string;
}

async function makeScene(strategy: Tested, at: string): Promise<Scene> {
  const name = `crash-${strategy}-${at}`.replaceAll(' ', '-');
  return { name, strategy, ...(await parts.plant(name, strategy)) };
}

/** Promise 2, by a real login after every call. */
async function expectCurrentLogsIn({ name, strategy }: Scene): Promise<void> {
  if (await parts.accepts(parts.newest(name)?.value ?? '')) return;
  expect(strategy, 'the one exception').toBe('single-user');
  expect(await parts.accepts(parts.newest(`keyturn-pending-${name}`)?.value ?? ''), 'the stored candidate').toBe(true);
}

async function work(
  scene: Scene,
  point: CrashPoint | undefined,
): Promise<{ readonly result: RotationResult | undefined; readonly trace: Trace }> {
  const trace: Trace = { calls: [], dead: false };
  const wrap = dyingAt(point, trace, () => expectCurrentLogsIn(scene));
  const { name: secret, version } = scene;
  const request = { vault: parts.vault.name, secret, version, mode: 'scheduled' as const, requestedBy: 'near-expiry' };
  try {
    return { result: await rotate(parts.deps(wrap), request), trace };
  } catch (error) {
    if (error instanceof Crash) return { result: undefined, trace };
    throw error;
  }
}

async function expectDone({ name, strategy, version, value }: Scene, stored: string | undefined): Promise<void> {
  const versions = parts.vault.versions(name);
  expect(versions, `versions of ${name}`).toHaveLength(2);
  const made = versions[1];
  expect(readStamp(made?.tags ?? {})?.from).toBe(version);
  expect(made).toMatchObject({ contentType: 'text/plain', tags: { team: 'orders' } });
  expect(await parts.accepts(made?.value ?? ''), `${name}: the new password`).toBe(true);
  expect(await parts.accepts(value), `${name}: the old password`).toBe(strategy === 'alternating-users');
  if (stored !== undefined) expect(made?.value, `${name}: the password that had been stored`).toBe(stored);
}

async function crashAndTakeOver(strategy: Tested, point: CrashPoint): Promise<void> {
  const scene = await makeScene(strategy, `${point.call} ${point.when}`);
  const { result } = await work(scene, point);
  expect(result, 'the first worker is dead').toBeUndefined();
  const stored = parts.newest(`keyturn-pending-${scene.name}`)?.value;
  await parts.takeLeaseBack(scene.name);
  const next = await work(scene, undefined);
  expect(['rotated', 'skipped']).toContain(next.result?.kind);
  if (next.result?.kind === 'skipped') expect(next.result.reason).toBe('already-rotated');
  await expectDone(scene, stored);
}

/** A few at a time: each has a secret and a login of its own. */
async function eachOf<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const open = [...items];
  const worker = async (): Promise<void> => {
    for (let item = open.shift(); item !== undefined; item = open.shift()) await run(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

describe.each(['alternating-users', 'single-user'] as const)('%s', (strategy) => {
  test('a worker dies before or after any call: the next one makes one new version, with the stored password if one was stored', async () => {
    const whole = await makeScene(strategy, 'whole');
    const { result, trace } = await work(whole, undefined);
    expect(result?.kind).toBe('rotated');
    await expectDone(whole, undefined);
    expect(trace.calls).toContain('rotator.apply');
    expect(trace.calls).toContain('vault.write');
    const points = trace.calls.flatMap((_, call) => [
      { call, when: 'before' as const },
      { call, when: 'after' as const },
    ]);
    await eachOf(points, (point) => crashAndTakeOver(strategy, point));
    process.stdout.write(`${strategy}: ${points.length} crash points on real parts\n`);
  }, 120_000);
});

test('no value and no password is in the storage account, the log of the server or the calls of the vault', () => {
  expect(parts.leaks()).toEqual([]);
});
