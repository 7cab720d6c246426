/** A rehearsal at every crash: whatever it had made is gone after the next one, and the secret and its login are as they were. */
import { expect, test } from 'vitest';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Rehearsal, Rotator, Step } from '../../shared/contract/rotator.ts';
import { rehearse } from '../../shared/engine/rehearsal/rehearse.ts';
import { failure } from '../../shared/errors.ts';
import { type CrashPoint, dyingAt, type Trace } from './crash.ts';
import { Crash, MemoryRotator, type MemoryTarget, makeWorld, type World } from './world.ts';

const twin = 'app_twin';

/** Makes its twin as a login of its own, and drops it. */
class TwinRotator extends MemoryRotator {
  readonly rehearsal: Rehearsal;

  constructor(target: MemoryTarget) {
    super(target);
    this.rehearsal = {
      twinStep: (step) => ({ kind: 'twin', step: { ...step, strategy: 'alternating-users', options: twin } }),
      discard: async () => {
        target.logins.delete(twin);
        return { kind: 'discarded' };
      },
    };
  }

  override propose(step: Step, current: Credential): Credential {
    return step.options === twin ? { username: twin, password: step.newPassword() } : super.propose(step, current);
  }
}

interface Play {
  readonly world: World;
  readonly noted: string[];
  run(point?: CrashPoint): Promise<{ readonly outcome: unknown; readonly trace: Trace }>;
}

function play(world = makeWorld('single-user'), change: (rotator: Rotator) => Rotator = (rotator) => rotator): Play {
  const noted: string[] = [];
  const rotator = new TwinRotator(world.target);
  return {
    world,
    noted,
    async run(point) {
      const trace: Trace = { calls: [], dead: false };
      const wrap = dyingAt(point, trace);
      const { twinStep } = rotator.rehearsal;
      const { discard } = wrap('rehearsal', rotator.rehearsal);
      const intents = wrap('intents', {
        async note() {
          noted.push('begun');
          return { kind: 'kept' as const };
        },
      });
      const wrapped = wrap('rotator', change(rotator));
      const playing: Rotator = {
        propose: (step, current) => wrapped.propose(step, current),
        apply: (step, candidate, live) => wrapped.apply(step, candidate, live),
        verify: (step, credential) => wrapped.verify(step, credential),
        inUse: (step, previous) => wrapped.inUse(step, previous),
        retire: (step, previous) => wrapped.retire(step, previous),
        check: (step) => wrapped.check(step),
        rehearsal: { twinStep, discard },
      };
      const deps = { ...world.deps(wrap), loadRotator: async () => playing };
      try {
        const place = { vault: world.vault.name, secret: world.secret };
        return { outcome: await rehearse(deps, () => intents.note(), place), trace };
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        return { outcome: 'died', trace };
      }
    },
  };
}

function expectAsBefore({ world }: Play): void {
  expect([...world.target.logins]).toEqual([['app', new Set([world.firstPassword])]]);
  expect(world.vault.count(world.secret)).toBe(1);
  expect(world.vault.newest(world.secret).version).toBe(world.firstVersion);
}

test('a rehearsal makes a twin, proves it, revokes it, sees it refused and removes it', async () => {
  const it = play();
  const { updatedAt } = it.world.vault.newest(it.world.secret);
  const { outcome, trace } = await it.run();
  expect(outcome).toMatchObject({ kind: 'rehearsed', how: 'twin' });
  expect(trace.calls.filter((call) => /^(?:rotator|rehearsal|intents)/.test(call))).toEqual([
    ...['rotator.verify', 'intents.note', 'rehearsal.discard', 'rotator.apply', 'rotator.verify'],
    ...['rotator.retire', 'rotator.verify', 'rehearsal.discard'],
  ]);
  expect(it.world.vault.newest(it.world.secret).updatedAt).toBe(updatedAt);
  expectAsBefore(it);
});

test('a worker that dies at any call: nothing is made before the intent stands, and the next rehearsal leaves nothing of it', async () => {
  const { trace } = await play().run();
  for (const when of ['before', 'after'] as const) {
    for (const call of trace.calls.keys()) {
      const it = play();
      await it.run({ call, when });
      const isMade = it.world.target.logins.has(twin);
      expect(isMade && it.noted.length === 0, `${when} ${trace.calls[call]}`).toBe(false);
      it.world.leases.expire();
      expect((await it.run()).outcome, `${when} ${trace.calls[call]}`).toMatchObject({ kind: 'rehearsed' });
      expectAsBefore(it);
    }
  }
});

const refused = (secret: string) =>
  failure('permission-missing', { secret, target: 'db', permission: 'CREATE', detail: 'no' });

test('a twin that may do less than the login in use fails the rehearsal, and is removed all the same', async () => {
  const it = play(makeWorld('single-user'), (rotator) => ({
    ...bound(rotator),
    verify: async (step, credential) =>
      credential.username === twin
        ? { kind: 'lesser-rights', missing: ['SELECT on orders'] }
        : rotator.verify(step, credential),
  }));
  const { outcome } = await it.run();
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'lesser-rights' } });
  expectAsBefore(it);
});

test('a twin that is accepted after it was revoked fails the rehearsal', async () => {
  const it = play(makeWorld('single-user'), (rotator) => ({
    ...bound(rotator),
    retire: async () => ({ kind: 'retired', sessionsEnded: 0 }),
  }));
  const { outcome } = await it.run();
  const message = expect.stringContaining(' on db.contoso.test still logs in');
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'retire-refused', message } });
  expectAsBefore(it);
});

test('an admin that may make no login fails it only where the checks of the plan fail too', async () => {
  const without = (state: 'passed' | 'failed') =>
    play(makeWorld('single-user'), (rotator) => ({
      ...bound(rotator),
      apply: async ({ secret }) => refused(secret),
      check: async () => [{ name: 'permissions', state, detail: 'looked', fix: 'Grant it.' }],
    }));
  const looked = without('passed');
  expect((await looked.run()).outcome).toMatchObject({ kind: 'rehearsed', how: 'looked' });
  expectAsBefore(looked);
  expect((await without('failed').run()).outcome).toMatchObject({
    kind: 'failed',
    failure: { code: 'permission-missing' },
  });
});

test('a published credential that does not log in is told, and no twin is made', async () => {
  const it = play();
  it.world.target.set('app', ['another password']);
  const { outcome, trace } = await it.run();
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'credential-drifted' } });
  expect(trace.calls).not.toContain('rotator.apply');
  expect(it.noted).toEqual([]);
});

test('while another worker is at the secret it makes nothing', async () => {
  const it = play();
  await it.world.leases.acquire(it.world.vault.name, it.world.secret);
  expect((await it.run()).outcome).toMatchObject({ kind: 'skipped', reason: 'busy' });
  expectAsBefore(it);
});

function bound(rotator: Rotator): Rotator {
  return {
    propose: (step, current) => rotator.propose(step, current),
    apply: (step, candidate, live) => rotator.apply(step, candidate, live),
    verify: (step, credential) => rotator.verify(step, credential),
    inUse: (step, previous) => rotator.inUse(step, previous),
    retire: (step, previous) => rotator.retire(step, previous),
    check: (step) => rotator.check(step),
  };
}
