import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { adminSecret, daySeconds, type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

const strategies = ['alternating-users', 'single-user'] as const;

test.each(strategies)(
  '%s: a near-expiry event makes one new version that logs in, and a second one rotates again',
  async (strategy) => {
    const { vault } = stage;
    const planted = await stage.plant(`whole-${strategy}`, { strategy, tags: { overlap: 'PT1S' } });
    const { name, url, version, login } = planted;
    const [line] = await stage.said('rotated', name);
    const made = stage.newest(name);
    const secondLogin = strategy === 'single-user' ? login : `${login}_alt`;
    expect(line).toMatchObject({ strategy, from: version, to: made.id, login: secondLogin, reason: 'near-expiry' });

    expect(vault.versions(name), 'versions').toHaveLength(2);
    expect(new URL(made.value).username).toBe(secondLogin);
    expect({ ...new URL(made.value), host: new URL(made.value).host }).toMatchObject({ host: new URL(url).host });
    expect(new URL(made.value).pathname).toBe(new URL(url).pathname);
    expect(made.contentType).toBe('text/plain');
    expect(made.tags).toMatchObject({ rotator: 'postgres', strategy, admin: 'shop-admin', team: 'shop' });
    expect(made.expiresSeconds ?? 0, 'valid for 90 days').toBeGreaterThan(vault.clock.nowSeconds() + 89 * daySeconds);
    expect(made.expiresSeconds ?? 0).toBeLessThanOrEqual(vault.clock.nowSeconds() + 90 * daySeconds);
    const stamp = readStamp(made.tags ?? {});
    expect(stamp).toMatchObject({ from: version, rotationId: line?.['rotationId'] });
    expect(stamp?.retireBy !== undefined).toBe(strategy === 'alternating-users');
    await stage.expectCurrentLogsIn(name);

    if (strategy === 'alternating-users') {
      await stage.said('retired', name);
      expect(readStamp(stage.newest(name).tags ?? {})?.retired).toBe(true);
      expect(vault.versions(name)[0]?.enabled, 'the old version').toBe(false);
      expect(vault.versions(`keyturn-pending-${name}`)).toEqual([]);
    }
    expect(await stage.accepts(url), 'the old password').toBe(false);

    // Its own last thirty days.
    vault.clock.advance(61 * daySeconds * 1000);
    await stage.said('rotated', name, 2);
    expect(new URL(stage.newest(name).value).username, 'the first login again').toBe(login);
    expect(stage.newest(name).value).not.toBe(url);
    await stage.expectCurrentLogsIn(name);
    if (strategy === 'single-user') {
      await stage.settled();
      const pending = vault.versions(`keyturn-pending-${name}`);
      expect(pending.map(({ enabled }) => enabled)).toEqual([false, false]);
      expect(await stage.accepts(made.value)).toBe(false);
    }
  },
);

test('a value that names its server by another name is rotated there as soon as the admin secret lists that name', async () => {
  const { vault } = stage;
  const planted = await stage.plant('by-name', { value: (url) => url.replace('127.0.0.1', 'localhost') });
  const { name } = planted;
  const [refused] = await stage.said('rotation-failed', name);
  expect(refused).toMatchObject({ code: 'host-mismatch', detail: expect.stringContaining('localhost and 127.0.0.1') });
  expect(refused?.['hint']).toMatch(/-n shop-admin --tags 'serves=\*' names=localhost$/);
  await stage.expectUntouched(planted);

  vault.put(adminSecret, { value: stage.newest(adminSecret).value, tags: { serves: '*', names: 'localhost' } });
  // What failed comes back later and later; a person who corrected it does not wait.
  const asked = { vault: 'local', secret: name, mode: 'asked', requestedBy: 'jane', rotationId: '1'.repeat(32) };
  const queues = QueueServiceClient.fromConnectionString(stage.azure.storage.connectionString);
  await queues.getQueueClient(queueNames.rotations).sendMessage(JSON.stringify(asked));
  await stage.said('rotated', name);
  const made = new URL(stage.newest(name).value);
  expect({ host: made.hostname, login: made.username }).toEqual({ host: 'localhost', login: 'by_name_alt' });
  await stage.expectCurrentLogsIn(name);
});

test('no secret value is in any log, event, message, row, blob or statement', () => {
  stage.expectNoSecretAnywhere();
});
