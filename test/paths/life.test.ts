import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { apiKeySetting } from '../../local/api-keys.ts';
import { afterLeaseMs } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { leaseContainer } from '../../shared/storage/blob-leases.ts';
import { type Planted, type Stage, startStage } from './stage.ts';

const keys = {
  operator: 'operator-key-of-a-test-that-nobody-guesses',
  emergency: 'emergency-key-of-a-test-that-nobody-guesses',
  shop: 'shop-key-of-a-test-that-nobody-guesses',
  reports: 'reports-key-of-a-test-that-nobody-guesses',
  stranger: 'stranger-key-of-a-test-that-nobody-guesses',
} as const;
type Key = keyof typeof keys;

let stage: Stage;
beforeAll(async () => {
  const consumers = (['shop', 'reports', 'stranger'] as const).map((name) => ({ name, role: 'consumer' as const }));
  const people = (['operator', 'emergency'] as const).map((name) => ({ name, role: name }));
  const all = [...consumers, ...people].map((one) => ({ ...one, key: keys[one.name] }));
  stage = await startStage({ settings: { KEYTURN_API_KEYS: apiKeySetting(all) } });
});
afterAll(() => stage.close());

/** A secret that nobody rotates by itself for months. */
const plant = (name: string, tags: Readonly<Record<string, string>>) => stage.plant(name, { days: 85, tags });

async function call(as: Key, path: string, body?: object) {
  const answer = await fetch(`${stage.azure.host.url}/api/v1/vaults/local/secrets/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-keyturn-key': keys[as], ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, said: z.record(z.string(), z.unknown()).parse(await answer.json()) };
}

async function ask(as: Key, { name }: Planted, what: 'rotate' | 'emergency' | 'rollback') {
  const { status, said } = await call(as, `${name}/${what}?wait=true`, { reason: 'a test' });
  expect({ status, state: said['state'] }, JSON.stringify(said)).toEqual({ status: 200, state: 'rotated' });
  return stage.newest(name);
}

const acknowledge = (as: Key, name: string, version: string, body = {}) =>
  call(as, `${name}/versions/${version}/acknowledgements`, body);

async function missing(name: string, version: string) {
  const { said } = await call('operator', `${name}/versions/${version}/acknowledgements`);
  return { missing: said['missing'], complete: said['complete'] };
}

/** The old login is refused, its version disabled, and the new version says so and logs in. */
async function expectRetired({ name, version, url }: Planted): Promise<void> {
  expect(await stage.accepts(url), 'the old login').toBe(false);
  expect(stage.vault.versions(name).find(({ id }) => id === version)?.enabled).toBe(false);
  expect(readStamp(stage.newest(name).tags ?? {})?.retired).toBe(true);
  await stage.expectCurrentLogsIn(name);
}

/** A session on the first credential of a secret, as an application holds one. */
async function sessionOf({ url }: Planted, application: string) {
  const client = new Client({ connectionString: url, application_name: application });
  let ended = false;
  client.on('error', () => {
    ended = true;
  });
  await client.connect();
  return { ended: () => ended, end: () => client.end() };
}

test('the only consumer acknowledges over HTTP: the old login is refused long before its deadline', async () => {
  const planted = await plant('acknowledged', { consumers: 'shop', overlap: 'P1D' });
  const made = await ask('operator', planted, 'rotate');
  expect(await stage.accepts(planted.url), 'the old login, during the overlap').toBe(true);
  expect(await acknowledge('shop', planted.name, made.id)).toMatchObject({ status: 200, said: { complete: true } });
  expect(await stage.said('acknowledged', planted.name)).toMatchObject([{ consumer: 'shop', version: made.id }]);
  const [line] = await stage.said('retired', planted.name);
  expect(line).toMatchObject({ evidence: 'free', logins: planted.login });
  await expectRetired(planted);
});

test('the acknowledgement comes while the rotation still holds the secret: the old login ends once a lease can have run out', async () => {
  const planted = await plant('too-quick', { consumers: 'shop', overlap: 'P1D' });
  const { id } = await ask('operator', planted, 'rotate');
  const lease = BlobServiceClient.fromConnectionString(stage.storage.connectionString)
    .getContainerClient(leaseContainer)
    .getBlobClient(`${stage.vault.name}/${planted.name}`)
    .getBlobLeaseClient();
  await lease.acquireLease(60);
  await acknowledge('shop', planted.name, id);
  expect(await stage.said('busy', planted.name)).toMatchObject([{ tryAgainSeconds: afterLeaseMs / 1_000 }]);
  expect(await stage.accepts(planted.url)).toBe(true);
  await lease.releaseLease();
  const ended = () => stage.lines({ event: 'retired', secret: planted.name });
  await stage.until('the end of the old login', () => ended().length > 0, afterLeaseMs + 10_000);
  expect(ended()).toMatchObject([{ evidence: 'free' }]);
  await expectRetired(planted);
}, 60_000);

test('nobody acknowledges for somebody else: it is refused, and the old login lives on', async () => {
  const planted = await plant('not-for-others', { consumers: 'shop,reports', overlap: 'P1D' });
  const { id } = await ask('operator', planted, 'rotate');
  expect((await acknowledge('shop', planted.name, id)).status).toBe(200);
  for (const [as, body] of [
    ['shop', { consumer: 'reports' }],
    ['stranger', {}],
    ['stranger', { consumer: 'reports' }],
    ['operator', { consumer: 'reports' }],
  ] as const) {
    const refused = await acknowledge(as, planted.name, id, body);
    expect(refused.status, `${as} ${JSON.stringify(body)}`).toBe(403);
  }
  expect(await missing(planted.name, id)).toMatchObject({ missing: [{ consumer: 'reports' }], complete: false });
  await stage.settled();
  expect(stage.lines({ event: 'retired', secret: planted.name })).toEqual([]);
  expect(await stage.accepts(planted.url)).toBe(true);
});

test('a consumer that lags is named half-way, waited for, and cut at the deadline', async () => {
  const planted = await plant('lagging', { consumers: 'shop,reports', overlap: 'PT10S' });
  const session = await sessionOf(planted, 'nightly-reports');
  try {
    const { id } = await ask('operator', planted, 'rotate');
    await acknowledge('shop', planted.name, id);
    const [waiting] = await stage.said('retirement-waits', planted.name);
    expect(waiting?.['waitingFor']).toMatch(/^nightly-reports .*, reports$/);
    expect(await missing(planted.name, id)).toMatchObject({ missing: [{ consumer: 'reports' }] });
    expect(await stage.accepts(planted.url), 'while it is waited for').toBe(true);
    const [retired] = await stage.said('retired', planted.name);
    expect(retired).toMatchObject({ evidence: 'deadline', cut: waiting?.['waitingFor'] });
    expect(stage.vault.clock.nowMs()).toBeGreaterThanOrEqual(Date.parse(String(waiting?.['retireBy'])));
    await expectRetired(planted);
  } finally {
    await session.end();
  }
});

test('the message of a retirement is lost: the sweep finds it by the tags of the current version', async () => {
  const planted = await plant('lost-message', { overlap: 'PT1H' });
  await ask('operator', planted, 'rotate');
  await QueueServiceClient.fromConnectionString(stage.storage.connectionString)
    .getQueueClient(queueNames.retirements)
    .clearMessages();
  stage.vault.clock.advance(3_601_000);
  const { host } = stage.azure;
  const started = await fetch(`${host.url}/admin/functions/sweep`, {
    method: 'POST',
    headers: { 'x-functions-key': host.keys.master, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(started.status).toBe(202);
  const [line] = await stage.said('retired', planted.name);
  expect(line).toMatchObject({ evidence: 'deadline' });
  await expectRetired(planted);
});

test('an emergency ends the old login and its sessions before it is answered', async () => {
  // Logins that the admin has made are its to change, but their sessions are not its to end.
  await stage.sql('GRANT pg_signal_backend TO rotation_admin');
  const planted = await plant('leaked', { consumers: 'shop', overlap: 'P1D' });
  const session = await sessionOf(planted, 'a-thief');
  expect((await call('operator', `${planted.name}/emergency?wait=true`, { reason: 'a test' })).status).toBe(403);
  expect(session.ended()).toBe(false);
  await ask('emergency', planted, 'emergency');
  await expectRetired(planted);
  await stage.until('the end of the session', session.ended);
});

test('a roll-back publishes the credential before, proven, and retires the bad one', async () => {
  const planted = await plant('rolled-back', { overlap: 'PT5S' });
  const bad = await ask('operator', planted, 'rotate');
  const back = await ask('operator', planted, 'rollback');
  expect(back.id).not.toBe(planted.version);
  expect(back.value).toBe(planted.url);
  await stage.expectCurrentLogsIn(planted.name);
  const [line] = await stage.said('retired', planted.name);
  expect(line).toMatchObject({ evidence: 'deadline', logins: expect.stringContaining(`${planted.login}_alt`) });
  await expectRetired({ ...planted, version: bad.id, url: bad.value });
});

test('no secret value is in any log, event, message, row, blob or statement', async () => {
  stage.expectNoSecretAnywhere();
});
