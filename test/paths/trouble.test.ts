/** Vault, target and storage account fail for a while: the work waits and is done once, or is named with the next step. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import { heardSettings } from '../heard.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({
    settings: { KEYTURN_CONNECT_TIMEOUT: 'PT2S', KEYTURN_PAUSE_AFTER: '2', ...heardSettings },
  });
});
afterEach(() => {
  stage.vault.faults.clear();
  stage.database.mend();
  stage.storage.mend();
});
afterAll(() => stage.close());

async function expectRotatedOnce(name: string): Promise<void> {
  await stage.said('rotated', name);
  expect(stage.vault.versions(name), `versions of ${name}`).toHaveLength(2);
  expect(stage.lines({ event: 'rotated', secret: name })).toHaveLength(1);
  await stage.expectCurrentLogsIn(name);
}

test.each([
  ['with Retry-After', { retryAfterSeconds: 1 }],
  ['without Retry-After', {}],
])('a throttled vault, %s: waited out, and one version is made', async (how, after) => {
  const name = `throttled-${how.replaceAll(' ', '-').toLowerCase()}`;
  const effect = { kind: 'status' as const, status: 429, ...after };
  for (const operation of ['get', 'set'] as const) {
    stage.vault.faults.add({ match: { operation, name: `^${name}$` }, when: { calls: [1] }, effect });
  }
  await stage.plant(name);
  await expectRotatedOnce(name);
  expect(stage.lines({ event: 'rotation-delayed', secret: name }), 'waited for inside the attempt').toEqual([]);
  expect(stage.vault.faults.list().map(({ hits }) => hits)).toEqual([1, 1]);
});

test('a vault that asks for more patience than a lease has is left alone for that long, and a person need not wait', async () => {
  const name = 'throttled-long';
  stage.vault.faults.add({
    match: { operation: 'set', name: `^${name}$` },
    when: { calls: [1] },
    effect: { kind: 'status', status: 429, retryAfterSeconds: 300 },
  });
  await stage.plant(name);
  const [line] = await stage.said('rotation-delayed', name);
  expect(line).toMatchObject({ level: 'warning', code: 'vault-throttled' });
  expect(Number(line?.['tryAgainSeconds'])).toBeGreaterThanOrEqual(299);
  stage.tell(name);
  expect((await stage.said('skipped', name))[0]).toMatchObject({ reason: 'paused' });
  const answer = await fetch(`${stage.azure.host.url}/api/v1/vaults/local/secrets/${name}/rotate?wait=true`, {
    method: 'POST',
    headers: { 'x-keyturn-key': localApiKeys.operator, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'the vault is quiet again' }),
  });
  expect(answer.status).toBe(200);
  expect(stage.vault.versions(name)).toHaveLength(2);
  await stage.expectCurrentLogsIn(name);
});

test.each(['alternating-users', 'single-user'] as const)(
  '%s: the answers to the writes are lost after the vault has done them: no second version, no second candidate',
  async (strategy) => {
    const name = `lost-${strategy}`;
    for (const of of [name, `keyturn-pending-${name}`]) {
      stage.vault.faults.add({
        match: { operation: 'set', name: `^${of}$` },
        when: { calls: [1] },
        effect: { kind: 'cut', stage: 'after' },
      });
    }
    await stage.plant(name, { strategy });
    await expectRotatedOnce(name);
    const pending = stage.vault.versions(`keyturn-pending-${name}`);
    expect(pending).toHaveLength(strategy === 'single-user' ? 1 : 0);
    if (strategy === 'single-user') expect(pending[0]?.value, 'the stored password').toBe(stage.newest(name).value);
  },
);

test('a publish that is refused after the password was changed: the next delivery publishes the stored password', async () => {
  const name = 'forbidden';
  const fault = stage.vault.faults.add({
    match: { operation: 'set', name: `^${name}$` },
    effect: { kind: 'status', status: 403 },
  });
  const { version, url } = await stage.plant(name, { strategy: 'single-user' });
  const [line] = await stage.said('rotation-failed', name);
  expect(line).toMatchObject({ code: 'vault-forbidden', hint: expect.stringContaining('Key Vault Secrets Officer') });
  const stored = stage.newest(`keyturn-pending-${name}`);
  expect(await stage.accepts(stored.value), 'the stored candidate').toBe(true);
  expect(await stage.accepts(url)).toBe(false);
  fault.remove();
  stage.tell(name, {}, { Version: version });
  await expectRotatedOnce(name);
  expect(stage.newest(name).value).toBe(stored.value);
});

test('the target is down and comes up again: delivered again, and done', async () => {
  const names = ['down-alternating', 'down-single'];
  stage.database.cut();
  const planted = [
    await stage.plant('down-alternating'),
    await stage.plant('down-single', { strategy: 'single-user' }),
  ];
  for (const name of names) {
    const [line] = await stage.said('rotation-delayed', name, 2);
    expect(line).toMatchObject({
      level: 'warning',
      code: 'target-unreachable',
      hint: expect.stringContaining('firewall'),
    });
  }
  for (const one of planted) await stage.expectUntouched(one);
  stage.database.mend();
  for (const name of names) await expectRotatedOnce(name);
});

test('a target that stays down: retried further apart, told when it goes on, and rotated once it is back without anybody asking', async () => {
  stage.database.cut();
  const planted = await stage.plant('long-down');
  const lines = await stage.said('rotation-delayed', planted.name, 2);
  expect(lines.map(({ tryAgainSeconds }) => Number(tryAgainSeconds) > 3)).toEqual([true, true]);
  await stage.expectUntouched(planted);
  await stage.until('the news', () => stage.storage.sent().includes('/notifications/messages'));
  stage.database.mend();
  await expectRotatedOnce(planted.name);
  expect(stage.lines({ event: 'message-poisoned' })).toEqual([]);
});

test('the storage account is gone for a while: nothing happens, and nothing is lost', async () => {
  stage.storage.cut();
  const planted = await stage.plant('stored-later');
  await stage.until('refused connections', () => stage.storage.refused() >= 3);
  await stage.expectUntouched(planted);
  stage.storage.mend();
  await expectRotatedOnce(planted.name);
  expect(stage.azure.events.deadLetters()).toEqual([]);
});

test('the storage account goes away in the middle of a rotation: it is finished or comes again, and one version is made', async () => {
  const name = 'storage-midway';
  const fault = stage.vault.faults.add({
    match: { operation: 'set', name: `^${name}$` },
    when: { calls: [1] },
    effect: { kind: 'delay', ms: 1_500, stage: 'before' },
  });
  await stage.plant(name);
  await stage.until('the publish', () => fault.hits === 1);
  stage.storage.cut();
  await stage.until('the new version', () => stage.vault.versions(name).length === 2);
  await sleep(200);
  stage.storage.mend();
  await stage.until('the retirement is scheduled', () => stage.storage.sent().includes('/retirements/messages'));
  expect(stage.vault.versions(name)).toHaveLength(2);
  await stage.expectCurrentLogsIn(name);
});

test('no secret value is in any log, event, message, row, blob or statement', async () => {
  await stage.azure.events.idle();
  stage.expectNoSecretAnywhere();
});
