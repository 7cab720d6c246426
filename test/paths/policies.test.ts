/** Every strategy in a vault whose Azure Policies deny what has no expiry, no content type, or too long a life. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyScenes } from '../../local/demo/key-scenes.ts';
import { redisScene } from '../../local/demo/redis-scenes.ts';
import { sampleDays } from '../../local/samples.ts';
import type { StoredVersion } from '../../local/vault/store.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { daySeconds, type Stage, startStage } from './stage.ts';

const maximumValidityDays = 90;
const policies = { expirationDate: true, contentType: true, maximumValidityDays };

// dual-password, self-issued, dual-key and issue-revoke; the two of databases are the stage's own.
const scenes = [redisScene(), ...keyScenes()];

// What is a copy or derived is renewed with its source, and one of them stands in another vault.
const sources = scenes.filter(({ source }) => source === undefined);
const here = scenes.filter(({ elsewhere }) => elsewhere !== true);

let stage: Stage;
beforeAll(async () => {
  const settings = await Promise.all(scenes.map((scene) => scene.start?.()));
  stage = await startStage({ settings: Object.assign({}, ...settings), secondVault: 'eu-vault' });
  stage.vault.policies.set(policies);
});
afterAll(async () => {
  await stage.close();
  for (const scene of scenes) await scene.close?.();
});

function expectCompliant(made: readonly StoredVersion[]): void {
  for (const { contentType, expiresSeconds = Number.POSITIVE_INFINITY, createdSeconds } of made) {
    expect(contentType).toMatch(/^(text\/plain|application\/json)$/);
    expect(expiresSeconds).toBeLessThanOrEqual(createdSeconds + maximumValidityDays * daySeconds);
  }
}

test('each strategy rotates and retires, and the vault refuses none of its writes', async () => {
  const { vault, azure } = stage;
  for (const scene of scenes) await scene.setUp(azure);
  // These are due at the end of their lives, those of the stage at once.
  vault.clock.advance((sampleDays - 20) * daySeconds * 1000);
  const inPlace = await stage.plant('policies-in-place', { strategy: 'single-user' });
  const pair = await stage.plant('policies-pair', { strategy: 'alternating-users', tags: { overlap: 'PT1S' } });

  for (const { name } of [inPlace, pair]) await stage.said('rotated', name);
  for (const name of [pair.name, ...sources.map(({ secret }) => secret)]) await stage.said('retired', name);
  await stage.settled();

  for (const { name } of [inPlace, pair]) await stage.expectCurrentLogsIn(name);
  for (const { secret, accepts } of sources)
    expect(await accepts?.(stage.newest(secret).value), secret).not.toBe(false);
  const names = [inPlace.name, pair.name, ...here.map(({ secret }) => secret)];
  for (const name of names) expectCompliant(vault.versions(name).slice(1));
  const stored = names.flatMap((name) => vault.versions(pendingNameOf(name)));
  expect(stored.length, 'candidates of the in-place rotation and of the issued key').toBe(2);
  expectCompliant(stored);
  const refused = vault.calls.latest.filter(({ status }) => status === 403);
  expect(refused).toEqual([]);
});

test('a lifetime beyond the maximum is refused before the password changes, and the policy is named', async () => {
  const planted = await stage.plant('policies-too-long', {
    strategy: 'single-user',
    tags: { 'valid-for': 'P91D', 'rotate-before': 'P30D' },
  });
  const [line] = await stage.said('rotation-failed', planted.name);
  expect(line).toMatchObject({ code: 'vault-refused' });
  expect(line?.['detail']).toContain('Secrets should have the specified maximum validity period');
  await stage.expectUntouched(planted);
});
