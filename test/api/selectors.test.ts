/** Lists, many at once, acknowledgements, the freeze switch and alerts, over HTTP. */

import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Backend, type Called, problemCode, startBackend, tenant, textOf } from './backend.ts';

let backend: Backend;
const consumerId = 'bbbbbbbb-0000-0000-0000-000000000001';

beforeAll(async () => {
  backend = await startBackend({ KEYTURN_CONSUMERS: `web-shop=${consumerId}` });
  const { vault } = backend.stage;
  for (let index = 0; index < 60; index++) {
    const tags = index % 3 === 0 ? { rotator: 'self-issued', team: index % 2 === 0 ? 'a' : 'b' } : { team: 'a' };
    vault.put(`key-${String(index).padStart(2, '0')}`, { value: `canary-value-${index}`.padEnd(40, 'x'), tags });
  }
  // Each is an event, and each event has the versions of its secret looked at.
  const looked = () => vault.calls.latest.flatMap(({ operation, name }) => (operation === 'versions' ? [name] : []));
  await backend.stage.until('every new version looked at', () => new Set(looked()).size >= 60);
  await backend.stage.settled();
});
afterAll(() => backend?.close());

const list = (query: string) => backend.call('GET', `/secrets?${query}`, { as: 'reader' });
const page = z.object({
  secrets: z.array(z.object({ secret: z.string(), state: z.string() })),
  next: z.string().optional(),
});

async function listAll(query: string): Promise<{ names: string[]; pages: number }> {
  const names: string[] = [];
  let pages = 0;
  for (let next: string | undefined = ''; next !== undefined; pages++) {
    const { secrets, next: following } = page.parse((await list(`${query}${next === '' ? '' : `&page=${next}`}`)).body);
    names.push(...secrets.map(({ secret }) => secret));
    next = following;
  }
  return { names: names.sort(), pages };
}

async function queued(): Promise<number> {
  const client = QueueServiceClient.fromConnectionString(backend.stage.storage.connectionString).getQueueClient(
    queueNames.rotations,
  );
  return (await client.exists()) ? ((await client.getProperties()).approximateMessagesCount ?? 0) : 0;
}

describe('a list', () => {
  it('is the listing of the vault page by page, one call a page, and reads no secret', async () => {
    backend.stage.vault.calls.reset();
    const { names, pages } = await listAll('vault=local');
    expect(names).toHaveLength(20);
    expect(pages).toBe(3);
    expect(backend.stage.vault.calls.latest.map(({ operation }) => operation)).toEqual(['list', 'list', 'list']);
  });

  it('shows what fits all filters, and nothing where one is unknown', async () => {
    expect((await listAll('rotator=self-issued&tag=team=b')).names).toHaveLength(10);
    expect((await listAll('tag=team=a&tag=rotator')).names).toHaveLength(10);
    expect((await listAll('state=unmanaged&tag=team')).names).toHaveLength(40);
    expect((await listAll('state=unmanaged&state=healthy')).names).toHaveLength(61);
    expect((await listAll('tag=team=')).names).toEqual([]);
    expect((await listAll('rotator=postgres')).names).toEqual([]);
    expect((await listAll('tag=__proto__')).names).toEqual([]);
  });

  it('names each query that cannot be used, and what is allowed', async () => {
    const wrong = await list('state=sick&rotatr=postgres&page=nonsense');
    expect(wrong.body).toMatchObject({
      status: 400,
      errors: expect.arrayContaining([
        expect.objectContaining({ in: 'query', field: 'state.0', allowed: expect.arrayContaining(['due', 'healthy']) }),
        expect.objectContaining({ field: 'rotatr', detail: expect.stringContaining('rotator') }),
        expect.objectContaining({ field: 'page' }),
      ]),
    });
    expect(problemCode(await list('vault=elsewhere'))).toBe('vault-not-served');
    const forged = Buffer.from(JSON.stringify({ vault: 'elsewhere', next: 'x' })).toString('base64url');
    expect(problemCode(await list(`page=${forged}`))).toBe('vault-not-served');
  });
});

const many = (body: object, headers: Record<string, string> = {}) =>
  backend.call('POST', '/rotations', { as: 'operator', body: { reason: 'a test', ...body }, headers });

describe('many at once', () => {
  it.each([
    ['an unknown field', { selector: { rotatr: 'self-issued' }, confirm: 20 }, 'selector.rotatr'],
    ['nothing', { selector: {}, confirm: 61 }, 'selector'],
    ['no selector', { confirm: 61 }, 'selector'],
    ['no number', { selector: { rotator: 'self-issued' } }, 'confirm'],
    ['a number that is none', { selector: { rotator: 'self-issued' }, confirm: '20' }, 'confirm'],
    ['an unknown state', { selector: { state: 'all' }, confirm: 20 }, 'selector.state'],
    ['no names', { selector: { names: [] }, confirm: 0 }, 'selector.names'],
  ])('a selector with %s is refused with its field, and nothing is enqueued', async (_name, body, field) => {
    const before = await queued();
    const refused = await many(body);
    expect(refused.body).toMatchObject({
      status: 400,
      errors: expect.arrayContaining([expect.objectContaining({ field })]),
    });
    expect(await queued()).toBe(before);
  });

  it('another number than was confirmed is refused, with the number and the names', async () => {
    const refused = await many({ selector: { rotator: 'self-issued', tags: { team: 'b' } }, confirm: 9 });
    expect([refused.status, problemCode(refused)]).toEqual([409, 'count-differs']);
    expect(refused.body).toMatchObject({
      matched: 10,
      secrets: expect.arrayContaining([{ vault: 'local', secret: 'key-03' }]),
    });
    expect(await queued()).toBe(0);
  });

  it('a selector that matches nothing rotates nothing', async () => {
    for (const selector of [
      { rotator: 'unheard-of' },
      { tags: { team: 'nobody' } },
      { names: ['nothing'] },
      { tags: { absent: '' } },
    ]) {
      expect((await many({ selector, confirm: 0 })).body).toEqual({ matched: 0, rotations: [] });
    }
    expect(await queued()).toBe(0);
  });

  it('as confirmed, each is rotated once, also when the request is sent again with its key', async () => {
    const request = { selector: { rotator: 'self-issued', tags: { team: 'b' }, state: 'healthy' }, confirm: 10 };
    const headers = { 'idempotency-key': 'many-1' };
    expect(problemCode(await many({ ...request, confirm: 9 }, headers))).toBe('count-differs');
    const first = await many(request, headers);
    expect(first.status).toBe(202);
    const { rotations } = z
      .object({ rotations: z.array(z.object({ secret: z.string(), rotationId: z.string() })) })
      .parse(first.body);
    expect(new Set(rotations.map(({ rotationId }) => rotationId)).size).toBe(10);
    await backend.stage.settled();
    const again = await many(request, headers);
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(problemCode(await many({ ...request, reason: 'another' }, headers))).toBe('key-reused');
    await backend.stage.settled();
    for (const { secret, rotationId } of rotations) {
      expect(backend.stage.vault.versions(secret), secret).toHaveLength(2);
      const shown = await backend.call('GET', `/rotations/${rotationId}`, { as: 'reader' });
      expect(shown.body).toMatchObject({ secret, state: 'rotated' });
    }
    expect(backend.stage.vault.versions('key-00')).toHaveLength(1);
  });
});

describe('an acknowledgement', () => {
  const of = (secret: string) =>
    `/vaults/local/secrets/${secret}/versions/${backend.stage.newest(secret).id}/acknowledgements`;
  const send = (
    secret: string,
    as: 'orders-app' | 'billing-app' | null,
    body: object = {},
    headers: Record<string, string> = {},
  ) => backend.call('POST', of(secret), { as, body, headers });

  it('counts under the own name of the caller alone; who is missing is named with the time; the last one lets the old credential end', async () => {
    const { url } = await backend.stage.plant('shared-db', { days: 80, tags: { consumers: 'orders-app, web-shop' } });
    await backend.call('POST', '/vaults/local/secrets/shared-db/rotate?wait=true', { body: { reason: 'a test' } });
    const missing = await backend.call('GET', of('shared-db'), { as: 'reader' });
    expect(missing.body).toMatchObject({
      complete: false,
      current: true,
      missing: [{ consumer: 'orders-app', forSeconds: expect.any(Number) }, { consumer: 'web-shop' }],
    });
    expect(problemCode(await send('shared-db', 'billing-app'))).toBe('not-a-consumer');
    expect(problemCode(await send('shared-db', 'billing-app', { consumer: 'orders-app' }))).toBe('not-a-consumer');
    expect(problemCode(await send('shared-db', 'orders-app', { consumer: 'web-shop' }))).toBe('not-a-consumer');
    const one = await send('shared-db', 'orders-app');
    expect(one.body).toMatchObject({ acknowledged: [{ consumer: 'orders-app' }], missing: [{ consumer: 'web-shop' }] });
    expect(await backend.stage.accepts(url)).toBe(true);

    const claims = { oid: consumerId, scp: undefined, roles: ['Keyturn.Consumer'], tid: tenant };
    const headers = { authorization: `Bearer ${await backend.login.token(claims)}` };
    const two = await send('shared-db', null, {}, headers);
    expect(two.body).toMatchObject({ complete: true, missing: [] });
    await backend.stage.said('retired', 'shared-db');
    expect(await backend.stage.accepts(url)).toBe(false);
    const shown = await backend.call('GET', '/vaults/local/secrets/shared-db', { as: 'reader' });
    expect(shown.body).toMatchObject({ retired: true, acknowledgements: { complete: true } });
  });

  it('of a person cannot be made through an application that is a consumer', async () => {
    const claims = { azp: consumerId, roles: ['Keyturn.Consumer'] };
    const headers = { authorization: `Bearer ${await backend.login.token(claims)}` };
    expect(problemCode(await send('shared-db', null, {}, headers))).toBe('not-a-consumer');
  });

  it('of a version that is not there is refused', async () => {
    const path = `/vaults/local/secrets/shared-db/versions/${'0'.repeat(32)}/acknowledgements`;
    expect(problemCode(await backend.call('POST', path, { as: 'orders-app', body: {} }))).toBe('version-unknown');
  });
});

describe('the freeze switch', () => {
  it('says who threw it and why, holds back what is automatic and nothing a person asks for', async () => {
    const set = (frozen: boolean) =>
      backend.call('PUT', '/freeze', { as: 'operator', body: { frozen, reason: 'release' } });
    expect((await set(true)).body).toMatchObject({ frozen: true, by: 'key:operator', reason: 'release' });
    await backend.stage.plant('cold', { days: 20 });
    await backend.stage.said('skipped', 'cold');
    const planned = await backend.call('GET', '/vaults/local/secrets/cold/plan?mode=scheduled', { as: 'reader' });
    expect(planned.body).toMatchObject({ outcome: 'would-skip', reason: 'frozen' });
    const asked = await backend.call('POST', '/vaults/local/secrets/cold/rotate?wait=true', {
      body: { reason: 'now' },
    });
    expect(asked.body).toMatchObject({ state: 'rotated' });
    expect((await set(false)).body).toMatchObject({ frozen: false });
    expect((await backend.call('GET', '/health/details', { as: 'reader' })).body).toMatchObject({
      freeze: { frozen: false },
    });
  });
});

describe('an alert', () => {
  const alert = (
    essentials: object = {},
    customProperties: unknown = { vault: 'local', secret: 'alerted', action: 'rotate' },
  ) => ({
    schemaId: 'azureMonitorCommonAlertSchema',
    data: {
      essentials: {
        alertId: '/subscriptions/1/providers/Microsoft.AlertsManagement/alerts/1',
        originAlertId: 'origin-1',
        alertRule: 'login failures',
        severity: 'Sev1',
        monitorCondition: 'Fired',
        firedDateTime: '2026-03-01T12:00:00.0000000Z',
        ...essentials,
      },
      alertContext: { anything: ['else'] },
      customProperties,
    },
  });
  const send = (body: unknown, as: 'operator' | 'emergency' | 'reader' = 'operator'): Promise<Called> =>
    backend.call('POST', '/alerts', { as, body });

  it('rotates the secret it names, once for each alert however often it is sent', async () => {
    await backend.stage.plant('alerted', { days: 80 });
    const first = await send(alert());
    expect(first.status).toBe(202);
    const again = await send(alert());
    expect(textOf(again, 'rotationId')).toBe(textOf(first, 'rotationId'));
    await backend.stage.settled();
    expect(backend.stage.vault.versions('alerted')).toHaveLength(2);
    const shown = await backend.call('GET', `/rotations/${textOf(first, 'rotationId')}`, { as: 'reader' });
    expect(shown.body).toMatchObject({ state: 'rotated', reason: 'alert login failures' });
  });

  it('that is resolved does nothing', async () => {
    const ignored = await send(alert({ monitorCondition: 'Resolved', originAlertId: 'origin-2' }));
    expect([ignored.status, ignored.body]).toMatchObject([200, { state: 'ignored' }]);
  });

  it.each([
    ['no custom properties', null, 'data.customProperties.vault'],
    ['another action', { vault: 'local', secret: 'alerted', action: 'delete' }, 'data.customProperties.action'],
    ['a name that is none', { vault: 'local', secret: '../other', action: 'rotate' }, 'data.customProperties.secret'],
  ])('with %s is refused by field', async (_name, properties, field) => {
    const refused = await send(alert({ originAlertId: 'origin-3' }, properties));
    expect([refused.status, problemCode(refused)]).toEqual([422, 'alert-unusable']);
    expect(refused.body).toMatchObject({ errors: expect.arrayContaining([expect.objectContaining({ field })]) });
  });

  it('may do no more than its caller', async () => {
    const emergency = { vault: 'local', secret: 'alerted', action: 'emergency' };
    expect(problemCode(await send(alert({ originAlertId: 'origin-4' }, emergency)))).toBe('role-missing');
    expect(problemCode(await send(alert({}), 'reader'))).toBe('role-missing');
    expect((await send(alert({ originAlertId: 'origin-4' }, emergency), 'emergency')).status).toBe(202);
    await backend.stage.settled();
  });

  it('in another schema is told which one', async () => {
    const refused = await send({ schemaId: 'AzureMonitorMetricAlert', data: {} });
    expect(refused.body).toMatchObject({ status: 400, detail: expect.stringContaining('common alert schema') });
  });
});

describe('everything', () => {
  it('keeps secret values out of logs, rows and messages', () => backend.stage.expectNoSecretAnywhere());
});
