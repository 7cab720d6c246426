/** What was asked stands in the vault: whoever comes finishes it as it was meant, whatever became of the message and of the worker. */
import { describe, expect, test } from 'vitest';
import type { Vault } from '../../shared/contract/ports.ts';
import type { Rotator } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readRequested, withRequested } from '../../shared/engine/policy/requested.ts';
import { readStamp, revokedOf } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { judge } from '../../shared/engine/sweep/judge.ts';
import { dyingAt, type Trace } from './crash.ts';
import { Crash, credentialIn, dayMs, makeWorld, type World } from './world.ts';

const ids = { emergency: 'e'.repeat(32), asked: 'a'.repeat(32), other: 'b'.repeat(32) } as const;

function request(world: World, mode: RotationRequest['mode'], more: Partial<RotationRequest> = {}): RotationRequest {
  return { vault: world.vault.name, secret: world.secret, mode, requestedBy: 'ann', ...more };
}

const emergency = (world: World, more: Partial<RotationRequest> = {}) =>
  request(world, 'emergency', { rotationId: ids.emergency, requestedById: 'entra:ann-id', ...more });

/** Runs a rotation that dies right after its n-th call of that name. */
async function dieAfter(world: World, call: string, of: RotationRequest, nth = 1): Promise<void> {
  const dry: Trace = { calls: [], dead: false };
  let seen = 0;
  const wrap = <T extends object>(name: string, port: T): T =>
    new Proxy(dyingAt(undefined, dry)(name, port), {
      get(target, property) {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          const outcome: unknown = Reflect.apply(member, target, args);
          if (`${name}.${String(property)}` !== call || ++seen !== nth) return outcome;
          return Promise.resolve(outcome).then(() => {
            dry.dead = true;
            throw new Crash();
          });
        };
      },
    });
  await expect(rotate(world.deps(wrap), of)).rejects.toThrow(Crash);
  world.leases.expire();
}

function calls(world: World): { readonly made: string[]; readonly deps: ReturnType<World['deps']> } {
  const trace: Trace = { calls: [], dead: false };
  return { made: trace.calls, deps: world.deps(dyingAt(undefined, trace)) };
}

function sweepFinds(world: World, name = world.secret) {
  const { version: _unknown, ...properties } = { name, ...world.vault.newest(name) };
  return judge(world.deps(), properties, world.vault.now);
}

function versionOf(world: World, version: string) {
  const found = world.vault.secrets.get(world.secret)?.find((each) => each.version === version);
  if (found === undefined) throw new Error(`no version ${version}`);
  return found;
}

function expectRevoked(world: World): void {
  const { target, vault, secret, firstVersion, firstPassword } = world;
  expect(target.sessions, 'sessions of the intruder').toEqual([]);
  expect([...target.logins.values()].some((passwords) => passwords.has(firstPassword))).toBe(false);
  expect(readStamp(vault.newest(secret).tags)).toMatchObject({ retired: true });
  expect(revokedOf(versionOf(world, firstVersion).tags)?.by).toBe('entra:ann-id');
  expect(versionOf(world, firstVersion).enabled).toBe(false);
}

function intrude(world: World, count = 1): void {
  const session = { login: 'app', password: world.firstPassword };
  world.target.sessions = Array.from({ length: count }, () => ({ ...session }));
}

const withLogin: readonly Strategy[] = ['single-user', 'alternating-users', 'dual-password'];
const withTarget = strategies.filter((strategy) => strategyTraits[strategy].hasTarget);

describe.each(withTarget)('an emergency of %s', (strategy) => {
  test('is written down on the current version, by an update, before the target is touched', async () => {
    const world = makeWorld(strategy);
    const { made, deps } = calls(world);
    await rotate(deps, emergency(world));
    const first = made.indexOf('rotator.apply');
    expect(made.indexOf('vault.change')).toBeGreaterThan(-1);
    expect(made.indexOf('vault.change')).toBeLessThan(first);
    expect(world.vault.count(world.secret)).toBe(2);
    expect(readRequested(world.vault.newest(world.secret).tags), 'the new version').toEqual({});
  });

  test('whose message and storage are lost after it was written down is found and finished by the sweep', async () => {
    const world = makeWorld(strategy);
    if (withLogin.includes(strategy)) intrude(world);
    await dieAfter(world, 'vault.change', emergency(world));
    const found = sweepFinds(world);
    expect(found).toMatchObject({ kind: 'emergency', rotationId: ids.emergency, by: 'entra:ann-id' });
    await rotate(world.deps(), emergency(world, { requestedBy: 'sweep' }));
    expectRevoked(world);
    expect(world.vault.count(world.secret)).toBe(2);
  });

  test.each(['scheduled', 'asked', 'resume'] as const)(
    'is finished as one by a worker that was asked for "%s"',
    async (mode) => {
      const world = makeWorld(strategy);
      if (withLogin.includes(strategy)) intrude(world);
      await dieAfter(world, 'vault.change', emergency(world));
      const id = mode === 'asked' ? { rotationId: ids.asked } : {};
      if (mode !== 'resume') await rotate(world.deps(), request(world, mode, id));
      else
        await dieAfter(world, 'rotator.apply', emergency(world)).then(() => rotate(world.deps(), request(world, mode)));
      if (mode === 'resume' && strategyTraits[strategy].pending === 'never') return;
      if (mode === 'resume' && strategy === 'issue-revoke') return;
      expectRevoked(world);
      expect(await rotate(world.deps(), emergency(world))).toMatchObject({ kind: 'rotated', found: 'seen' });
      expect(world.vault.count(world.secret), 'one version for both').toBe(2);
    },
  );

  test('that fails after the publish stays one for the retirement in the queue, and the redelivery finds it done', async () => {
    const world = makeWorld(strategy);
    if (withLogin.includes(strategy)) intrude(world);
    const { rotator } = world;
    const retireReally = rotator.retire.bind(rotator);
    world.target.down = false;
    rotator.retire = async (step) => {
      world.target.down = true;
      return retireReally(step, { password: new SecretText('') });
    };
    const failed = await rotate(world.deps(), emergency(world));
    expect(failed).toMatchObject({ kind: 'failed', published: { from: world.firstVersion } });
    world.target.down = false;
    rotator.retire = retireReally;
    const queued = { vault: world.vault.name, secret: world.secret, rotationId: ids.emergency, requestedBy: 'overlap' };
    expect(await retire(world.deps(), { ...queued, mode: 'scheduled' })).toMatchObject({
      kind: 'retired',
      evidence: 'emergency',
    });
    expectRevoked(world);
    expect(await rotate(world.deps(), emergency(world))).toMatchObject({ kind: 'rotated' });
    expect(world.vault.count(world.secret)).toBe(2);
  });

  test('names who and when in the stamp and on the version whose credential was revoked, and no free text', async () => {
    const world = makeWorld(strategy);
    await rotate(world.deps(), emergency(world, { reason: 'laptop of Ann was stolen' }));
    const all = JSON.stringify([...world.vault.secrets.values()].map((versions) => versions.map(({ tags }) => tags)));
    expect(all).not.toContain('stolen');
    expect(readStamp(world.vault.newest(world.secret).tags)?.revoke).toBe('entra:ann-id');
    expect(revokedOf(versionOf(world, world.firstVersion).tags)).toEqual({ by: 'entra:ann-id', at: world.vault.now });
  });
});

test('ordinary rotations do not pay for what emergencies write down: no update of the version before', async () => {
  const world = makeWorld('alternating-users');
  const { made, deps } = calls(world);
  await rotate(deps, request(world, 'scheduled'));
  expect(made.filter((call) => call.startsWith('vault.'))).toEqual([
    'vault.read',
    'vault.read',
    'vault.write',
    'vault.versions',
  ]);
});

test('a single-user emergency that dies after apply and is resumed by its stored candidate still ends the sessions', async () => {
  const world = makeWorld('single-user');
  intrude(world, 3);
  await dieAfter(world, 'rotator.apply', emergency(world));
  expect(sweepFinds(world, pendingNameOf(world.secret))).toMatchObject({ kind: 'stalled', secret: world.secret });
  expect(await rotate(world.deps(), request(world, 'resume'))).toMatchObject({ kind: 'rotated' });
  expectRevoked(world);
  expect(await rotate(world.deps(), emergency(world)), 'the request itself').toMatchObject({ found: 'seen' });
});

describe.each(withLogin)('sessions in an emergency of %s', (strategy) => {
  test('that the admin may not end are said, and asking again finishes the same emergency without another version', async () => {
    const world = makeWorld(strategy);
    intrude(world, 2);
    world.target.protectedSessions = 1;
    const half = await rotate(world.deps(), emergency(world));
    expect(half).toMatchObject({
      kind: 'failed',
      failure: { code: 'sessions-open' },
      published: { from: world.firstVersion },
    });
    expect(half.kind === 'failed' && half.failure.message).toContain('1 of its sessions is still open');
    world.target.protectedSessions = 0;
    const again = await rotate(world.deps(), emergency(world, { rotationId: ids.other }));
    expect(again).toMatchObject({ kind: 'rotated' });
    expectRevoked(world);
    expect(world.vault.count(world.secret)).toBe(2);
    expect(await rotate(world.deps(), emergency(world, { rotationId: ids.other })), 'delivered again').toMatchObject({
      found: 'seen',
    });
  });

  test('that hold every connection are no obstacle: room is made, and only then the new login is proven', async () => {
    const world = makeWorld(strategy);
    intrude(world, 5);
    world.target.mostSessions = 5;
    expect(await rotate(world.deps(), emergency(world))).toMatchObject({ kind: 'rotated' });
    expectRevoked(world);
  });

  test('that hold every connection are an obstacle in peace: nobody is cut', async () => {
    const world = makeWorld(strategy);
    intrude(world, 5);
    world.target.mostSessions = 5;
    expect(await rotate(world.deps(), request(world, 'scheduled'))).toMatchObject({
      failure: { code: 'target-unreachable' },
    });
    expect(world.target.sessions).toHaveLength(5);
  });
});

/** Every login but the first one's is let in and may do less. */
function lesser({ target, firstPassword }: World): Rotator['verify'] {
  return async (_step, credential) => {
    if (!target.accepts(credential)) return { kind: 'refused', detail: 'password authentication failed' };
    const isFirst = credential.password.reveal() === firstPassword;
    return isFirst ? { kind: 'accepted' } : { kind: 'lesser-rights', missing: ['orders'] };
  };
}

test('a leaked password is never put back, also where the new one is refused', async () => {
  const world = makeWorld('single-user');
  const { rotator } = world;
  rotator.verify = lesser(world);
  expect(await rotate(world.deps(), emergency(world))).toMatchObject({ failure: { code: 'lesser-rights' } });
  expect(world.target.logins.get('app')?.has(world.firstPassword)).toBe(false);
  // In peace it is what keeps consumers alive.
  const peaceful = makeWorld('single-user');
  peaceful.rotator.verify = lesser(peaceful);
  await rotate(peaceful.deps(), request(peaceful, 'scheduled'));
  expect(peaceful.target.logins.get('app')?.has(peaceful.firstPassword)).toBe(true);
});

test('a published password is put back without asking first: a target may still accept it by an old copy', async () => {
  const world = makeWorld('single-user');
  world.target.cachedAnswers = 100;
  const before = world.target.logins.get('app');
  const outcome = await rotate(world.deps(), request(world, 'scheduled'));
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'candidate-refused' } });
  expect(world.target.logins.get('app')).toEqual(before);
});

describe.each(['single-user', 'issue-revoke'] as const)(
  'a second request that finds the candidate of %s stored',
  (strategy) => {
    test('is answered by the one version, and so is the first', async () => {
      const world = makeWorld(strategy);
      const scheduled = request(world, 'scheduled', { version: world.firstVersion });
      await dieAfter(world, strategy === 'issue-revoke' ? 'vault.write' : 'rotator.apply', scheduled);
      const asked = request(world, 'asked', { rotationId: ids.asked });
      expect(await rotate(world.deps(), asked)).toMatchObject({ kind: 'rotated', rotationId: ids.asked });
      expect(await rotate(world.deps(), scheduled)).toMatchObject({ kind: 'rotated', found: 'seen' });
      expect(await rotate(world.deps(), asked)).toMatchObject({ kind: 'rotated', found: 'seen' });
      expect(world.vault.count(world.secret)).toBe(2);
    });
  },
);

describe('a key that was issued and stored when a person publishes another version', () => {
  test('is revoked and not published over the newer version', async () => {
    const world = makeWorld('issue-revoke');
    const { vault, target, secret } = world;
    await dieAfter(world, 'vault.write', request(world, 'scheduled', { version: world.firstVersion }));
    const stored = credentialIn(vault.newest(pendingNameOf(secret)).value).password.reveal();
    const byHand = 'a key of their own';
    target.set('by-hand', [byHand]);
    const { tags } = vault.newest(secret);
    vault.put(secret, { value: new SecretText(JSON.stringify({ password: byHand })), tags });
    await rotate(world.deps(), request(world, 'resume'));
    expect(
      [...target.logins.values()].some((keys) => keys.has(stored)),
      'the orphan',
    ).toBe(false);
    expect(world.current().password.reveal(), 'the newer version').toBe(byHand);
    expect(vault.newest(pendingNameOf(secret)).enabled).toBe(false);
  });
});

describe('the stored candidate', () => {
  test('expires and has the content type of its secret, as policies of the platform may demand', async () => {
    const world = makeWorld('single-user');
    await dieAfter(world, 'vault.write', request(world, 'scheduled'));
    const pending = world.vault.newest(pendingNameOf(world.secret));
    expect(pending.contentType).toBe('application/json');
    expect(pending.expiresAt).toEqual(new Date(world.vault.now.getTime() + 90 * dayMs));
  });

  test.each(['ConnectionStrings--Orders', 'a--', '--a', 'a---b', `${'x-'.repeat(63)}-`])(
    'of %s is no child of its key for the configuration provider of .NET',
    (name) => {
      const key = (of: string): string => of.replaceAll('--', ':').toLowerCase();
      expect(key(pendingNameOf(name)).startsWith(`${key(name)}:`)).toBe(false);
      expect(key(pendingNameOf(name))).not.toContain(':');
    },
  );
});

test.each(['publish', 'end of a predecessor that the value carries'])(
  'the %s waits for the next second of the vault when the current version was changed in this one',
  async (which) => {
    const world = makeWorld(which === 'publish' ? 'alternating-users' : 'self-issued');
    const { vault, secret } = world;
    const waited: number[] = [];
    const wait = async (ms: number) => void waited.push(ms);
    const before = vault.newest(secret);
    before.updatedAt = new Date(vault.now.getTime() - 5_000);
    await rotate({ ...world.deps(), wait }, request(world, 'scheduled'));
    expect(waited, 'it was changed long ago').toEqual([]);
    if (which === 'publish') {
      vault.now = new Date(vault.now.getTime() + 30 * dayMs);
      vault.newest(secret).updatedAt = vault.now;
      await rotate({ ...world.deps(), wait }, request(world, 'asked', { rotationId: ids.asked }));
    } else {
      const { rotationId = '' } = readStamp(vault.newest(secret).tags) ?? {};
      await retire(
        { ...world.deps(), wait },
        { vault: vault.name, secret, rotationId, mode: 'emergency', requestedBy: 'ann' },
      );
    }
    expect(waited).toEqual([1_000]);
  },
);

describe('a version of somebody else', () => {
  /** Somebody publishes just before that call of ours. */
  function publishing(world: World, before: 'write' | 'versions'): { readonly vault: Vault; version: string } {
    const { vault, secret } = world;
    const state = { vault: vault as Vault, version: '' };
    const real = { write: vault.write.bind(vault), versions: vault.versions.bind(vault) };
    const publish = (): void => {
      if (state.version !== '') return;
      vault.now = new Date(vault.now.getTime() + 2_000);
      const { value, tags } = vault.newest(secret);
      state.version = vault.put(secret, { value, tags: { rotator: tags['rotator'] ?? '' } });
      vault.now = new Date(vault.now.getTime() + 2_000);
    };
    if (before === 'write') {
      vault.write = async (...args) => {
        publish();
        return real.write(...args);
      };
    } else {
      vault.versions = async (...args) => {
        publish();
        return real.versions(...args);
      };
    }
    return state;
  }

  test('published between the read and the publish is named, not buried in silence', async () => {
    const world = makeWorld('alternating-users');
    const theirs = publishing(world, 'write');
    const result = await rotate(world.deps(), request(world, 'scheduled'));
    expect(result.kind).toBe('rotated');
    const warnings = result.kind === 'rotated' ? result.warnings : [];
    expect(warnings.join()).toContain(theirs.version);
    expect(world.published.map(({ published }) => published.warnings)).toEqual([warnings]);
  });

  test('published right after ours is said, with the version of ours that it has replaced', async () => {
    const world = makeWorld('alternating-users');
    const theirs = publishing(world, 'versions');
    const result = await rotate(world.deps(), request(world, 'scheduled'));
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'newer-version' } });
    expect(result.kind === 'failed' && result.failure.message).toContain(theirs.version);
    const ours = world.vault.secrets.get(world.secret)?.[1]?.version ?? 'none';
    expect(result.kind === 'failed' && result.failure.message).toContain(ours);
  });
});

describe('a wake-up', () => {
  test('is set before the target is changed, and taken back when the worker comes back', async () => {
    const world = makeWorld('single-user');
    const { made, deps } = calls(world);
    await rotate(deps, request(world, 'scheduled'));
    expect(made.indexOf('wakeUps.put')).toBeGreaterThan(-1);
    expect(made.indexOf('wakeUps.put')).toBeLessThan(made.indexOf('rotator.apply'));
    expect(world.wakeUps).toEqual([]);
  });

  test('stays where the worker dies, and finishes what it began', async () => {
    const world = makeWorld('single-user');
    await dieAfter(world, 'rotator.apply', request(world, 'scheduled', { version: world.firstVersion }));
    const [left] = world.wakeUps;
    if (left === undefined) throw new Error('no wake-up');
    expect(await rotate(world.deps(), left)).toMatchObject({ kind: 'rotated' });
    expect(world.target.accepts(world.current())).toBe(true);
  });

  test('is not held back by a pause that came after what it finishes was asked for', async () => {
    const world = makeWorld('single-user');
    const askedAt = new Date(world.vault.now.getTime() - 60_000).toISOString();
    await dieAfter(world, 'rotator.apply', request(world, 'asked', { rotationId: ids.asked, askedAt }));
    const [left] = world.wakeUps;
    if (left === undefined) throw new Error('no wake-up');
    const newest = world.vault.newest(world.secret);
    newest.tags = withRequested(newest.tags, { paused: { by: 'key:ops', at: world.vault.now } });
    expect(await rotate(world.deps(), left)).toMatchObject({ kind: 'rotated' });
    expect(world.target.accepts(world.current())).toBe(true);
  });

  test('that cannot be set changes nothing', async () => {
    const world = makeWorld('single-user');
    const { failure } = await import('../../shared/errors.ts');
    const lost = failure('storage-unreachable', { secret: world.secret, detail: 'queue' });
    const deps = { ...world.deps(), wakeUps: { set: async () => lost, setForEnd: async () => lost } };
    expect(await rotate(deps, request(world, 'scheduled'))).toMatchObject({ failure: { code: 'storage-unreachable' } });
    expect(world.target.touched).toEqual([]);
  });
});

test('what the target took and no version holds is said of the attempt that failed', async () => {
  const world = makeWorld('alternating-users');
  const { failure } = await import('../../shared/errors.ts');
  const away = failure('vault-unreachable', { secret: world.secret, vault: world.vault.name, detail: 'cut' });
  world.vault.write = async () => away;
  expect(await rotate(world.deps(), request(world, 'scheduled'))).toMatchObject({ kind: 'failed', unpublished: true });
});
