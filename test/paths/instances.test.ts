/** An instance of the app dies in the middle of its work, without a word; another one finishes it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FaultRule } from '../../local/vault/index.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  // A look at a new version reads, too, and would stand where a rotation is to.
  stage = await startStage({ eventTypes: ['Microsoft.KeyVault.SecretNearExpiry'], queues: { lockSeconds: 5 } });
});
afterAll(() => stage.close());

/** Where the worker stands when it dies: the call of the vault whose answer it waits for, and whether the vault did it. */
interface Moment {
  readonly strategy: 'alternating-users' | 'single-user';
  readonly operation: 'get' | 'set' | 'update';
  readonly of: '' | 'keyturn-pending-';
  readonly stage: 'before' | 'after';
}

const moments: readonly Moment[] = [
  { strategy: 'alternating-users', operation: 'get', of: '', stage: 'after' },
  { strategy: 'alternating-users', operation: 'set', of: '', stage: 'before' },
  { strategy: 'alternating-users', operation: 'set', of: '', stage: 'after' },
  { strategy: 'single-user', operation: 'get', of: 'keyturn-pending-', stage: 'before' },
  { strategy: 'single-user', operation: 'set', of: 'keyturn-pending-', stage: 'before' },
  { strategy: 'single-user', operation: 'set', of: 'keyturn-pending-', stage: 'after' },
  { strategy: 'single-user', operation: 'set', of: '', stage: 'before' },
  { strategy: 'single-user', operation: 'set', of: '', stage: 'after' },
  { strategy: 'single-user', operation: 'update', of: 'keyturn-pending-', stage: 'before' },
];

const nameOf = (at: number): string => `dies-${'abcdefghijklmnop'[at]}`;

function standstill(moment: Moment, at: number): FaultRule {
  const { operation, of, stage: when } = moment;
  const match = { operation, name: `^${of}${nameOf(at)}$` };
  return { match, when: { calls: [1] }, effect: { kind: 'delay', ms: 600_000, stage: when } };
}

test('SIGKILL while nine rotations stand at nine moments: another instance finishes each, with one new version', async () => {
  const { vault, azure } = stage;
  const faults = moments.map((moment, at) => vault.faults.add(standstill(moment, at)));
  const planted = [];
  for (const [at, { strategy }] of moments.entries()) planted.push(await stage.plant(nameOf(at), { strategy }));
  await stage.until('all standing', () => faults.every(({ hits }) => hits === 1));
  await azure.host.kill(0);
  const stored = moments.map((_, at) => vault.versions(`keyturn-pending-${nameOf(at)}`).at(-1)?.value);
  for (const [at, { url }] of planted.entries()) {
    // What consumers read logs in, but where the one login's password was changed and not published yet.
    const current = await stage.accepts(stage.newest(nameOf(at)).value);
    const { strategy, of, operation, stage: when } = moments[at] ?? {};
    const between = strategy === 'single-user' && operation === 'set' && of === '' && when === 'before';
    expect(current, `${nameOf(at)} between the crash and the takeover`).toBe(!between);
    if (between) expect(await stage.accepts(stored[at] ?? ''), 'the stored candidate').toBe(true);
    if (strategy === 'alternating-users') expect(await stage.accepts(url)).toBe(true);
  }

  vault.faults.clear();
  for (const at of moments.keys()) await stage.breakLease(nameOf(at));
  await azure.host.add();
  for (const [at, { strategy, of }] of moments.entries()) {
    const name = nameOf(at);
    await stage.until(`${name} is done`, () =>
      stage
        .lines({ secret: name })
        .some(({ event, instance }) => (event === 'rotated' || event === 'skipped') && instance === 1),
    );
    expect(vault.versions(name), `versions of ${name}`).toHaveLength(2);
    await stage.expectCurrentLogsIn(name);
    expect(await stage.accepts(planted[at]?.url ?? ''), 'the old password').toBe(strategy === 'alternating-users');
    if (stored[at] !== undefined) expect(stage.newest(name).value, 'the stored password').toBe(stored[at]);
    if (of === 'keyturn-pending-') expect(vault.versions(`keyturn-pending-${name}`)).toHaveLength(1);
  }
  expect(stage.lines().filter(({ level }) => level === 'error')).toEqual([]);
});

test('a secret that another worker holds is left to it: busy, and looked at again later', async () => {
  const { vault, azure } = stage;
  const name = 'held';
  const fault = vault.faults.add({
    match: { operation: 'get', name: `^${name}$` },
    when: { calls: [1] },
    effect: { kind: 'delay', ms: 2_000, stage: 'after' },
  });
  const { version } = await stage.plant(name);
  await stage.until('the worker holds it', () => fault.hits === 1);
  stage.tell(name, {}, { Version: version });
  expect((await stage.said('busy', name))[0]).toMatchObject({ level: 'information' });
  expect(stage.lines({ event: 'rotated', secret: name })).toEqual([]);
  await stage.said('rotated', name);
  expect(vault.versions(name)).toHaveLength(2);
  await azure.events.idle();
});

test('no secret value is in any log, event, message, row, blob or statement', () => {
  stage.expectNoSecretAnywhere();
});
