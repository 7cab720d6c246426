/** Asking over HTTP: one rotation for one request, whoever waits, whatever is sent twice. */

import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { findSecrets } from '../canary.ts';
import { type Backend, type Called, callers, problemCode, startBackend, textOf } from './backend.ts';

let backend: Backend;
const answers: Called[] = [];

beforeAll(async () => {
  backend = await startBackend();
});
afterEach(() => {
  backend.stage.vault.faults.clear();
  backend.stage.database.mend();
});
afterAll(() => backend?.close());

async function call(...args: Parameters<Backend['call']>): Promise<Called> {
  const called = await backend.call(...args);
  answers.push(called);
  return called;
}

const place = (secret: string) => `/vaults/local/secrets/${secret}`;
const ask = (secret: string, what: string, more: object = {}, headers: Record<string, string> = {}) =>
  call('POST', `${place(secret)}/${what}`, { body: { reason: 'a test', ...more }, headers });

/** Follows the place of a queued rotation until it is over. */
async function followed(accepted: Called): Promise<Called> {
  expect(accepted.status).toBe(202);
  const path = (accepted.headers.get('location') ?? '').replace('/api/v1', '');
  expect(Number(accepted.headers.get('retry-after'))).toBeGreaterThan(0);
  let shown = await call('GET', path);
  await backend.stage.until(`the end of ${path}`, async () => {
    shown = await call('GET', path);
    return shown.headers.get('retry-after') === null;
  });
  return shown;
}

async function waiting(queue: string): Promise<number> {
  const client = QueueServiceClient.fromConnectionString(backend.stage.storage.connectionString).getQueueClient(queue);
  return (await client.exists()) ? ((await client.getProperties()).approximateMessagesCount ?? 0) : 0;
}

test('a plan says what would happen and why, and changes nothing', async () => {
  const planted = await backend.stage.plant('planned', { days: 80 });
  const plan = await call('GET', `${place('planned')}/plan`, { as: 'reader' });
  expect(plan.body).toMatchObject({
    outcome: 'would-rotate',
    strategy: 'alternating-users',
    admin: 'shop-admin',
    login: 'planned',
  });
  const scheduled = await call('GET', `${place('planned')}/plan?mode=scheduled`, { as: 'reader' });
  expect(scheduled.body).toMatchObject({ outcome: 'would-skip', reason: 'not-due' });
  await backend.stage.expectUntouched(planted);
});

test('who waits sees the new version, proven; nothing is left in the queue', async () => {
  await backend.stage.plant('awaited', { days: 80 });
  const before = await waiting(queueNames.rotations);
  const rotated = await ask('awaited', 'rotate?wait=true');
  expect(rotated.status).toBe(200);
  const { id } = backend.stage.newest('awaited');
  expect(rotated.body).toMatchObject({
    state: 'rotated',
    to: id,
    login: 'awaited_alt',
    reason: 'a test',
    requestedBy: 'key:emergency',
  });
  await backend.stage.expectCurrentLogsIn('awaited');
  expect(await waiting(queueNames.rotations)).toBe(before);
  const shown = await call('GET', `/rotations/${textOf(rotated, 'rotationId')}`, { as: 'reader' });
  expect(shown.body).toMatchObject({ state: 'rotated', attempts: [{ outcome: 'rotated' }, { outcome: 'queued' }] });
  expect(JSON.stringify(shown.body)).toContain('"name":"verify"');
});

test('who does not wait is told where to look, and sees how it ended', async () => {
  await backend.stage.plant('queued', { days: 80 });
  const shown = await followed(await ask('queued', 'rotate'));
  expect(shown.body).toMatchObject({ state: 'rotated', secret: 'queued', reason: 'a test' });
  expect(backend.stage.vault.versions('queued')).toHaveLength(2);
  await backend.stage.expectCurrentLogsIn('queued');
  // The overlap is running: asked again, it is left, and says until when.
  const left = await ask('queued', 'rotate?wait=true');
  expect([left.status, problemCode(left)]).toEqual([409, 'not-now']);
  expect(left.body).toMatchObject({ reason: 'overlap-running', detail: expect.stringContaining('until') });
});

test('one Idempotency-Key is one rotation, however often and at once it is sent', async () => {
  await backend.stage.plant('once', { days: 80 });
  const headers = { 'idempotency-key': 'once-1' };
  const sent = await Promise.all(Array.from({ length: 6 }, () => ask('once', 'rotate', {}, headers)));
  const taken = sent.filter(({ status }) => status === 202);
  expect(taken.length).toBeGreaterThan(0);
  expect(sent.filter(({ status }) => status !== 202).map(problemCode)).toEqual(
    sent.slice(taken.length).map(() => 'key-in-work'),
  );
  const ids = new Set(taken.map((one) => textOf(one, 'rotationId')));
  expect(ids.size).toBe(1);
  const shown = await followed(taken[0] ?? sent[0] ?? expect.unreachable());
  expect(shown.body).toMatchObject({ state: 'rotated' });
  const again = await ask('once', 'rotate', {}, headers);
  expect([again.status, textOf(again, 'rotationId')]).toEqual([202, textOf(shown, 'rotationId')]);
  const waited = await ask('once', 'rotate', {}, headers);
  expect(waited.body).toMatchObject({ state: 'rotated' });
  await backend.stage.settled();
  expect(backend.stage.vault.versions('once')).toHaveLength(2);
  const attempts = (await call('GET', `${place('once')}/history`)).text.match(/"outcome":"queued"/g);
  expect(attempts, 'enqueued once').toHaveLength(1);
});

test('a key that was used for another request is refused; another caller may use the same one', async () => {
  await backend.stage.plant('key-a', { days: 80 });
  const headers = { 'idempotency-key': 'shared' };
  expect((await ask('key-a', 'rotate?wait=true', {}, headers)).status).toBe(200);
  const other = await ask('key-a', 'rotate?wait=true', { reason: 'something else' }, headers);
  expect([other.status, problemCode(other)]).toEqual([422, 'key-reused']);
  const wrong = await ask('key-a', 'rotate', {}, { 'idempotency-key': 'with blank' });
  expect(wrong.body).toMatchObject({ status: 400, errors: [{ in: 'header', field: 'Idempotency-Key' }] });
  const somebody = await call('POST', `${place('key-a')}/rotate?wait=true`, {
    as: 'operator',
    body: { reason: 'a test' },
    headers,
  });
  expect(somebody.body).toMatchObject({ reason: 'overlap-running' });
});

test('a failure that mends itself while somebody waits: it is said when to ask again, and the request stays in the queue', async () => {
  await backend.stage.plant('delayed', { days: 80 });
  backend.stage.vault.faults.add({
    match: { operation: 'set', name: '^delayed$' },
    when: { calls: [1] },
    effect: { kind: 'status', status: 503 },
  });
  const delayed = await ask('delayed', 'rotate?wait=true');
  // The vault failed after everything was prepared: it mends itself, so the message stays.
  expect(delayed.status).toBe(503);
  expect(Number(delayed.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(delayed.headers.get('location')).toContain('/rotations/');
  expect(await waiting(queueNames.rotations)).toBeGreaterThan(0);
  const again = await ask('delayed', 'rotate?wait=true', {}, {});
  expect(again.status).toBe(200);
  await backend.stage.expectCurrentLogsIn('delayed');
});

test('the process dies while somebody waits: the request is in the queue already, and the same key finishes the same rotation', async () => {
  const { stage } = backend;
  await stage.plant('dying', { days: 80 });
  stage.vault.faults.add({ match: { operation: 'set', name: '^dying$' }, effect: { kind: 'delay', ms: 60_000 } });
  const headers = { 'idempotency-key': 'dying-1' };
  const cut = ask('dying', 'rotate?wait=true', {}, headers).catch((error: unknown) => error);
  await stage.until('the publish', () => stage.vault.faults.list().some(({ hits }) => hits > 0));
  await stage.azure.host.kill(0);
  expect(await cut).toMatchObject({ status: 502 });
  expect(await waiting(queueNames.rotations)).toBeGreaterThan(0);
  stage.vault.faults.clear();
  await stage.azure.host.add();
  await stage.breakLease('dying');
  expect((await ask('dying', 'rotate?wait=true', {}, headers)).body).toMatchObject({ state: 'rotated' });
  expect(stage.vault.versions('dying')).toHaveLength(2);
  await stage.expectCurrentLogsIn('dying');
});

test('retire now ends what nobody uses; in use, it says who, and only the role emergency may cut them', async () => {
  const { url } = await backend.stage.plant('retired', { days: 80 });
  await ask('retired', 'rotate?wait=true');
  const { Client } = await import('pg');
  const session = new Client({ connectionString: url, application_name: 'old-app' });
  session.on('error', () => undefined);
  await session.connect();
  const held = await ask('retired', 'retire');
  expect(held.body).toMatchObject({ state: 'waiting', sessions: [expect.stringContaining('old-app')] });
  expect(await backend.stage.accepts(url)).toBe(true);
  const denied = await call('POST', `${place('retired')}/retire`, {
    as: 'operator',
    body: { reason: 'x', force: true },
  });
  expect(problemCode(denied)).toBe('role-missing');
  expect(await backend.stage.accepts(url)).toBe(true);
  await session.end();
  const done = await call('POST', `${place('retired')}/retire`, { as: 'operator', body: { reason: 'x' } });
  expect(done.body).toMatchObject({ state: 'retired', evidence: 'asked', logins: ['retired'] });
  expect(await backend.stage.accepts(url)).toBe(false);
  expect((await ask('retired', 'retire')).body).toMatchObject({ code: 'not-now', reason: 'already-retired' });
});

test('an emergency revokes the old credential at once, and takes the role for it', async () => {
  const { url } = await backend.stage.plant('leaked', { days: 80 });
  await backend.stage.sql('GRANT pg_signal_backend TO rotation_admin');
  const denied = await call('POST', `${place('leaked')}/emergency`, { as: 'operator', body: { reason: 'x' } });
  expect(problemCode(denied)).toBe('role-missing');
  const done = await ask('leaked', 'emergency?wait=true');
  expect(done.body).toMatchObject({ state: 'rotated', retired: true });
  expect(await backend.stage.accepts(url)).toBe(false);
  await backend.stage.expectCurrentLogsIn('leaked');
});

test('a roll back makes the version before current again, proven first', async () => {
  const { url } = await backend.stage.plant('regretted', { days: 80 });
  await ask('regretted', 'rotate?wait=true');
  const back = await ask('regretted', 'rollback?wait=true');
  expect(back.body).toMatchObject({ state: 'rotated', login: 'regretted' });
  expect(await backend.stage.accepts(url)).toBe(true);
  await backend.stage.expectCurrentLogsIn('regretted');
});

test('what a person asked for and could not have is no failure of the secret', async () => {
  await backend.stage.plant('broken', { tags: { admin: 'no-such-admin' }, days: 80 });
  const failed = await ask('broken', 'rotate?wait=true');
  expect(failed.status).toBe(422);
  expect(failed.body).toMatchObject({
    ...{ code: 'admin-invalid', hint: expect.any(String), page: 'docs/errors/admin-invalid.md' },
  });
  expect((await call('GET', place('broken'))).body).toMatchObject({ state: 'healthy' });
  expect((await call('GET', place('broken'))).body).not.toHaveProperty('trouble');
});

test('a secret whose rotations fail is shown with the activity and the next try, and is looked at again when somebody resumes it', async () => {
  const { stage } = backend;
  await stage.plant('failing', { tags: { admin: 'no-such-admin' }, days: 10 });
  await stage.said('rotation-failed', 'failing');
  const shown = { secret: 'failing', state: 'failing', activity: 'rotation', nextTryAt: expect.any(String) };
  await stage.until('the count', async () => (await call('GET', place('failing'))).text.includes('"failing"'));
  const listed = await call('GET', '/secrets?state=failing', { as: 'reader' });
  expect(listed.body).toMatchObject({ secrets: [{ ...shown, trouble: { rotation: { failures: 1 } } }] });
  expect((await call('GET', place('failing'))).body).toMatchObject(shown);
  expect((await call('GET', '/health/details')).body).toMatchObject({ failing: 1, paused: 0 });
  const scheduled = await call('GET', `${place('failing')}/plan?mode=scheduled`, { as: 'reader' });
  expect(scheduled.body).toMatchObject({ code: 'admin-invalid' });
  stage.vault.put('no-such-admin', { value: stage.newest('shop-admin').value, tags: { serves: '*' } });
  const resumed = await call('POST', `${place('failing')}/resume`, { as: 'operator', body: { reason: 'fixed' } });
  expect(resumed.body).toMatchObject({ wasPaused: false, failuresBefore: 1 });
  await stage.said('rotated', 'failing');
  await stage.expectCurrentLogsIn('failing');
  const history = await call('GET', `${place('failing')}/history`);
  expect(history.body).toMatchObject({
    attempts: expect.arrayContaining([
      expect.objectContaining({ outcome: 'resumed', reason: 'fixed', requestedBy: 'key:operator' }),
      expect.objectContaining({ outcome: 'retrying', failure: expect.objectContaining({ code: 'admin-invalid' }) }),
    ]),
  });
});

test('a pause stands as a tag on the secret: what is scheduled is left, what a person asks for is done, and it carries over', async () => {
  const { stage } = backend;
  await stage.plant('paused', { days: 80 });
  const body = { reason: 'vendor is on it', until: 'P2D' };
  const denied = await call('POST', `${place('paused')}/pause`, { as: 'reader', body });
  expect(problemCode(denied)).toBe('role-missing');
  const paused = await call('POST', `${place('paused')}/pause`, { as: 'operator', body });
  expect(paused.body).toMatchObject({ pausedBy: 'key:operator', pausedUntil: expect.any(String) });
  expect(stage.newest('paused').tags).toMatchObject({ requested: expect.stringMatching(/^paused=.*,key:operator,/) });
  const shown = await call('GET', place('paused'), { as: 'reader' });
  expect(shown.body).toMatchObject({
    state: 'paused',
    pausedBy: 'key:operator',
    detail: expect.stringContaining('until'),
  });
  const plan = await call('GET', `${place('paused')}/plan?mode=scheduled`, { as: 'reader' });
  expect(plan.body).toMatchObject({ outcome: 'would-skip', reason: 'paused', state: 'paused' });
  expect((await ask('paused', 'rotate?wait=true')).body).toMatchObject({ state: 'rotated' });
  expect((await call('GET', place('paused'))).body).toMatchObject({ state: 'paused' });
  const resumed = await call('POST', `${place('paused')}/resume`, { as: 'operator', body: { reason: 'done' } });
  expect(resumed.body).toMatchObject({ wasPaused: true });
  expect(stage.newest('paused').tags).not.toHaveProperty('requested');
  const { body: history } = await call('GET', `${place('paused')}/history`);
  expect(history).toMatchObject({
    attempts: expect.arrayContaining([
      expect.objectContaining({
        outcome: 'paused',
        reason: 'vendor is on it',
        detail: expect.stringMatching(/^until /),
      }),
    ]),
  });
});

test.each([
  ['a time that has passed', 'pause-past', { until: '2020-01-01T00:00:00Z' }],
  ['neither a time nor a duration', 'pause-odd', { until: 'tomorrow' }],
])('a pause until %s is refused with what it takes, and nothing is changed', async (_what, name, more) => {
  await backend.stage.plant(name, { days: 80 });
  const refused = await ask(name, 'pause', more);
  expect(refused.body).toMatchObject({
    ...{ status: 400, errors: [{ in: 'body', field: 'until', detail: expect.stringContaining('PT12H') }] },
  });
  expect(backend.stage.newest(name).tags).not.toHaveProperty('requested');
});

test('a secret that a person replaces is rotated for nobody: refused before anything is enqueued, with what to do', async () => {
  const tags = { rotator: 'manual', owner: 'the shop team', link: 'https://ca.contoso.example' };
  backend.stage.put('by-hand', 'not a login at all', { tags, without: ['strategy', 'admin'], days: 10 });
  expect((await call('GET', place('by-hand'))).body).toMatchObject({
    state: 'due',
    manual: true,
    owner: 'the shop team',
  });
  for (const what of ['rotate', 'emergency', 'rollback']) {
    const refused = await ask('by-hand', what);
    expect([refused.status, problemCode(refused)]).toEqual([409, 'manual-rotation']);
    expect(refused.text).toContain('https://ca.contoso.example');
  }
  expect(backend.stage.vault.versions('by-hand')).toHaveLength(1);
});

test('going back to what was revoked takes the role emergency', async () => {
  await backend.stage.plant('revoked-once', { days: 80 });
  const denied = await call('POST', `${place('revoked-once')}/rollback`, {
    as: 'operator',
    body: { reason: 'x', force: true },
  });
  expect(problemCode(denied)).toBe('role-missing');
});

test.each([
  ['a secret that is not there', 'nothing', 404, 'secret-missing'],
  ['a secret that did not opt in', 'shop-admin', 409, 'not-managed'],
])('%s is refused before anything is enqueued', async (_name, secret, status, code) => {
  const refused = await ask(secret, 'rotate');
  expect([refused.status, problemCode(refused)]).toEqual([status, code]);
  expect((await call('GET', `${place(secret)}/history`)).body).toEqual({ attempts: [] });
});

test('no secret value is in any answer, log, row, message or statement', async () => {
  backend.stage.expectNoSecretAnywhere();
  const values = ['planned', 'awaited', 'once', 'retired', 'leaked', 'regretted'].flatMap((name) =>
    backend.stage.vault.versions(name).flatMap(({ value }) => [value, decodeURIComponent(new URL(value).password)]),
  );
  expect(values.length).toBeGreaterThan(15);
  expect(answers.length).toBeGreaterThan(30);
  const told = answers.map(({ text, headers }) => ({ text, headers: [...headers] }));
  expect(findSecrets(told, [...values, ...callers.map(({ key }) => key)])).toEqual([]);
  // The answer of the process that died came from the front end.
  for (const { headers, status } of answers) if (status !== 502) expect(headers.get('cache-control')).toBe('no-store');
});
