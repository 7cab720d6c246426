/** Four eyes: what has to wait for a second person waits, is done once when one approves it, and never otherwise. */
import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { stateTable } from '../../shared/storage/state/records.ts';
import { keyturn } from '../cli/harness.ts';
import { type Backend, type Called, problemCode, startBackend, textOf } from './backend.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({
    KEYTURN_APPROVALS: 'emergency,many,force',
    KEYTURN_ROLE_SCOPES: `${'b'.repeat(8)}-0000-0000-0000-000000000009=emergency@*/other-*`,
  });
});
afterAll(() => backend.close());

const person = (number: number, letter = 'a') => `${letter.repeat(8)}-0000-0000-0000-00000000000${number}`;

/** Calls as a person of the tenant, signed in by token. */
async function as(
  who: { readonly oid: string; readonly name: string; readonly roles?: readonly string[]; readonly app?: true },
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Called> {
  const { oid, name, roles = ['Keyturn.Emergency'], app } = who;
  const claims = { oid, roles, preferred_username: name, ...(app ? { scp: undefined, azp: oid } : {}) };
  const authorization = `Bearer ${await backend.login.token(claims)}`;
  return backend.call(method, path, { as: null, body, headers: { authorization, ...headers } });
}

const ann = { oid: person(1), name: 'ann' };
const ben = { oid: person(2), name: 'ben' };
const cem = { oid: person(3), name: 'cem' };

const of = (secret: string, action: string) => `/vaults/local/secrets/${secret}/${action}`;
const reason = 'posted in ticket 4711';
const versions = (name: string) => backend.stage.vault.versions(name).length;

const rotationShape = z.looseObject({ state: z.string(), requestedBy: z.string() });
async function ended(id: string): Promise<z.infer<typeof rotationShape>> {
  let last: unknown;
  await backend.stage.until('the end of the rotation', async () => {
    last = (await as(ann, 'GET', `/rotations/${id}`)).body;
    return ['rotated', 'failed', 'skipped'].includes(rotationShape.parse(last).state);
  });
  return rotationShape.parse(last);
}

async function askedEmergency(name: string): Promise<string> {
  await backend.stage.plant(name, { days: 80 });
  const asked = await as(ann, 'POST', of(name, 'emergency'), { reason });
  expect(asked).toMatchObject({ status: 202, body: { state: 'awaiting-approval', approval: { state: 'waiting' } } });
  return textOf(asked, 'rotationId');
}

describe('an emergency', () => {
  test('waits, is listed and told, and is done once when another person approves it, with both names', async () => {
    const id = await askedEmergency('eyes-one');
    expect((await as(ben, 'GET', '/approvals')).body).toMatchObject({
      approvals: [{ approvalId: id, action: 'emergency', secret: 'eyes-one', reason, state: 'waiting' }],
    });
    const [told] = await backend.stage.said('approval-wanted', 'eyes-one');
    expect(told).toMatchObject({ level: 'warning', id, by: expect.stringContaining('ann') });
    await backend.stage.settled();
    expect(versions('eyes-one'), 'before the approval').toBe(1);

    const approved = await as(ben, 'POST', `/approvals/${id}/approve`, {});
    expect(approved).toMatchObject({ status: 202, body: { rotationId: id } });
    const done = await ended(id);
    expect(done.state).toBe('rotated');
    expect(JSON.stringify(done)).toMatch(/ann \([^)]*\), approved by ben/);
    expect(versions('eyes-one')).toBe(2);

    expect(await as(ben, 'POST', `/approvals/${id}/approve`, {}), 'the same person again').toMatchObject({
      status: 202,
    });
    expect(problemCode(await as(cem, 'POST', `/approvals/${id}/approve`, {}))).toBe('approval-over');
    await backend.stage.settled();
    expect(versions('eyes-one')).toBe(2);
  });

  test('is approved by neither the one who asked, nor a key, nor an application, nor somebody without the role', async () => {
    const id = await askedEmergency('eyes-two');
    const path = `/approvals/${id}/approve`;
    expect(problemCode(await as(ann, 'POST', path, {}))).toBe('approver-unfit');
    expect(problemCode(await backend.call('POST', path, { as: 'emergency', body: {} }))).toBe('approver-unfit');
    const robot = { oid: person(7), name: 'robot', app: true } as const;
    expect(problemCode(await as(robot, 'POST', path, {}))).toBe('approver-unfit');
    expect(problemCode(await as({ ...ben, roles: ['Keyturn.Operator'] }, 'POST', path, {}))).toBe('role-missing');
    expect(problemCode(await as({ ...ben, roles: ['Keyturn.Reader'] }, 'POST', path, {}))).toBe('role-missing');
    const bounded = { oid: person(9, 'b'), name: 'bounded', roles: ['Keyturn.Emergency'] };
    expect(problemCode(await as(bounded, 'POST', path, {})), 'who may not see it').toBe('approval-unknown');
    await backend.stage.settled();
    expect(versions('eyes-two')).toBe(1);
  });

  test('that two people approve at the same moment is done once', async () => {
    const id = await askedEmergency('eyes-race');
    const answers = await Promise.all([ben, cem].map((who) => as(who, 'POST', `/approvals/${id}/approve`, {})));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect((await ended(id)).state).toBe('rotated');
    await backend.stage.settled();
    expect(versions('eyes-race')).toBe(2);
    const view = (await as(ann, 'GET', `/approvals/${id}`)).body;
    expect(view).toMatchObject({ state: 'approved', approvedBy: expect.stringMatching(/^(ben|cem) /) });
  });

  test('asked for by a key waits too, and one person may approve it', async () => {
    await backend.stage.plant('eyes-key', { days: 80 });
    const asked = await backend.call('POST', of('eyes-key', 'emergency'), { body: { reason } });
    const id = textOf(asked, 'rotationId');
    expect(await as(ann, 'POST', `/approvals/${id}/approve`, {})).toMatchObject({ status: 202 });
    expect((await ended(id)).state).toBe('rotated');
  });

  test('sent again under one Idempotency-Key waits once', async () => {
    await backend.stage.plant('eyes-again', { days: 80 });
    const headers = { 'idempotency-key': 'one-and-the-same' };
    const ids = [];
    for (let time = 0; time < 3; time += 1)
      ids.push(textOf(await as(ann, 'POST', of('eyes-again', 'emergency'), { reason }, headers), 'rotationId'));
    expect(new Set(ids).size).toBe(1);
  });

  test.each([
    ['another version', (name: string) => backend.stage.put(name, backend.stage.newest(name).value, { days: 80 })],
    ['another tag', (name: string) => edit(name, { users: 'billing' })],
  ])('whose secret has %s since is not covered by the approval', async (what, change) => {
    const name = `eyes-${what.replaceAll(' ', '-')}`;
    const id = await askedEmergency(name);
    const before = versions(name);
    await change(name);
    const changed = versions(name) - before;
    expect(problemCode(await as(ben, 'POST', `/approvals/${id}/approve`, {}))).toBe('approval-void');
    await backend.stage.settled();
    expect(versions(name)).toBe(before + changed);
  });

  test('with break-glass goes on at once, takes the role emergency, and is told loudly', async () => {
    const { name } = await backend.stage.plant('eyes-glass', { days: 80 });
    const asked = await as(ann, 'POST', of(name, 'emergency'), { reason, breakGlass: true });
    expect(asked.status).toBe(202);
    const done = await ended(textOf(asked, 'rotationId'));
    expect(done.state).toBe('rotated');
    expect(JSON.stringify(done)).toContain('break-glass');
    const [line] = await backend.stage.said('approval-bypassed', name);
    expect(line).toMatchObject({ level: 'error', reason, by: expect.stringContaining('ann') });
    const operator = { ...ann, roles: ['Keyturn.Operator'] };
    const forced = await as(operator, 'POST', of(name, 'rotate'), { reason, force: true, breakGlass: true });
    expect(problemCode(forced)).toBe('role-missing');
  });
});

/** As an editor of the secret changes the tags of its current version. */
function edit(name: string, tags: Readonly<Record<string, string>>) {
  const { id, tags: before } = backend.stage.newest(name);
  return fetch(`${backend.stage.vault.url}/secrets/${name}/${id}?api-version=2026-04-01`, {
    method: 'PATCH',
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    body: JSON.stringify({ tags: { ...before, ...tags } }),
  });
}

describe('what an approval is about, where the request names no version', () => {
  test.each(['rollback', 'retire'])(
    '%s: is not another version that somebody has led the stamp to since',
    async (action) => {
      const name = `eyes-led-${action}`;
      await backend.stage.plant(name, { days: 80 });
      const rotated = await as(ann, 'POST', of(name, 'rotate'), { reason });
      await ended(textOf(rotated, 'rotationId'));
      const asked = await as(ann, 'POST', of(name, action), { reason, force: true });
      const id = textOf(asked, 'rotationId');
      const { rotation = '' } = backend.stage.newest(name).tags ?? {};
      await edit(name, { rotation: rotation.replace(/from=[0-9a-f]{32}/, `from=${'d'.repeat(32)}`) });
      expect(problemCode(await as(ben, 'POST', `/approvals/${id}/approve`, {}))).toBe('approval-void');
      await edit(name, { rotation });
      expect((await as(ben, 'POST', `/approvals/${id}/approve`, {})).status, 'as it was').toBeLessThan(300);
    },
  );

  test('retire: sent again after another rotation, it does not end what that one replaced', async () => {
    const name = 'eyes-twice';
    await backend.stage.plant(name, { days: 80 });
    await ended(textOf(await as(ann, 'POST', of(name, 'rotate'), { reason }), 'rotationId'));
    const id = textOf(await as(ann, 'POST', of(name, 'retire'), { reason, force: true }), 'rotationId');
    const first = await as(ben, 'POST', `/approvals/${id}/approve`, {});
    expect(first).toMatchObject({ status: 200, body: { state: 'retired' } });
    expect(problemCode(await as(ben, 'POST', `/approvals/${id}/approve`, {})), 'sent again').toBe('not-now');
    await ended(textOf(await as(ann, 'POST', of(name, 'rotate'), { reason }), 'rotationId'));
    expect(problemCode(await as(ben, 'POST', `/approvals/${id}/approve`, {}))).toBe('approval-void');
    expect(backend.stage.newest(name).tags?.['rotation']).not.toMatch(/retired|revoke/);
  });

  test('emergency: is not an earlier version that somebody has named in the tags since', async () => {
    const id = await askedEmergency('eyes-led-emergency');
    const requested = `earlier=${'e'.repeat(32)},2026-01-01T00:00:00Z,key:ops,${'d'.repeat(32)}`;
    await edit('eyes-led-emergency', { requested });
    expect(problemCode(await as(ben, 'POST', `/approvals/${id}/approve`, {}))).toBe('approval-void');
    await backend.stage.settled();
    expect(versions('eyes-led-emergency')).toBe(1);
  });
});

describe('what else may have to wait', () => {
  test('force: of a rotation, a roll-back and a retirement', async () => {
    const { name } = await backend.stage.plant('eyes-force', { days: 80 });
    for (const action of ['rotate', 'rollback', 'retire']) {
      const asked = await as(ann, 'POST', of(name, action), { reason, force: true });
      expect(asked, action).toMatchObject({ status: 202, body: { state: 'awaiting-approval' } });
    }
    await backend.stage.settled();
    expect(versions(name)).toBe(1);
    const ordinary = await as(ann, 'POST', of(name, 'rotate'), { reason });
    expect((await ended(textOf(ordinary, 'rotationId'))).state, 'without force nobody is asked').toBe('rotated');
  });

  test('many: found again when they are approved, and void where the selector finds others', async () => {
    for (const name of ['eyes-many-a', 'eyes-many-b'])
      await backend.stage.plant(name, { days: 80, tags: { team: 'many' } });
    const body = { selector: { tags: { team: 'many' } }, confirm: 2, reason };
    const asked = async () => {
      const answer = await as(ann, 'POST', '/rotations', body);
      expect(answer).toMatchObject({ status: 202, body: { matched: 2, rotations: [] } });
      return z.object({ approval: z.object({ approvalId: z.string() }) }).parse(answer.body).approval.approvalId;
    };
    const first = await asked();
    const done = await as(ben, 'POST', `/approvals/${first}/approve`, {});
    expect(done).toMatchObject({ status: 202, body: { matched: 2 } });
    await backend.stage.until('both', () => versions('eyes-many-a') + versions('eyes-many-b') === 4);

    const second = await asked();
    await backend.stage.plant('eyes-many-c', { days: 80, tags: { team: 'many' } });
    expect(problemCode(await as(ben, 'POST', `/approvals/${second}/approve`, {}))).toBe('approval-void');
  });
});

/** As where a worker died between the approval and the queue: nothing says that the request got there. */
async function forgetQueued(id: string): Promise<void> {
  const { connectionString } = backend.stage.storage;
  const table = TableClient.fromConnectionString(connectionString, stateTable, { allowInsecureConnection: true });
  await table.deleteEntity('mark', `queued=20${id}`);
}

describe('an approved request that died before it was in the queue', () => {
  test('many: sent again, it does not reach other secrets than those that were found', async () => {
    const team = { team: 'died' };
    for (const name of ['eyes-died-a', 'eyes-died-b']) await backend.stage.plant(name, { days: 80, tags: team });
    const asked = await as(ann, 'POST', '/rotations', { selector: { tags: team }, confirm: 2, reason });
    const waiting = z.object({ approval: z.object({ approvalId: z.string() }) }).parse(asked.body);
    const { approvalId: id } = waiting.approval;
    const approve = () => as(ben, 'POST', `/approvals/${id}/approve`, {});
    expect((await approve()).status).toBe(202);
    await backend.stage.until('both', () => versions('eyes-died-a') + versions('eyes-died-b') === 4);
    await backend.stage.settled();
    await forgetQueued(id);
    await edit('eyes-died-b', { team: 'another' });
    await backend.stage.plant('eyes-died-c', { days: 80, tags: team });
    expect(problemCode(await approve())).toBe('approval-void');
    await backend.stage.settled();
    expect(versions('eyes-died-c')).toBe(1);
  });

  test('one secret: sent again by whoever asked, it does not reach what was put there since', async () => {
    const name = 'eyes-died-one';
    await backend.stage.plant(name, { days: 80 });
    const key = { 'idempotency-key': 'died-before-the-queue' };
    const ask = () => as(ann, 'POST', of(name, 'rotate'), { reason, force: true }, key);
    const id = textOf(await ask(), 'rotationId');
    expect((await as(ben, 'POST', `/approvals/${id}/approve`, {})).status).toBe(202);
    await ended(id);
    expect((await ask()).status, 'its work is done').toBe(202);
    await forgetQueued(id);
    expect(problemCode(await ask())).toBe('approval-void');
    await backend.stage.settled();
    expect(versions(name)).toBe(2);
  });
});

describe('keyturn', () => {
  const urlOf = () => ({ KEYTURN_URL: backend.stage.azure.host.url });
  const tokenOf = async (who: { readonly oid: string; readonly name: string }) =>
    backend.login.token({ oid: who.oid, preferred_username: who.name });

  test('says that it waits, exits with 6, and lists and approves', async () => {
    const { name } = await backend.stage.plant('eyes-cli', { days: 80 });
    const [env, other] = [
      { ...urlOf(), KEYTURN_TOKEN: await tokenOf(ann) },
      { ...urlOf(), KEYTURN_TOKEN: await tokenOf(ben) },
    ];
    const asked = await keyturn(['emergency', name, '-r', reason, '--timeout', '1'], { env });
    expect(asked).toMatchObject({ exit: 6, err: expect.stringContaining('waits for a second person') });
    const id = /keyturn approve ([0-9a-f]{32})/.exec(asked.err)?.[1] ?? '';
    const now = await keyturn(['emergency', name, '-r', reason, '--no-wait'], { env });
    expect(now).toMatchObject({ exit: 6, out: expect.stringContaining('awaiting-approval') });
    const listed = await keyturn(['approvals'], { env: other });
    expect(listed).toMatchObject({ exit: 0, out: expect.stringContaining(`emergency of local/${name}`) });
    const own = await keyturn(['approve', id], { env });
    expect(own).toMatchObject({ exit: 4, err: expect.stringContaining('approver-unfit') });
    expect(await keyturn(['approve', id], { env: other })).toMatchObject({
      exit: 0,
      out: expect.stringContaining('rotated'),
    });
    expect(await keyturn(['approve', 'x'], { env: other })).toMatchObject({ exit: 2 });
  });

  test('with --break-glass goes on alone', async () => {
    const { name } = await backend.stage.plant('eyes-cli-glass', { days: 80 });
    const env = { ...urlOf(), KEYTURN_TOKEN: await tokenOf(ann) };
    const done = await keyturn(['emergency', name, '-r', reason, '--break-glass'], { env });
    expect(done).toMatchObject({ exit: 0, out: expect.stringContaining('rotated') });
  });
});

describe('the page behind the link', () => {
  test('says nothing of the request, changes nothing, and asks to sign in', async () => {
    const id = await askedEmergency('eyes-page');
    const page = await fetch(`${backend.stage.azure.host.url}/approvals/${id}`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const text = await page.text();
    expect(text).not.toContain('eyes-page');
    expect(text).not.toContain(reason);
    expect((await as(ann, 'GET', `/approvals/${id}`)).body).toMatchObject({ state: 'waiting' });
    const get = await as(ben, 'GET', `/approvals/${id}/approve`);
    expect(problemCode(get)).toBe('method-not-allowed');
  });
});

test('no secret value is in any log, event, message, row, blob or statement', () => {
  backend.stage.expectNoSecretAnywhere();
});
