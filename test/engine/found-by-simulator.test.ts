/** What the simulator found in the engine, each as the shortest story that shows it. */
import { describe, expect, test } from 'vitest';
import type { VerifyOutcome } from '../../shared/contract/rotator.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { versionMeant } from '../../shared/engine/policy/current.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readRequested } from '../../shared/engine/policy/requested.ts';
import { answers, readStamp, revokedOf } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { judge } from '../../shared/engine/sweep/judge.ts';
import { Crash, dayMs, makeWorld, type World } from './world.ts';

const id = (letter: string): string => letter.repeat(32);

function ask(world: World, mode: RotationRequest['mode'], rotationId: string, more: Partial<RotationRequest> = {}) {
  const { vault, secret } = world;
  vault.now = new Date(vault.now.getTime() + 60_000);
  return rotate(world.deps(), { vault: vault.name, secret, mode, rotationId, requestedBy: 'ann', ...more });
}

/** Somebody saves the current value once more. */
function saveByHand({ vault, secret }: World): string {
  const { value, tags, contentType } = vault.newest(secret);
  return vault.put(secret, { value, tags, ...(contentType === undefined ? {} : { contentType }) });
}

test('alternating-users: an emergency ends the sessions of a leaked password two rotations back, whose login has another one by now', async () => {
  const world = makeWorld('alternating-users');
  world.target.sessions = [{ login: 'app', password: world.firstPassword }];
  await ask(world, 'asked', id('1'));
  expect(await ask(world, 'emergency', id('2'))).toMatchObject({ kind: 'rotated' });
  expect(world.target.sessions).toEqual([]);
  expect(world.target.accepts(world.current()), 'the current version').toBe(true);
});

test('alternating-users: an intruder who holds every connection and comes back when cut does not get in again', async () => {
  const world = makeWorld('alternating-users');
  const { target, firstPassword } = world;
  target.sessions = [{ login: 'app', password: firstPassword }];
  target.mostSessions = 1;
  target.ended = (session) => {
    if (target.logins.get('app')?.has(session.password)) target.sessions.push(session);
  };
  expect(await ask(world, 'emergency', id('1'))).toMatchObject({ kind: 'rotated' });
  expect(target.sessions).toEqual([]);
});

describe('an emergency that could not end every session', () => {
  async function halfDone(): Promise<World> {
    const world = makeWorld('dual-password');
    world.target.sessions = [{ login: 'app', password: world.firstPassword }];
    world.target.protectedSessions = 1;
    expect(await ask(world, 'emergency', id('1'))).toMatchObject({ failure: { code: 'sessions-open' } });
    return world;
  }

  test('stays one for what is rotated after it: the sessions end and the version is marked', async () => {
    const world = await halfDone();
    expect(await ask(world, 'asked', id('2'))).toMatchObject({ kind: 'rotated' });
    world.target.protectedSessions = 0;
    const { rotationId = '' } = readStamp(world.vault.newest(world.secret).tags) ?? {};
    world.vault.now = new Date(world.vault.now.getTime() + 2 * 86_400_000);
    const request = { vault: world.vault.name, secret: world.secret, rotationId, requestedBy: 'overlap' };
    expect(await retire(world.deps(), { ...request, mode: 'scheduled' })).toMatchObject({ kind: 'retired' });
    expect(world.target.sessions).toEqual([]);
    const leaked = world.vault.secrets.get(world.secret)?.[0];
    expect(revokedOf(leaked?.tags ?? {})?.by).toBe('ann');
  });

  test('is finished before a roll-back, which then finds the credential revoked', async () => {
    const world = await halfDone();
    expect(await ask(world, 'roll-back', id('2'))).toMatchObject({ failure: { code: 'sessions-open' } });
    world.target.protectedSessions = 0;
    expect(await ask(world, 'roll-back', id('3'))).toMatchObject({ failure: { code: 'credential-revoked' } });
    expect(world.target.sessions).toEqual([]);
  });
});

test('an emergency that stands in the tags is not taken for the unfinished one before it', async () => {
  const world = makeWorld('alternating-users');
  await ask(world, 'asked', id('1'));
  const dying = world.deps();
  const vault = Object.create(world.vault, {
    read: { value: world.vault.read.bind(world.vault) },
    versions: { value: world.vault.versions.bind(world.vault) },
    change: {
      value: async (...args: Parameters<World['vault']['change']>) => {
        await world.vault.change(...args);
        throw new Crash();
      },
    },
  });
  const { secret } = world;
  const emergency = {
    vault: world.vault.name,
    secret,
    mode: 'emergency' as const,
    rotationId: id('2'),
    requestedBy: 'ann',
  };
  await expect(rotate({ ...dying, vaults: new Map([['contoso-kv', vault]]) }, emergency)).rejects.toThrow(Crash);
  world.leases.expire();
  const leaked = world.current();
  world.target.down = true;
  const forced = {
    vault: world.vault.name,
    secret,
    rotationId: id('1'),
    mode: 'emergency' as const,
    requestedBy: 'ann',
  };
  expect(await retire(world.deps(), forced)).toMatchObject({ kind: 'failed' });
  world.target.down = false;
  expect(await rotate(world.deps(), emergency)).toMatchObject({ kind: 'rotated', reason: 'emergency' });
  expect(world.target.accepts(leaked)).toBe(false);
});

test('dual-password: whoever holds every connection with the current password does not hold up its emergency by that of the one before', async () => {
  const world = makeWorld('dual-password');
  const { target, vault, secret } = world;
  await ask(world, 'asked', id('1'));
  const leaked = world.current();
  target.sessions = [{ login: 'app', password: leaked.password.reveal() }];
  target.mostSessions = 1;
  target.ended = (session) => {
    if (target.logins.get('app')?.has(session.password)) target.sessions.push(session);
  };
  const about = { vault: vault.name, secret, rotationId: id('1'), mode: 'emergency' as const, requestedBy: 'ann' };
  expect(await retire(world.deps(), about)).toMatchObject({ kind: 'failed', failure: { code: 'target-unreachable' } });
  expect(await ask(world, 'emergency', id('2'))).toMatchObject({ kind: 'rotated', reason: 'emergency' });
  expect(target.accepts(leaked)).toBe(false);
  expect(target.sessions).toEqual([]);
});

test('single-user: an emergency that could not end every session is not forgotten by what is forced after it', async () => {
  const world = makeWorld('single-user');
  const { target, vault, secret } = world;
  target.sessions = [{ login: 'app', password: world.firstPassword }];
  target.protectedSessions = 1;
  expect(await ask(world, 'emergency', id('1'))).toMatchObject({ failure: { code: 'sessions-open' } });
  expect(await ask(world, 'forced', id('2'))).toMatchObject({ kind: 'rotated' });
  target.protectedSessions = 0;
  const about = { vault: vault.name, secret, rotationId: id('2'), mode: 'scheduled' as const, requestedBy: 'overlap' };
  expect(await retire(world.deps(), about)).toMatchObject({ kind: 'retired' });
  expect(target.sessions).toEqual([]);
});

test.each(['dual-password', 'alternating-users'] as const)(
  '%s: a candidate that the target took and then refused is ended again, and the published one goes on',
  async (strategy) => {
    const world = makeWorld(strategy);
    const { rotator, target } = world;
    const verify = rotator.verify.bind(rotator);
    rotator.verify = async (step, credential) =>
      credential.password.reveal() === world.firstPassword
        ? verify(step, credential)
        : { kind: 'refused', detail: 'an old copy of the login' };
    expect(await ask(world, 'asked', id('1'))).toMatchObject({ failure: { code: 'candidate-refused' } });
    expect([...target.logins.values()].flatMap((passwords) => [...passwords])).toEqual([world.firstPassword]);
  },
);

describe('a roll-back', () => {
  test('to a version that holds the current credential is refused: there is nothing to go back to', async () => {
    const world = makeWorld('dual-password');
    const same = world.firstVersion;
    saveByHand(world);
    expect(await ask(world, 'roll-back', id('1'), { to: same })).toMatchObject({
      failure: { code: 'roll-back-impossible' },
    });
  });

  test('alternating-users: that would replace the password of the login in use is refused, and the current version goes on', async () => {
    const world = makeWorld('alternating-users');
    await ask(world, 'asked', id('1'));
    world.vault.now = new Date(world.vault.now.getTime() + 2 * 86_400_000);
    await ask(world, 'asked', id('2'));
    const result = await ask(world, 'roll-back', id('3'), { to: world.firstVersion, force: true });
    expect(result).toMatchObject({ failure: { code: 'roll-back-impossible' } });
    expect(world.target.accepts(world.current())).toBe(true);
  });
});

describe('a version of somebody else', () => {
  test('made in the same second as the one that was read is named when it is replaced', async () => {
    const world = makeWorld('dual-password');
    const { vault, secret } = world;
    let theirs = '';
    vault.now = new Date(vault.now.getTime() + 60_000);
    saveByHand(world);
    const apply = world.rotator.apply.bind(world.rotator);
    world.rotator.apply = (...args) => {
      theirs ||= saveByHand(world);
      return apply(...args);
    };
    const asked = { vault: vault.name, secret, mode: 'asked' as const, rotationId: id('1'), requestedBy: 'ann' };
    const result = await rotate(world.deps(), asked);
    expect(theirs).not.toBe('');
    expect(result.kind === 'rotated' ? result.warnings.join() : '').toContain(theirs);
  });

  test('that was replaced by a worker which died before saying so is named by whoever comes next', async () => {
    const world = makeWorld('dual-password');
    const { vault, secret } = world;
    const apply = world.rotator.apply.bind(world.rotator);
    let theirs = '';
    world.rotator.apply = (...args) => {
      vault.now = new Date(vault.now.getTime() + 2_000);
      theirs ||= saveByHand(world);
      return apply(...args);
    };
    const request = { vault: vault.name, secret, mode: 'asked' as const, rotationId: id('1'), requestedBy: 'ann' };
    const dying = world.deps();
    const followUps = { ...dying.followUps, published: () => Promise.reject(new Crash()) };
    await expect(rotate({ ...dying, followUps }, request)).rejects.toThrow(Crash);
    world.leases.expire();
    const result = await rotate(world.deps(), request);
    expect(result.kind === 'rotated' ? result.warnings.join() : '').toContain(theirs);
  });
});

test('a version of somebody else that was replaced by a rotation which nobody was told of is named by the next one', async () => {
  const world = makeWorld('dual-password');
  const { vault, secret } = world;
  const apply = world.rotator.apply.bind(world.rotator);
  let theirs = '';
  world.rotator.apply = (...args) => {
    vault.now = new Date(vault.now.getTime() + 2_000);
    theirs ||= saveByHand(world);
    vault.now = new Date(vault.now.getTime() + 2_000);
    return apply(...args);
  };
  const dying = world.deps();
  const followUps = { ...dying.followUps, published: () => Promise.reject(new Crash()) };
  const request = { vault: vault.name, secret, mode: 'asked' as const, rotationId: id('1'), requestedBy: 'ann' };
  await expect(rotate({ ...dying, followUps }, request)).rejects.toThrow(Crash);
  world.leases.expire();
  vault.now = new Date(vault.now.getTime() + 2 * 86_400_000);
  const [next, later] = [await ask(world, 'emergency', id('2')), await ask(world, 'emergency', id('3'))];
  expect(next.kind === 'rotated' ? next.warnings.join() : '').toContain(theirs);
  expect(later.kind === 'rotated' ? later.warnings : undefined).toEqual([]);
});

test('a message of the sweep that comes again after its worker died tells what nobody was told', async () => {
  const world = makeWorld('dual-password');
  const { vault, secret, published } = world;
  const dying = world.deps();
  const followUps = { ...dying.followUps, published: () => Promise.reject(new Crash()) };
  const sweeps = { vault: vault.name, secret, mode: 'scheduled' as const, requestedBy: 'sweep' };
  await expect(rotate({ ...dying, followUps }, sweeps)).rejects.toThrow(Crash);
  world.leases.expire();
  const made = vault.newest(secret);
  const { rotationId } = readStamp(made.tags) ?? {};
  expect(await rotate(world.deps(), sweeps)).toMatchObject({ kind: 'rotated', rotationId, to: made.version });
  expect(published.map((one) => one.published.to)).toEqual([made.version]);
  expect(await rotate(world.deps(), sweeps)).toMatchObject({ kind: 'skipped' });
});

test('single-user: a wake-up finishes what was stored although somebody else published meanwhile', async () => {
  const world = makeWorld('single-user');
  const { vault, secret, firstVersion } = world;
  const verify = world.rotator.verify.bind(world.rotator);
  world.rotator.verify = async (step, credential) => {
    if (credential.password.reveal() !== world.firstPassword) throw new Crash();
    return verify(step, credential);
  };
  const dying = { vault: vault.name, secret, mode: 'scheduled' as const, version: firstVersion, requestedBy: 'event' };
  const wakeUps: RotationRequest[] = [];
  const keeping = async (request: RotationRequest) => {
    wakeUps.push(request);
    return { kind: 'set' as const, withdraw: async () => undefined };
  };
  const deps = world.deps();
  await expect(rotate({ ...deps, wakeUps: { ...deps.wakeUps, set: keeping } }, dying)).rejects.toThrow(Crash);
  world.rotator.verify = verify;
  world.leases.expire();
  vault.now = new Date(vault.now.getTime() + 60_000);
  saveByHand(world);
  const [left] = wakeUps;
  if (left === undefined) throw new Error('no wake-up');
  expect(await rotate(world.deps(), left)).toMatchObject({ kind: 'rotated' });
  expect(world.target.accepts(world.current())).toBe(true);
});

describe('a candidate that was published, and left open by a worker that died', () => {
  /** The version of the request 1, with its candidate still enabled. */
  async function leftOpen(strategy: Strategy): Promise<World> {
    const world = makeWorld(strategy);
    const { vault, secret } = world;
    const dying = world.deps();
    const followUps = { ...dying.followUps, published: () => Promise.reject(new Crash()) };
    const request = { vault: vault.name, secret, mode: 'asked' as const, rotationId: id('1'), requestedBy: 'ann' };
    await expect(rotate({ ...dying, followUps }, request)).rejects.toThrow(Crash);
    world.leases.expire();
    return world;
  }

  /** The next login gets another answer than it should. */
  function misleadOnce({ rotator }: World, answer: VerifyOutcome): void {
    const verify = rotator.verify.bind(rotator);
    let first: VerifyOutcome | undefined = answer;
    rotator.verify = async (...args) => {
      const misled = first;
      first = undefined;
      return misled ?? verify(...args);
    };
  }

  function expectOneAnswer({ vault, secret }: World, rotationId: string): void {
    const answering = (vault.secrets.get(secret) ?? []).filter(({ tags }) => answers(readStamp(tags), rotationId));
    expect(answering, `versions that answer ${rotationId}`).toHaveLength(1);
  }

  test('issue-revoke: is not published once more by an emergency that could not ask about the leaked key', async () => {
    const world = await leftOpen('issue-revoke');
    const leaked = world.current();
    misleadOnce(world, { kind: 'unreachable', detail: 'connection cut' });
    expect(await ask(world, 'emergency', id('2'))).toMatchObject({ kind: 'rotated', reason: 'emergency' });
    expectOneAnswer(world, id('1'));
    expect(world.target.accepts(leaked), 'the leaked key').toBe(false);
    expect(world.target.accepts(world.current()), 'the current key').toBe(true);
  });

  test('single-user: is not published once more for its request where the target went by an old copy of the login', async () => {
    const world = await leftOpen('single-user');
    const before = world.current();
    saveByHand(world);
    misleadOnce(world, { kind: 'refused', detail: 'an old copy of the login' });
    expect(await ask(world, 'asked', id('2'))).toMatchObject({ kind: 'rotated' });
    const { tags } = world.vault.newest(world.secret);
    expect(readStamp(tags)?.rotationId).toBe(id('2'));
    expect(world.current().password.equals(before.password), 'the same password').toBe(false);
  });

  test('single-user: is where a target stands that was restored from a copy, and is published for nobody', async () => {
    const world = await leftOpen('single-user');
    const restored = world.current().password.reveal();
    world.vault.now = new Date(world.vault.now.getTime() + 60_000);
    expect(await ask(world, 'asked', id('2'))).toMatchObject({ kind: 'rotated' });
    world.target.set('app', [restored]);
    expect(await ask(world, 'asked', id('3'))).toMatchObject({ kind: 'rotated' });
    expectOneAnswer(world, id('1'));
    expect(world.target.accepts(world.current()), 'the current version').toBe(true);
  });
});

test('single-user: a candidate that somebody overtook is thrown away only once the published password certainly logs in', async () => {
  const world = makeWorld('single-user');
  const { vault, secret, target, rotator } = world;
  const verify = rotator.verify.bind(rotator);
  rotator.verify = async (step, credential) => {
    if (credential.password.reveal() !== world.firstPassword) throw new Crash();
    return verify(step, credential);
  };
  // The login is asked about once more by what the target knew before the candidate.
  target.cachedAnswers = 1;
  const about = { vault: vault.name, secret, requestedBy: 'sweep' };
  await expect(rotate(world.deps(), { ...about, mode: 'scheduled' })).rejects.toThrow(Crash);
  rotator.verify = verify;
  world.leases.expire();
  saveByHand(world);
  expect(target.accepts(world.current()), 'the published password, before').toBe(false);
  expect(await rotate(world.deps(), { ...about, mode: 'resume' })).toMatchObject({ kind: 'skipped' });
  expect(target.accepts(world.current()), 'the published password').toBe(true);
});

/** Ends what is to end by now, as the sweep asks for it. */
function retireNow(world: World, rotationId: string, mode: 'scheduled' | 'emergency' = 'scheduled') {
  const { vault, secret } = world;
  return retire(world.deps(), { vault: vault.name, secret, rotationId, mode, requestedBy: 'ann' });
}

function later({ vault }: World): void {
  vault.now = new Date(vault.now.getTime() + 2 * dayMs);
}

function markOf({ vault, secret }: World, version: string) {
  return revokedOf(vault.secrets.get(secret)?.find((each) => each.version === version)?.tags ?? {});
}

describe('an emergency that is met when another version is current', () => {
  const withSessions: readonly Strategy[] = ['single-user', 'alternating-users', 'dual-password'];

  describe.each(withSessions)('%s', (strategy) => {
    async function replaced(times: 1 | 2): Promise<World> {
      const world = makeWorld(strategy);
      world.target.sessions = [{ login: 'app', password: world.firstPassword }];
      for (const letter of ['1', '2'].slice(0, times)) {
        await ask(world, 'asked', id(letter));
        later(world);
        await retireNow(world, id(letter));
      }
      return world;
    }

    test.each([1, 2] as const)(
      'ends the sessions of the version that it names, replaced %s rotations ago and retired in peace, and makes no version',
      async (times) => {
        const world = await replaced(times);
        const { firstVersion: version, vault, secret, target } = world;
        const [count, current] = [vault.count(secret), world.current()];
        expect(target.sessions, 'before').toHaveLength(1);
        const met = await ask(world, 'emergency', id('e'), { version });
        expect(met).toMatchObject({ kind: 'rotated', from: version, to: vault.newest(secret).version });
        expect(target.sessions).toEqual([]);
        expect(markOf(world, version)?.by).toBe('ann');
        expect(vault.count(secret), 'versions').toBe(count);
        expect(target.accepts(current), 'the current version').toBe(true);
        expect(await ask(world, 'emergency', id('e'), { version })).toMatchObject({ kind: 'rotated', found: 'seen' });
        expect(vault.count(secret), 'versions, after a duplicate').toBe(count);
      },
    );

    test('whose message and storage are lost half-way is found and finished by the sweep', async () => {
      const world = await replaced(2);
      const { firstVersion: version, vault, secret, target } = world;
      target.protectedSessions = 1;
      expect(await ask(world, 'emergency', id('e'), { version })).toMatchObject({ failure: { code: 'sessions-open' } });
      target.protectedSessions = 0;
      const { version: _unknown, ...properties } = { name: secret, ...vault.newest(secret) };
      const finding = judge(world.deps(), properties, vault.now);
      expect(finding).toMatchObject({ kind: 'emergency', rotationId: id('e'), by: 'ann', version });
      expect(await ask(world, 'emergency', id('e'), { version, requestedBy: 'sweep' })).toMatchObject({
        kind: 'rotated',
      });
      expect(target.sessions).toEqual([]);
      expect(readRequested(vault.newest(secret).tags)).toEqual({});
      expect(markOf(world, version)?.by).toBe('ann');
    });
  });

  test('of somebody else who saved the same value once more: that one leaked too, whatever was forced meanwhile', async () => {
    const world = makeWorld('single-user');
    await ask(world, 'asked', id('1'));
    const { version } = world.vault.newest(world.secret);
    const leaked = world.current();
    world.target.sessions = [{ login: 'app', password: leaked.password.reveal() }];
    world.target.down = true;
    expect(await retireNow(world, id('1'), 'emergency')).toMatchObject({ kind: 'failed' });
    world.target.down = false;
    saveByHand(world);
    expect(await ask(world, 'emergency', id('e'), { version })).toMatchObject({ kind: 'rotated', reason: 'emergency' });
    expect(world.target.accepts(leaked), 'the leaked password').toBe(false);
    expect(world.target.sessions).toEqual([]);
  });

  test('is finished by whoever asks again, without another version', async () => {
    const world = makeWorld('dual-password');
    const { firstVersion: version, target, vault, secret } = world;
    target.sessions = [{ login: 'app', password: world.firstPassword }];
    await ask(world, 'asked', id('1'));
    target.protectedSessions = 1;
    expect(await ask(world, 'emergency', id('e'), { version })).toMatchObject({ failure: { code: 'sessions-open' } });
    target.protectedSessions = 0;
    const { tags, version: current } = vault.newest(secret);
    const meant = versionMeant({ version: current, stamp: readStamp(tags), requested: readRequested(tags) });
    expect(meant, 'what an emergency means now').toBe(version);
    expect(await ask(world, 'emergency', id('f'), { version: meant })).toMatchObject({ kind: 'rotated' });
    expect(target.sessions).toEqual([]);
    expect(vault.count(secret), 'versions').toBe(2);
  });
});

describe('a forced retirement', () => {
  test('whose rotation was replaced before anybody got to it revokes and marks what it meant', async () => {
    const world = makeWorld('single-user');
    world.target.sessions = [{ login: 'app', password: world.firstPassword }];
    await ask(world, 'asked', id('1'));
    await ask(world, 'asked', id('2'));
    expect(await retireNow(world, id('1'), 'emergency')).toMatchObject({ kind: 'retired', evidence: 'emergency' });
    expect(world.target.sessions).toEqual([]);
    expect(markOf(world, world.firstVersion)?.by).toBe('ann');
    expect(await retireNow(world, id('1'), 'emergency')).toMatchObject({ kind: 'skipped', reason: 'already-retired' });
  });

  test('of a credential that somebody has published again is refused, and calls nothing revoked', async () => {
    const world = makeWorld('dual-password');
    const { vault, secret } = world;
    const { value } = vault.newest(secret);
    await ask(world, 'asked', id('1'));
    vault.put(secret, { ...vault.newest(secret), value });
    expect(await retireNow(world, id('1'), 'emergency')).toMatchObject({
      kind: 'skipped',
      reason: 'nothing-to-retire',
    });
    expect(readStamp(vault.newest(secret).tags)?.revoke).toBeUndefined();
  });
});

test('dual-password: a leaked value that somebody writes back while its emergency runs is replaced and revoked all the same', async () => {
  const world = makeWorld('dual-password');
  const { vault, secret, target } = world;
  const { value } = vault.newest(secret);
  const leaked = world.current();
  target.sessions = [{ login: 'app', password: world.firstPassword }];
  target.protectedSessions = 1;
  expect(await ask(world, 'emergency', id('e'))).toMatchObject({ failure: { code: 'sessions-open' } });
  target.protectedSessions = 0;
  target.set('app', [world.current().password.reveal(), world.firstPassword]);
  vault.put(secret, { ...vault.newest(secret), value });
  expect(await retireNow(world, id('e'))).toMatchObject({ kind: 'retired', logins: [] });
  later(world);
  expect(await ask(world, 'resume', id('r'))).toMatchObject({ kind: 'rotated', reason: 'emergency' });
  expect(target.accepts(leaked), 'the leaked password').toBe(false);
  expect(target.sessions).toEqual([]);
});

test('single-user: a stored roll-back to what was revoked meanwhile is thrown away, also where the target has taken it', async () => {
  const world = makeWorld('single-user');
  const { vault, secret, target, rotator, firstVersion } = world;
  await ask(world, 'asked', id('1'));
  const verify = rotator.verify.bind(rotator);
  let asked = 0;
  rotator.verify = async (...args) => {
    if (++asked > 1) throw new Crash();
    return verify(...args);
  };
  await expect(ask(world, 'roll-back', id('b'))).rejects.toThrow(Crash);
  rotator.verify = verify;
  world.leases.expire();
  expect(await retireNow(world, id('1'), 'emergency')).toMatchObject({ kind: 'retired' });
  expect(markOf(world, firstVersion)?.by).toBe('ann');
  expect(await ask(world, 'resume', id('r'))).toMatchObject({ kind: 'skipped' });
  expect(target.logins.get('app')).toEqual(new Set([world.current().password.reveal()]));
  expect(vault.newest(pendingNameOf(secret)).enabled, 'the candidate').toBe(false);
});

test('a version of somebody else that a rotation before replaced in silence is named by whoever finds the next one made', async () => {
  const world = makeWorld('dual-password');
  const { vault, secret } = world;
  const apply = world.rotator.apply.bind(world.rotator);
  let theirs = '';
  world.rotator.apply = (...args) => {
    vault.now = new Date(vault.now.getTime() + 2_000);
    theirs ||= saveByHand(world);
    vault.now = new Date(vault.now.getTime() + 2_000);
    return apply(...args);
  };
  const dying = world.deps();
  const silent = { ...dying, followUps: { ...dying.followUps, published: () => Promise.reject(new Crash()) } };
  const about = { vault: vault.name, secret, requestedBy: 'ann' };
  await expect(rotate(silent, { ...about, mode: 'asked', rotationId: id('1') })).rejects.toThrow(Crash);
  world.leases.expire();
  later(world);
  await expect(rotate(silent, { ...about, mode: 'emergency', rotationId: id('2') })).rejects.toThrow(Crash);
  world.leases.expire();
  const found = await rotate(world.deps(), { ...about, mode: 'emergency', rotationId: id('2') });
  expect(found.kind === 'rotated' ? found.warnings.join() : '').toContain(theirs);
});
