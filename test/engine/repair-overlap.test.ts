/** A version that does not log in is repaired while the overlap of the one before runs: the old credential still ends. */
import { expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { readRequested, withRequested } from '../../shared/engine/policy/requested.ts';
import { readStamp, stampTag } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { performArrival } from '../../shared/operations/arrival.ts';
import { rememberedVersions } from '../../shared/operations/seen-versions.ts';
import { type Around, around, pass, requested } from './around.ts';
import { MemoryIrregularities, MemoryToldBefore } from './kept.ts';
import { dayMs } from './world.ts';

const host = 'db.contoso.test';

async function arrive({ deps, world: { vault, secret } }: Around) {
  const besides = {
    irregularities: new MemoryIrregularities(),
    toldBefore: new MemoryToldBefore(),
    seenVersions: rememberedVersions(),
  };
  const { version } = vault.newest(secret);
  return performArrival({ ...deps, ...besides }, { vault: vault.name, secret, version }, new AbortController().signal);
}

const mistakes = [
  ['holds no credential at all', 'DATABASE_URL=\nLOG=1'],
  ['names another login', JSON.stringify({ username: 'reports', host, password: 'typed' })],
  ['names the same login with a wrong password', JSON.stringify({ username: 'app_alt', host, password: 'typed' })],
] as const;

/** A rotation, a mistake of somebody else while its overlap runs, and the repair of that. */
async function repaired(text: string): Promise<Around> {
  const it = around({}, 'alternating-users');
  const { vault, secret } = it.world;
  expect(await requested(it, 'asked')).toMatchObject({ kind: 'rotated' });
  const { [stampTag]: _stamp, ...tags } = vault.newest(secret).tags;
  pass(it, 60_000);
  vault.put(secret, { value: new SecretText(text), tags });
  expect(await arrive(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
  pass(it, 60_000);
  expect(await requested(it, 'repair', { rotationId: '2'.repeat(32) })).toMatchObject({ kind: 'rotated' });
  return it;
}

function end({ world: { vault, secret }, deps }: Around, mode: 'scheduled' | 'emergency') {
  const { rotationId = '' } = readStamp(vault.newest(secret).tags) ?? {};
  const request = { vault: vault.name, secret, rotationId, requestedBy: 'overlap', mode };
  return retire(deps.engine, request);
}

test.each(mistakes)(
  'the old credential ends at its deadline although the version that was repaired %s',
  async (_what, text) => {
    const it = await repaired(text);
    pass(it, dayMs + 60_000);
    expect(await end(it, 'scheduled')).toMatchObject({ kind: 'retired' });
    expectEnded(it);
  },
);

test.each(mistakes)(
  'it ends at once where somebody forces it although the version that was repaired %s',
  async (_what, text) => {
    const it = await repaired(text);
    expect(await end(it, 'emergency')).toMatchObject({ kind: 'retired', evidence: 'emergency' });
    expectEnded(it);
  },
);

test('a version of another login that logs in is nobody’s mistake: nothing is ended, and a person is told', async () => {
  const it = await repaired(JSON.stringify({ username: 'reports', host, password: 'typed' }));
  it.world.target.set('reports', ['typed']);
  pass(it, dayMs + 60_000);
  expect(await end(it, 'scheduled')).toMatchObject({ kind: 'failed', failure: { code: 'retire-refused' } });
  expect(it.world.target.logins.get('reports')?.size).toBe(1);
});

test('an emergency that was not begun stands although the next version holds no credential', async () => {
  const it = around({}, 'alternating-users');
  const { vault, secret } = it.world;
  const { tags } = vault.newest(secret);
  const emergency = { rotationId: 'e'.repeat(32), by: 'key:ops', at: vault.now };
  vault.newest(secret).tags = withRequested(tags, { emergency });
  pass(it, 60_000);
  vault.put(secret, { value: new SecretText('LOG=1'), tags });
  expect(await arrive(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
  expect(readRequested(vault.newest(secret).tags)).toMatchObject({ emergency: { rotationId: emergency.rotationId } });
});

function expectEnded({ world }: Around) {
  const { target, firstPassword } = world;
  const old = { username: 'app', password: new SecretText(firstPassword) };
  expect(target.accepts(old), 'the credential whose overlap is over').toBe(false);
  expect(target.accepts(world.current())).toBe(true);
}
