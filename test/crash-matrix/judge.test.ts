/** The judge of the crash matrix sees what is wrong: it would be of no use otherwise. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import type { RotationRecord } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { formatStamp } from '../../shared/engine/policy/stamp.ts';
import { Scene } from './scene.ts';
import { works } from './work.ts';

let vault: VaultEmulator;
beforeAll(async () => {
  vault = await startVaultEmulator({ name: 'local' });
});
afterAll(() => vault.close());

let count = 0;

interface World {
  readonly strategy?: Strategy;
  /** Passwords that log in. */
  readonly live: readonly string[];
  readonly sessionAlive?: boolean;
  readonly keys?: readonly string[];
  readonly outcomes?: readonly RotationRecord['outcome'][];
}

/** A secret whose first password is `old`, and whose target is a list of passwords. */
function sceneOf({ strategy = 'alternating-users', live, sessionAlive, keys, outcomes = ['rotated'] }: World): Scene {
  const name = `judged-${++count}`;
  vault.put(name, { value: 'old', tags: {} });
  const history = {
    of: async () => ({ kind: 'listed' as const, records: outcomes.map((outcome) => recordOf(scene, outcome)) }),
  };
  const scene: Scene = new Scene({ vault, otherVault: vault, history }, name, strategy, {
    value: 'old',
    tags: {},
    credentialIn: (value) => ({ password: new SecretText(value) }),
    login: async ({ password }) => live.includes(password.reveal()),
    openSession: async () => ({ alive: async () => sessionAlive === true, close: async () => undefined }),
    ...(keys === undefined ? {} : { keys: () => keys }),
  });
  return scene;
}

function recordOf(scene: Scene, outcome: RotationRecord['outcome']): RotationRecord {
  const at = new Date(0);
  const about = { vault: 'local', secret: scene.name, reason: '', requestedBy: '', startedAt: at, steps: [], outcome };
  return { ...about, activity: 'rotation', rotationId: scene.id('rotation') };
}

function publish({ name }: Scene, rotationId: string): void {
  const from = vault.versions(name)[0]?.id ?? '';
  vault.put(name, { value: 'new', tags: { rotation: formatStamp({ rotationId, from }) } });
}

function workOf(name: string) {
  const work = works.find((one) => one.name === name);
  if (work === undefined) throw new Error(`there is no work ${name}`);
  return work;
}

describe('in the end', () => {
  test('a rotation that went well has nothing against it', async () => {
    const scene = sceneOf({ live: ['old', 'new'] });
    publish(scene, scene.id('rotation'));
    expect(await workOf('rotation').judge(scene)).toEqual([]);
    expect(await scene.judgeAlways(undefined)).toEqual([]);
  });

  test('a current version that does not log in is seen', async () => {
    const scene = sceneOf({ live: [] });
    expect(await scene.judgeAlways(undefined)).toEqual(['the current version does not log in']);
  });

  test('two versions for one request, and a history that says nothing, are seen', async () => {
    const scene = sceneOf({ live: ['old', 'new'], outcomes: ['running'] });
    publish(scene, scene.id('rotation'));
    publish(scene, scene.id('rotation'));
    expect(await workOf('rotation').judge(scene)).toEqual([
      '3 versions instead of 2',
      '2 versions answer the request',
      'the history does not say that it rotated',
    ]);
  });

  test('an old credential that died in its overlap is seen', async () => {
    const scene = sceneOf({ live: ['new'] });
    publish(scene, scene.id('rotation'));
    expect(await workOf('rotation').judge(scene)).toEqual(['the old credential is dead during the overlap']);
  });

  test('a candidate that logs in and that no version holds is seen, and so is such a key at a provider', async () => {
    const scene = sceneOf({ live: ['old', 'stray'], keys: ['old', 'lost'] });
    scene.remember([{ password: 'stray' }]);
    expect(await scene.judgeAlways(undefined)).toEqual([
      'a credential logs in that no version holds',
      'the provider holds a key that no version holds',
    ]);
  });

  test('a stored password that was thrown away is seen', async () => {
    const scene = sceneOf({ strategy: 'single-user', live: ['old'] });
    expect(await scene.judgeAlways('stored')).toEqual(['the stored password was not the one that was published']);
  });

  test('a leaked credential that lives, its session and a missing mark are seen', async () => {
    const scene = sceneOf({ live: ['old', 'new'], sessionAlive: true });
    await scene.intrude();
    publish(scene, scene.id('emergency'));
    expect(await workOf('emergency').judge(scene)).toEqual([
      'the leaked credential logs in',
      'the session of the intruder is open',
      'no version is marked as revoked',
      'the history does not say that it rotated',
    ]);
  });
});

describe('right after the kill', () => {
  test('a current version that does not log in is let be for single-user alone, and only where the stored candidate does', async () => {
    const cases: readonly (readonly [Strategy, readonly string[], number])[] = [
      ['single-user', ['stored'], 0],
      ['single-user', [], 1],
      ['alternating-users', ['stored'], 1],
    ];
    for (const [strategy, live, wrongs] of cases) {
      const scene = sceneOf({ strategy, live });
      vault.put(`keyturn-pending-${scene.name}`, { value: 'stored', tags: {} });
      expect(await scene.judgeBetween(), `${strategy} ${live}`).toHaveLength(wrongs);
    }
  });
});
