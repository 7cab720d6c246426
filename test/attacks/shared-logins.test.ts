/** Two secrets of one login on a real server, and an old value that somebody writes back: neither costs anybody a login. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prove } from '../../shared/engine/arrival/prove.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { MemoryLoginIndex } from '../engine/kept.ts';
import { dayMs } from '../engine/world.ts';
import { servers } from './servers.ts';
import { type AttackStage, request } from './stage.ts';

const cases = servers.flatMap(([name, server]) =>
  server.strategies.map((strategy) => [name, strategy, server] as const),
);

describe.each(cases)('%s, %s', (_name, strategy, server) => {
  let stage: AttackStage;
  beforeAll(async () => {
    const target = await server.start(strategy);
    stage = await server.stage(strategy, target);
  }, 120_000);
  afterAll(() => stage?.close());

  // Nothing was looked at before.
  const fresh = () => ({ ...stage.deps, logins: new MemoryLoginIndex() });
  const ask = (secret: string, mode: 'asked' | 'repair' | 'forced', id: string, deps = fresh()) =>
    rotate(deps, { ...request, secret, mode, rotationId: id.repeat(32) });

  it('two secrets of one login: no rotation of either changes anything', async () => {
    const { username = '', password } = stage.theirs.current;
    stage.publish({ username, password: password.reveal() });
    for (const secret of ['shop-db', 'billing-db']) {
      expect(await ask(secret, 'asked', 'a')).toMatchObject({ failure: { code: 'login-shared' } });
      expect(await ask(secret, 'forced', 'b')).toMatchObject({ failure: { code: 'login-shared' } });
      expect(stage.vault.count(secret)).toBe(1);
    }
    expect(await stage.untouched()).toEqual({ logsIn: true, same: true });
  });

  it('an old value that is written back is refused, recognised, and repaired by publishing the last good one', async () => {
    const { username = '', password } = stage.mine.current;
    const first = stage.publish({ username, password: password.reveal() });
    const old = stage.vault.newest('shop-db').value;
    const rotated = await ask('shop-db', 'asked', 'c');
    expect(rotated).toMatchObject({ kind: 'rotated' });
    const good = stage.vault.newest('shop-db');
    stage.vault.now = new Date(stage.vault.now.getTime() + 2 * dayMs);
    if (readStamp(good.tags)?.retireBy !== undefined) {
      const ended = await retire(fresh(), { ...request, rotationId: rotated.rotationId, mode: 'scheduled' });
      expect(ended).toMatchObject({ kind: 'retired' });
    }
    const { rotation: _stamp, ...tags } = good.tags;
    const version = stage.vault.put('shop-db', { value: old, tags });
    const listed = await stage.vault.versions('shop-db');
    const arrival = {
      vault: stage.vault.name,
      secret: 'shop-db',
      version,
      versions: listed.versions,
      before: listed.versions[1],
    };
    const proven = await prove(fresh(), arrival, new AbortController().signal);
    expect(proven).toMatchObject({ kind: 'refused', writtenBack: { versions: [{ version: first }] } });
    stage.vault.now = new Date(stage.vault.now.getTime() + 60_000);
    expect(await ask('shop-db', 'repair', 'd')).toMatchObject({ kind: 'rotated', reason: 'repaired' });
    expect(stage.vault.newest('shop-db').value.equals(good.value)).toBe(true);
    const again = await ask('shop-db', 'repair', 'e');
    expect(again, 'it logs in').toMatchObject({ kind: 'skipped', reason: 'not-due' });
    expect(await stage.untouched()).toMatchObject({ logsIn: true });
  });
});
