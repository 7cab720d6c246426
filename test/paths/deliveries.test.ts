/** However events come - twice, late, out of order, in the other schema, about versions long gone - one version is made, or none. */
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ instances: 2 });
});
afterAll(() => stage.close());

test('four deliveries of each event, out of order, to two instances: one new version for each secret', async () => {
  const { azure, vault } = stage;
  azure.events.disturb({ duplicates: 3, shuffle: 7 });
  const names = ['dup-a', 'dup-b', 'dup-c', 'dup-d'];
  const strategies = ['alternating-users', 'single-user'] as const;
  for (const [at, name] of names.entries()) await stage.plant(name, { strategy: strategies[at % 2] ?? 'single-user' });
  for (const name of names) await stage.said('rotated', name);
  await azure.events.idle();
  azure.events.disturb({});
  for (const name of names) {
    expect(vault.versions(name), name).toHaveLength(2);
    expect(stage.lines({ event: 'rotated', secret: name })).toHaveLength(1);
    await stage.expectCurrentLogsIn(name);
  }
  expect(azure.events.statistics()['KEYTURN'] ?? azure.events.statistics()['keyturn']).toMatchObject({
    deadLettered: 0,
  });
  const accepted = stage.lines({ event: 'event-accepted' }).filter((line) => line['requestedBy'] === 'near-expiry');
  expect(accepted).toHaveLength(16);
  const versions = stage.lines({ event: 'event-accepted' }).filter((line) => line['requestedBy'] === 'new-version');
  expect(versions.length, 'four events of each version, the first and the second').toBeGreaterThanOrEqual(32);
  expect(new Set(accepted.map(({ instance }) => instance)).size, 'instances that took part').toBe(2);
  expect(stage.lines().filter(({ level }) => level === 'error')).toEqual([]);
});

test('the same event again after the rotation changes nothing', async () => {
  const { version, name } = await stage.plant('again');
  await stage.said('rotated', name);
  const skippedBefore = stage.lines({ event: 'skipped', secret: name }).length;
  stage.tell(name, {}, { Version: version });
  const lines = await stage.said('skipped', name, skippedBefore + 1);
  expect(lines.at(-1)).toMatchObject({ reason: 'already-rotated', level: 'information' });
  expect(stage.vault.versions(name)).toHaveLength(2);
});

test('an event for a version that is no longer current is superseded, and nothing is touched', async () => {
  const old = await stage.plant('older', { days: 80 });
  const current = stage.put(old.name, old.url, { days: 20 });
  await stage.said('rotated', old.name);
  const versions = stage.vault.versions(old.name).length;
  const third = stage.put(old.name, stage.newest(old.name).value, { days: 80 });
  stage.tell(old.name, {}, { Version: old.version });
  await stage.said('skipped', old.name);
  stage.tell(old.name, {}, { Version: current.version });
  const lines = await stage.said('skipped', old.name, 2);
  // The second one was rotated when it was current: that is all that its event could ask for.
  expect(lines.map(({ reason }) => reason)).toEqual(['superseded', 'already-rotated']);
  expect(stage.vault.versions(old.name)).toHaveLength(versions + 1);
  expect(stage.newest(old.name).id).toBe(third.version);
});

test('an expired secret is rotated although its near-expiry event was missed', async () => {
  const { name } = await stage.plant('expired', { days: 80 });
  stage.tell(name, { eventType: 'Microsoft.KeyVault.SecretExpired' });
  expect((await stage.said('skipped', name))[0]).toMatchObject({ reason: 'not-due' });
  const { value } = stage.newest(name);
  stage.put(name, value, { days: -1 });
  expect((await stage.said('rotated', name))[0]).toMatchObject({ reason: 'near-expiry' });
  await stage.expectCurrentLogsIn(name);
});

test('a near-expiry event before the secret wants to be rotated: not due, and nothing is touched', async () => {
  const planted = await stage.plant('early', { tags: { 'rotate-before': 'P5D' } });
  const [line] = await stage.said('skipped', planted.name);
  expect(line).toMatchObject({ reason: 'not-due', level: 'information' });
  await stage.expectUntouched(planted);
});

test('a secret without the tag that opts in is left alone, and so is one that is no login at all', async () => {
  const planted = await stage.plant('left-alone', { without: ['rotator'] });
  const other = stage.put('some-text', 'just some text of a person', { without: ['rotator', 'strategy', 'admin'] });
  for (const { name } of [planted, other]) {
    expect((await stage.said('skipped', name))[0]).toMatchObject({ reason: 'opted-out', level: 'information' });
    expect(stage.vault.versions(name)).toHaveLength(1);
  }
  await stage.expectUntouched(planted);
});

test('events as CloudEvents rotate as well', async () => {
  const { azure } = stage;
  await azure.events.subscribe({
    name: 'keyturn',
    url: azure.host.eventGridUrl('onSecretEvent'),
    schema: 'cloudevents',
    includedEventTypes: ['Microsoft.KeyVault.SecretNearExpiry'],
  });
  const { name } = await stage.plant('clouded');
  await stage.said('rotated', name);
  expect(stage.vault.versions(name)).toHaveLength(2);
  await stage.expectCurrentLogsIn(name);
});

test.each([
  ['as a CloudEvent', 'type', 'queued-cloud'],
  ["in Event Grid's schema", 'eventType', 'queued-grid'],
])('an event that Event Grid puts into the queue, %s in base64, asks for the same', async (_, type, secret) => {
  const { azure } = stage;
  const { name, version } = await stage.plant(secret, { days: 80 });
  const data = { Id: 'x', VaultName: 'local', ObjectType: 'Secret', ObjectName: name, Version: version };
  const event = { id: '1', [type]: 'Microsoft.KeyVault.SecretExpired', subject: name, data };
  const queues = QueueServiceClient.fromConnectionString(azure.storage.connectionString);
  const text = Buffer.from(JSON.stringify(event)).toString('base64');
  await queues.getQueueClient(queueNames.secretEvents).sendMessage(text);
  // The engine has looked at it: it is due in 50 days.
  expect((await stage.said('skipped', name))[0]).toMatchObject({ reason: 'not-due' });
  expect(stage.lines({ event: 'event-accepted', secret: name })).toHaveLength(1);
});

test('an event of an unknown vault in the queue is named once with the next step, and is not delivered again', async () => {
  const data = { Id: 'x', VaultName: 'unknown', ObjectType: 'Secret', ObjectName: 'a', Version: 'a'.repeat(32) };
  const event = { id: '1', type: 'Microsoft.KeyVault.SecretExpired', subject: 'a', data };
  const queues = QueueServiceClient.fromConnectionString(stage.azure.storage.connectionString);
  const queue = queues.getQueueClient(queueNames.secretEvents);
  await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString('base64'));
  await stage.until('the refusal', () => stage.lines({ event: 'message-poisoned' }).length > 0);
  await stage.until('the end of the message', async () => (await queue.getProperties()).approximateMessagesCount === 0);
  expect(stage.lines({ event: 'message-poisoned' })).toMatchObject([
    { queue: queueNames.secretEvents, hint: expect.stringContaining('KEYTURN_VAULTS') },
  ]);
});

test('no secret value is in any log, event, message, row, blob or statement', async () => {
  await stage.azure.events.idle();
  stage.expectNoSecretAnywhere();
});
