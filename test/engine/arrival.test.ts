/** A version of somebody else: proven at once, adopted or told, and the way back. */
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import { readRequested, withRequested } from '../../shared/engine/policy/requested.ts';
import { isRetirementOpen, readStamp, stampTag } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { adopt } from '../../shared/operations/adopt.ts';
import { performArrival } from '../../shared/operations/arrival.ts';
import { plan } from '../../shared/operations/inspect.ts';
import { rotationsQueue } from '../../shared/operations/queues.ts';
import { rememberedVersions } from '../../shared/operations/seen-versions.ts';
import { type Around, around, notices, pass, requested, rotationId, troubleOf } from './around.ts';
import { MemoryIrregularities, MemoryToldBefore } from './kept.ts';
import { credentialIn, dayMs } from './world.ts';

const signal = new AbortController().signal;

function arrive(it: Around, version = newest(it).version, seenVersions = rememberedVersions()) {
  const { vault, secret } = it.world;
  return performArrival({ ...it.deps, ...besides(it), seenVersions }, { vault: vault.name, secret, version }, signal);
}

const kept = new WeakMap<Around, { irregularities: MemoryIrregularities; toldBefore: MemoryToldBefore }>();

function besides(it: Around) {
  const known = kept.get(it) ?? { irregularities: new MemoryIrregularities(), toldBefore: new MemoryToldBefore() };
  kept.set(it, known);
  return known;
}

function newest(it: Around) {
  return it.world.vault.newest(it.world.secret);
}

const policyTags = (it: Around): Record<string, string> => {
  const { [stampTag]: _stamp, ...tags } = newest(it).tags;
  return tags;
};

/** Somebody publishes a value with the tags of the policy, as Terraform and careful people do. */
function write(it: Around, value: SecretText, tags = policyTags(it)): string {
  pass(it, 60_000);
  return it.world.vault.put(it.world.secret, { value, tags, contentType: 'application/json' });
}

function valueIn(it: Around, version: string): SecretText {
  const found = it.world.vault.secrets.get(it.world.secret)?.find((each) => each.version === version);
  if (found === undefined) throw new Error(`no version ${version}`);
  return found.value;
}

async function rotateOnce(it: Around) {
  expect(await requested(it, 'asked')).toMatchObject({ kind: 'rotated' });
  return newest(it).version;
}

async function endOverlap(it: Around) {
  pass(it, dayMs + 1_000);
  const { vault, secret } = it.world;
  const { rotationId: id = '' } = readStamp(newest(it).tags) ?? {};
  return retire(it.deps.engine, {
    vault: vault.name,
    secret,
    rotationId: id,
    mode: 'scheduled',
    requestedBy: 'overlap',
  });
}

/** Calls of the vault and logins at the target from here on. */
function counting(it: Around) {
  const calls: string[] = [];
  const note = (port: object, names: readonly string[], kind: string): void => {
    for (const name of names) {
      const real: unknown = Reflect.get(port, name);
      if (typeof real !== 'function') throw new Error(`no ${name}`);
      Reflect.set(port, name, (...given: unknown[]) => {
        calls.push(`${kind}.${name}`);
        return Reflect.apply(real, port, given);
      });
    }
  };
  note(it.world.vault, ['read', 'write', 'change', 'versions'], 'vault');
  note(it.world.rotator, ['verify', 'apply', 'retire', 'inUse'], 'rotator');
  note(it.world.leases, ['acquire'], 'leases');
  return calls;
}

describe('a version that Keyturn published', () => {
  test('costs one read of the vault, no lease and no login; a duplicate of its event costs nothing', async () => {
    const it = around();
    await rotateOnce(it);
    const calls = counting(it);
    const seen = rememberedVersions();
    expect(await arrive(it, undefined, seen)).toEqual({ kind: 'ours' });
    expect(calls).toEqual(['vault.versions']);
    expect(await arrive(it, undefined, seen)).toEqual({ kind: 'known' });
    expect(calls).toHaveLength(1);
  });

  test('is Keyturn’s for every strategy', async () => {
    for (const strategy of strategies) {
      const it = around({}, strategy);
      await rotateOnce(it);
      expect(await arrive(it), strategy).toEqual({ kind: 'ours' });
    }
  });
});

describe.each(strategies.filter((strategy) => strategyTraits[strategy].hasTarget))(
  '%s: a version of somebody else',
  (strategy) => {
    test('that logs in is adopted, and nobody is told of anything', async () => {
      const it = around({ notify: 'ops' }, strategy);
      const version = await rotateOnce(it);
      it.messages.length = 0;
      write(it, valueIn(it, version));
      expect(await arrive(it)).toEqual({ kind: 'adopted' });
      expect(it.messages).toEqual([]);
      expect(troubleOf(it)).toEqual({ kind: 'trouble' });
    });

    test('that is refused is tried with one login, as servers that lock accounts count them', async () => {
      const it = around({}, strategy);
      const text = newest(it).value.reveal().replace(it.world.firstPassword, 'typed-wrong');
      write(it, new SecretText(text));
      const calls = counting(it);
      expect(await arrive(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
      expect(calls.filter((call) => call === 'rotator.verify')).toHaveLength(1);
    });

    test('that writes a retired credential back is told as drifted, with the version that it repeats', async () => {
      const it = around({ notify: 'ops' }, strategy);
      const first = newest(it).version;
      await rotateOnce(it);
      if (strategyTraits[strategy].oldLives) expect(await endOverlap(it)).toMatchObject({ kind: 'retired' });
      it.messages.length = 0;
      const version = write(it, valueIn(it, first));
      expect(await arrive(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
      const [notice] = notices(it);
      expect(notice).toMatchObject({ type: 'drifted', version, channels: ['ops'] });
      expect(notice?.failure?.message).toContain('not made by Keyturn');
      expect(notice?.failure?.message).toContain(`the credential of version ${first} again`);
      expect(notice?.failure?.hint).toContain('keyturn repair orders-db');
      expect(troubleOf(it)).toMatchObject({ check: { last: { code: 'credential-drifted' } } });
      const old = it.world.vault.secrets.get(it.world.secret)?.[0];
      expect(old?.enabled, 'an old version that was retired').toBe(!strategyTraits[strategy].oldLives);
    });

    test('that does not log in is repaired: the last version that does is published again, and the drift is over', async () => {
      const it = around({}, strategy);
      const first = newest(it).version;
      const good = await rotateOnce(it);
      if (strategyTraits[strategy].oldLives) await endOverlap(it);
      write(it, valueIn(it, first));
      await arrive(it);
      pass(it, 60_000);
      const touched = it.world.target.touched.length;
      const { vault, secret } = it.world;
      const seen = await plan(it.deps.engine, vault, { secret, mode: 'repair' }, signal);
      expect(seen).toMatchObject({ kind: 'plan', decision: { kind: 'due', reason: 'repaired' } });
      const said = seen.kind === 'plan' ? seen.checks.map(({ detail }) => detail).join() : '';
      expect(said).toContain(`to version ${good}`);
      const done = await requested(it, 'repair', { rotationId: '2'.repeat(32) });
      expect(done).toMatchObject({ kind: 'rotated', reason: 'repaired' });
      expect(newest(it).value.reveal()).toBe(valueIn(it, good).reveal());
      expect(it.world.target.accepts(it.world.current())).toBe(true);
      expect(it.world.target.touched.length, 'nothing is changed at the target').toBe(touched);
      expect(troubleOf(it)).toEqual({ kind: 'trouble' });
      expect(await arrive(it)).toEqual({ kind: 'ours' });
    });

    test('whose value holds no credential at all is told as drifted, and repaired', async () => {
      const it = around({}, strategy);
      const good = await rotateOnce(it);
      write(it, new SecretText('DATABASE_URL=postgres://app@db/shop\nLOG=1'));
      expect(await arrive(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
      pass(it, 60_000);
      expect(await requested(it, 'repair', { rotationId: '2'.repeat(32) })).toMatchObject({ kind: 'rotated' });
      expect(newest(it).value.reveal()).toBe(valueIn(it, good).reveal());
    });
  },
);

describe('a version of somebody else', () => {
  test('that logs in holds no lease while it is proven: a rotation that begins meanwhile must not find it busy', async () => {
    const it = around();
    const version = await rotateOnce(it);
    await endOverlap(it);
    write(it, valueIn(it, version));
    const calls = counting(it);
    expect(await arrive(it)).toEqual({ kind: 'adopted' });
    expect(calls.filter((call) => call !== 'vault.read')).toEqual(['vault.versions', 'rotator.verify']);
  });

  test('is not judged in the middle of a rotation: it is looked at again in seconds', async () => {
    const it = around();
    const { leases, vault, secret } = it.world;
    write(it, new SecretText('{"username":"app","password":"half way","host":"db.contoso.test"}'));
    await leases.acquire(vault.name, secret);
    expect(await arrive(it)).toEqual({ kind: 'busy', tryAgainMs: 3_000 });
    expect(it.messages).toEqual([]);
  });

  test('is not taken for drifted where the target gives no answer', async () => {
    const it = around();
    write(it, newest(it).value);
    it.world.target.down = true;
    const seen = rememberedVersions();
    expect(await arrive(it, undefined, seen)).toMatchObject({
      kind: 'failed',
      code: 'target-unreachable',
      tryAgainMs: expect.any(Number),
    });
    expect(notices(it)).toEqual([]);
    it.world.target.down = false;
    expect(await arrive(it, undefined, seen)).toEqual({ kind: 'adopted' });
  });

  test('is tried once, however often its event comes: a login may lock after failed ones', async () => {
    const it = around();
    write(it, new SecretText('{"username":"app","password":"wrong","host":"db.contoso.test"}'));
    const seen = rememberedVersions();
    await arrive(it, undefined, seen);
    for (let again = 0; again < 4; again++) expect(await arrive(it, undefined, seen)).toEqual({ kind: 'known' });
    expect(it.world.target.failures.get('app')).toBe(1);
    expect(notices(it)).toHaveLength(1);
  });

  test('written again and again is recognised, and the hint says to stop the writer first', async () => {
    const it = around();
    const first = newest(it).version;
    await rotateOnce(it);
    await endOverlap(it);
    for (let hour = 1; hour <= 3; hour++) {
      pass(it, 3_600_000 - 120_000);
      write(it, valueIn(it, first));
      it.messages.length = 0;
      await arrive(it);
      const { message = '', hint = '' } = notices(it)[0]?.failure ?? {};
      if (hour === 1) expect(message).toContain('again');
      if (hour === 2) expect(message).toContain('written back once before');
      if (hour === 3) expect(message).toContain('written back 2 times before, the last time 60 min earlier');
      expect(hint.includes('docs/other-writers.md'), `hour ${hour}`).toBe(hour > 1);
      pass(it, 60_000);
      await requested(it, 'repair', { rotationId: `${hour}`.repeat(32).replace(/^1/, 'a') });
    }
  });

  test('is repaired without asking where the tag says so, once for all duplicates', async () => {
    const it = around({ 'on-foreign-version': 'repair' });
    const first = newest(it).version;
    const good = await rotateOnce(it);
    await endOverlap(it);
    const version = write(it, valueIn(it, first));
    it.messages.length = 0;
    await arrive(it);
    const asked = it.messages.filter(({ queue }) => queue === rotationsQueue.name);
    expect(asked).toMatchObject([{ body: { mode: 'repair', version, requestedBy: 'on-foreign-version' } }]);
    pass(it, 60_000);
    const automatic = { rotationId: undefined, version, requestedBy: 'on-foreign-version' };
    expect(await requested(it, 'repair', automatic)).toMatchObject({ kind: 'rotated' });
    expect(newest(it).value.reveal()).toBe(valueIn(it, good).reveal());
    expect(await requested(it, 'repair', automatic)).toMatchObject({ found: 'seen' });
    expect(it.world.vault.count(it.world.secret)).toBe(4);
  });

  test.each(['frozen', 'paused'])('is only told while %s, whatever the tag says', async (how) => {
    const it = around({ 'on-foreign-version': 'repair' });
    await rotateOnce(it);
    if (how === 'frozen') it.freeze = { kind: 'freeze', frozen: true, by: 'Anna' };
    else {
      const current = newest(it);
      const paused = { by: 'key:anna', at: it.world.vault.now };
      current.tags = withRequested(current.tags, { paused });
    }
    write(it, new SecretText('{"username":"app","password":"wrong","host":"db.contoso.test"}'), {
      ...{ rotator: 'memory', strategy: 'alternating-users', admin: 'orders-admin', 'on-foreign-version': 'repair' },
    });
    it.messages.length = 0;
    await arrive(it);
    const [asked] = it.messages.filter(({ queue }) => queue === rotationsQueue.name);
    if (how === 'paused') {
      expect(asked).toBeUndefined();
      expect(readRequested(newest(it).tags).paused, 'the pause goes on').toBeDefined();
    } else {
      const automatic = { rotationId: undefined, version: newest(it).version, requestedBy: 'on-foreign-version' };
      expect(await requested(it, 'repair', automatic)).toMatchObject({ kind: 'skipped', reason: 'frozen' });
    }
    expect(notices(it)).toMatchObject([{ type: 'drifted' }]);
  });
});

describe('an overlap that runs when somebody publishes', () => {
  test('is finished: the new version takes its retirement over', async () => {
    const it = around();
    const first = newest(it).version;
    const second = await rotateOnce(it);
    write(it, valueIn(it, second));
    expect(await arrive(it)).toEqual({ kind: 'adopted' });
    expect(isRetirementOpen(readStamp(newest(it).tags))).toBe(true);
    expect(await endOverlap(it)).toMatchObject({ kind: 'retired' });
    expect(it.world.target.accepts(credentialIn(valueIn(it, first)))).toBe(false);
    expect(it.world.target.accepts(it.world.current())).toBe(true);
  });

  test('is stopped where the new version publishes the credential that was to end', async () => {
    const it = around();
    const first = newest(it).version;
    await rotateOnce(it);
    write(it, valueIn(it, first));
    expect(await arrive(it)).toEqual({ kind: 'adopted' });
    pass(it, dayMs + 1_000);
    const { vault, secret } = it.world;
    await retire(it.deps.engine, { vault: vault.name, secret, rotationId, mode: 'scheduled', requestedBy: 'overlap' });
    expect(it.world.target.accepts(it.world.current())).toBe(true);
  });

  test('an emergency that stands revokes the credential before, which somebody replaced', async () => {
    const it = around();
    const second = await rotateOnce(it);
    await endOverlap(it);
    const current = newest(it);
    const emergency = { rotationId: 'e'.repeat(32), by: 'entra:ann', at: it.world.vault.now };
    current.tags = withRequested(current.tags, { emergency });
    it.world.target.set('app', ['by hand']);
    write(it, new SecretText('{"username":"app","password":"by hand","host":"db.contoso.test"}'), {
      ...{ rotator: 'memory', strategy: 'alternating-users', admin: 'orders-admin' },
    });
    expect(await arrive(it)).toEqual({ kind: 'adopted' });
    expect(readStamp(newest(it).tags)).toMatchObject({ from: second, revoke: 'entra:ann' });
    expect(await endOverlap(it)).toMatchObject({ kind: 'retired', evidence: 'emergency' });
    expect(it.world.target.accepts(credentialIn(valueIn(it, second)))).toBe(false);
    expect(it.world.target.accepts(it.world.current())).toBe(true);
  });
});

describe('a repair', () => {
  test('does nothing where the current version logs in', async () => {
    const it = around();
    expect(await requested(it, 'repair')).toMatchObject({ kind: 'skipped', reason: 'not-due' });
    expect(it.world.vault.count(it.world.secret)).toBe(1);
  });

  test('that only a tag asks for never has the admin act: it finds a version that logs in, or fails', async () => {
    const it = around({ 'on-foreign-version': 'repair' });
    it.world.target.set('app', ['changed by hand']);
    const automatic = { rotationId: undefined, version: newest(it).version, requestedBy: 'on-foreign-version' };
    expect(await requested(it, 'repair', automatic)).toMatchObject({ failure: { code: 'no-live-credential' } });
    expect(it.world.target.logins.get('app')).toEqual(new Set(['changed by hand']));
  });

  test('has the admin make a new credential where no version logs in', async () => {
    const it = around();
    it.world.target.set('app', ['changed by hand']);
    expect(await requested(it, 'repair')).toMatchObject({ kind: 'rotated', reason: 'repaired' });
    expect(it.world.target.accepts(it.world.current())).toBe(true);
  });

  /** Versions with these passwords, one after the other, and none of them works. */
  function wrecked(passwords: readonly string[]): Around {
    const it = around({}, 'single-user');
    const text = newest(it).value.reveal();
    for (const password of passwords) write(it, new SecretText(text.replace(it.world.firstPassword, password)));
    it.world.target.set('app', ['changed by hand']);
    it.world.target.locksAfter = 4;
    pass(it, 60 * 60_000);
    return it;
  }

  test('makes at most three failed logins as one login, and plan says how many versions were not tried', async () => {
    const it = wrecked(['a', 'b', 'c', 'd', 'e']);
    const { vault, secret, target } = it.world;
    const seen = await plan(it.deps.engine, vault, { secret, mode: 'repair' }, signal);
    const ways = seen.kind === 'plan' ? seen.checks.filter(({ name }) => name === 'way back') : [];
    expect(ways).toMatchObject([{ state: 'passed', detail: expect.stringContaining('3 more were not tried') }]);
    expect(target.failures.get('app')).toBe(3);
    target.failures.clear();
    expect(await requested(it, 'repair')).toMatchObject({ kind: 'rotated', reason: 'repaired' });
    expect(target.accepts(it.world.current())).toBe(true);
  });

  test('tries one credential once, however many versions hold it', async () => {
    const it = wrecked(['a', 'b', 'a', 'b', 'a']);
    const { target, firstPassword } = it.world;
    target.set('app', [firstPassword]);
    expect(await requested(it, 'repair')).toMatchObject({ kind: 'rotated', reason: 'repaired' });
    expect(it.world.current().password.reveal()).toBe(firstPassword);
  });

  test('never brings back a credential that was revoked, unless somebody insists', async () => {
    const it = around();
    const leaked = newest(it).version;
    expect(await requested(it, 'emergency')).toMatchObject({ kind: 'rotated' });
    // Somebody makes the leaked password work again at the target and wrecks the current version.
    it.world.target.set('app', [it.world.firstPassword]);
    it.world.target.set('app_alt', ['changed by hand']);
    await it.world.vault.change(it.world.secret, leaked, { enabled: true });
    pass(it, 60_000);
    const done = await requested(it, 'repair', { rotationId: '3'.repeat(32) });
    expect(done).toMatchObject({ kind: 'rotated' });
    expect(it.world.current().password.reveal()).not.toBe(it.world.firstPassword);
    it.world.target.set('app', [it.world.firstPassword]);
    for (const login of ['app_alt']) it.world.target.set(login, ['changed by hand']);
    it.world.vault.put(it.world.secret, {
      value: new SecretText('{"username":"app_alt","password":"no","host":"db.contoso.test"}'),
      tags: policyTags(it),
    });
    pass(it, 60_000);
    const forced = await requested(it, 'repair', { rotationId: '4'.repeat(32), force: true });
    expect(forced).toMatchObject({ kind: 'rotated' });
    expect(it.world.current().password.reveal()).toBe(it.world.firstPassword);
  });
});

describe('a version without the tag "rotator"', () => {
  test('after managed ones is told once as opted out, within seconds', async () => {
    const it = around();
    const version = await rotateOnce(it);
    it.messages.length = 0;
    write(it, valueIn(it, version), { team: 'orders' });
    expect(await arrive(it)).toEqual({ kind: 'opted-out' });
    const [notice] = notices(it);
    expect(notice?.failure).toMatchObject({
      code: 'opted-out',
      hint: expect.stringContaining('keyturn adopt orders-db'),
    });
    expect(besides(it).irregularities.kept.get('orders-db')).toEqual({ optedOut: true });
    expect(besides(it).toldBefore.told.size).toBe(1);
  });

  test('has its unfinished overlap finished, and its own tags are left alone', async () => {
    const it = around();
    const first = newest(it).version;
    const second = await rotateOnce(it);
    write(it, valueIn(it, second), { team: 'orders' });
    const { rotationId: id = '' } = readStamp(it.world.vault.secrets.get(it.world.secret)?.[1]?.tags ?? {}) ?? {};
    pass(it, dayMs + 1_000);
    const { vault, secret } = it.world;
    const request = { vault: vault.name, secret, rotationId: id, mode: 'scheduled' as const, requestedBy: 'overlap' };
    expect(await retire(it.deps.engine, request)).toMatchObject({ kind: 'retired' });
    expect(it.world.target.accepts(credentialIn(valueIn(it, first)))).toBe(false);
    expect(it.world.target.accepts(it.world.current())).toBe(true);
    expect(newest(it).tags).toEqual({ team: 'orders' });
    expect(await retire(it.deps.engine, request)).toMatchObject({ kind: 'skipped', reason: 'already-retired' });
  });

  test('gets the tags of the last managed version back by adopt, and keeps its own', async () => {
    const it = around({ 'valid-for': 'P90D' });
    const version = await rotateOnce(it);
    write(it, valueIn(it, version), { team: 'payments' });
    const { vault, secret } = it.world;
    expect(await adopt(it.deps.engine, vault, secret, signal)).toMatchObject({ kind: 'adopted' });
    const { tags } = newest(it);
    expect(tags).toMatchObject({ rotator: 'memory', admin: 'orders-admin', 'valid-for': 'P90D', team: 'payments' });
    expect(isRetirementOpen(readStamp(tags)), 'the overlap goes on').toBe(true);
    expect(await adopt(it.deps.engine, vault, secret, signal)).toEqual({ kind: 'nothing' });
  });

  test('is not adopted while its credential does not log in', async () => {
    const it = around();
    await rotateOnce(it);
    write(it, new SecretText('{"username":"app","password":"wrong","host":"db.contoso.test"}'), { team: 'orders' });
    const outcome = await adopt(it.deps.engine, it.world.vault, it.world.secret, signal);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
    expect(newest(it).tags).toEqual({ team: 'orders' });
  });

  test('is left alone where it is a copy on purpose, or never was managed', async () => {
    const it = around();
    await rotateOnce(it);
    write(it, newest(it).value, { 'copy-of': 'orders-main' });
    expect(await arrive(it)).toEqual({ kind: 'unmanaged' });
  });
});
