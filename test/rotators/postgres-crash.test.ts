/** A server that crashes right after a change has it when it is back, also where it commits asynchronously (`synchronous_commit = off`). */
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresFixture, startFixture } from './postgres-fixture.ts';
import { attempt, pairStep, rotator, singleStep } from './postgres-rig.ts';

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture();
}, 60_000);
afterAll(() => fixture.close());

/** A backend dies, and the server throws everybody out and recovers from what it had written. Resolves when it takes logins again. */
async function crash(): Promise<void> {
  const client = await victim();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  process.kill(Number(rows[0]?.pid), 'SIGKILL');
  await expect.poll(async () => (await victim()).end().then(() => true), { timeout: 20_000, interval: 50 }).toBe(true);
}

async function victim(): Promise<Client> {
  const client = new Client({ connectionString: fixture.server.adminUrl });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

test('commits asynchronously here, so that the tests below can fail', async () => {
  const client = await victim();
  const { rows } = await client.query('SHOW synchronous_commit');
  await client.end();
  expect(rows).toEqual([{ synchronous_commit: 'off' }]);
});

test.each(['single-user', 'alternating-users'] as const)(
  '%s: the candidate logs in after the crash',
  async (strategy) => {
    const scene = await fixture.scene(strategy, { admin: 'connection' });
    await fixture.sql('CHECKPOINT');
    const step = (strategy === 'single-user' ? singleStep : pairStep)(scene);
    const candidate = rotator.propose(step, scene.current);
    if ('kind' in candidate) throw new Error(candidate.message);
    expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({ kind: 'applied' });
    await crash();
    expect(await scene.login(candidate)).toBe(true);
  },
);

test('a login that was ended is refused after the crash', async () => {
  const scene = await fixture.scene('alternating-users', { admin: 'connection' });
  const applied = await attempt(pairStep(scene));
  if (applied.kind !== 'applied') throw new Error(applied.kind);
  await fixture.sql('CHECKPOINT');
  const step = pairStep(scene, { current: applied.credential });
  expect(await rotator.retire(step, scene.current)).toMatchObject({ kind: 'retired' });
  await crash();
  expect(await scene.login(scene.current)).toBe(false);
});
