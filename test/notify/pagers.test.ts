/** Channels that people are paged by: what each is told, which incident it belongs to, and what nobody is woken for. */
import { afterEach, describe, expect, test } from 'vitest';
import { alertTemplate, startAlertService } from '../../local/receivers/alerts.ts';
import { startMailService } from '../../local/receivers/email.ts';
import { startPagerDuty } from '../../local/receivers/pagerduty.ts';
import type { Notice } from '../../shared/contract/notice.ts';
import type { NoticeType } from '../../shared/contract/notice-types.ts';
import { noticeTypes } from '../../shared/contract/notice-types.ts';
import { templateFields } from '../../shared/contract/template-fields.ts';
import { valuesOf } from '../../shared/notify/template.ts';
import { canaries } from './kinds.ts';
import { NotifyWorld, rotatedNotice } from './world.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

function kept<Server extends { close(): Promise<void> }>(server: Server): Server {
  open.push(server);
  return server;
}

const failure = {
  code: 'admin-refused',
  message: 'orders-db: db refused "}, "severity": "info"',
  hint: 'Store another admin, then run "keyturn rotate orders-db".',
  page: 'https://docs.contoso.com/docs/errors/admin-refused.md',
};

function news(type: NoticeType, more: Partial<Notice> = {}): Notice {
  const failed = ['failed', 'paused', 'drifted'].includes(type) ? { failure } : {};
  const { version: _version, ...rest } = rotatedNotice();
  return { ...rest, id: `id-${type}-${JSON.stringify(more).length}`, type, ...failed, ...more };
}

describe('PagerDuty', () => {
  async function pager() {
    const service = kept(await startPagerDuty(canaries.routingKey));
    const channels = { pager: { kind: 'pagerduty', endpoint: service.endpoint, routingKeySecret: 'pager-key' } };
    const world = new NotifyWorld({ channels, secrets: { 'pager-key': canaries.routingKey } });
    return { service, world };
  }

  test('a failed rotation opens one incident with the next step, however often it fails; the next success closes it', async () => {
    const { service, world } = await pager();
    world.tell(news('failed'));
    await world.run();
    world.tell(news('paused'));
    await world.run();
    expect(service.incidents).toMatchObject([
      { key: 'keyturn/contoso-kv/orders-db/rotation', severity: 'error', alerts: 2, open: true },
    ]);
    expect(service.incidents[0]?.summary).toContain('orders-db (contoso-kv) was not rotated');
    world.tell(news('rotated'));
    await world.run();
    expect(service.incidents.map((one) => one.open)).toEqual([false]);
  });

  test('what takes consumers down is critical', async () => {
    const { service, world } = await pager();
    world.tell(news('failed', { stillWorks: 'no' }));
    world.tell(news('drifted'));
    await world.run();
    expect(service.incidents.map(({ key, severity }) => [key.split('/').at(-1), severity])).toEqual([
      ['rotation', 'critical'],
      ['credential', 'critical'],
    ]);
  });

  test('an old credential that is still used has an incident of its own, which a rotation leaves open and its end closes', async () => {
    const { service, world } = await pager();
    world.tell(news('waiting', { holding: ['billing'] }));
    world.tell(news('rotated'));
    await world.run();
    expect(service.incidents).toMatchObject([{ severity: 'warning', open: true }]);
    world.tell(news('retired'));
    await world.run();
    expect(service.incidents).toMatchObject([{ open: false }]);
  });

  test('nobody is paged for what only announces itself, and what closes incidents is told whatever the types are', async () => {
    const service = kept(await startPagerDuty(canaries.routingKey));
    const settings = {
      kind: 'pagerduty',
      endpoint: service.endpoint,
      routingKeySecret: 'pager-key',
      types: ['failed'],
    };
    const world = new NotifyWorld({ channels: { pager: settings }, secrets: { 'pager-key': canaries.routingKey } });
    for (const type of noticeTypes) world.tell(news(type));
    await world.run();
    const actions = service.events.map((event) => event.split(' ')[0]);
    expect(actions.filter((action) => action === 'trigger')).toHaveLength(1);
    expect(actions.filter((action) => action === 'resolve')).toHaveLength(3);
  });

  test('a routing key that is not known is a refusal, and the new one is read at the next try', async () => {
    const { service, world } = await pager();
    world.putSecret('pager-key', 'another key');
    world.tell(news('failed'));
    await world.run(5_000);
    expect(world.logs.join()).toContain('HTTP 400');
    expect(world.logs.join()).not.toContain('another key');
    world.putSecret('pager-key', canaries.routingKey);
    await world.run();
    expect(service.incidents).toHaveLength(1);
  });
});

describe('e-mail', () => {
  const from = 'keyturn@contoso.com';
  async function mail(more: Record<string, unknown>, token = canaries.token) {
    const clock: { world?: NotifyWorld } = {};
    const now = () => new Date(clock.world?.nowMs ?? 0);
    const service = kept(
      await startMailService({ key: canaries.mailKey, token: canaries.token, senders: [from], now }),
    );
    const channels = { mail: { kind: 'email', endpoint: service.url, from, to: ['oncall@contoso.com'], ...more } };
    const world = new NotifyWorld({ channels, secrets: { 'mail-key': canaries.mailKey }, token });
    clock.world = world;
    return { service, world };
  }

  test.each([
    ['the identity of the app', {}],
    ['a key', { keySecret: 'mail-key' }],
  ])('by %s says what happened, what to do and the facts, in plain text', async (_, access) => {
    const { service, world } = await mail(access);
    world.tell(news('failed', { stillWorks: 'yes' }));
    await world.run();
    expect(service.sent).toHaveLength(1);
    const [{ content, recipients } = { content: { subject: '' }, recipients: {} }] = service.sent;
    expect(recipients).toEqual({ to: [{ address: 'oncall@contoso.com' }] });
    expect(content.subject).toMatch(/^\[Keyturn: act\] orders-db \(contoso-kv\) was not rotated\./);
    expect(content).not.toHaveProperty('html');
    expect(JSON.stringify(content)).toContain('Next: Store another admin');
  });

  test('whose answer was lost is the same operation when it is sent again', async () => {
    const { service, world } = await mail({});
    service.fail({ when: 'after', how: 'cut' });
    world.tell(news('failed'));
    await world.run();
    expect(service.operations).toHaveLength(2);
    expect(new Set(service.operations).size).toBe(1);
    expect(service.sent).toHaveLength(1);
  });

  test('by an identity without the right is refused, with the next step', async () => {
    const { service, world } = await mail({}, 'another token');
    world.tell(news('failed'));
    await world.run(5_000);
    expect(service.sent).toEqual([]);
    expect(world.logs.join()).toMatch(/HTTP 401/);
  });
});

describe('a template', () => {
  test('is filled text by text: what a target says can never become JSON of its own', async () => {
    const service = kept(await startAlertService(canaries.alertKey));
    const settings = { kind: 'template', url: service.address, keySecret: 'alert-key', ...alertTemplate };
    const world = new NotifyWorld({ channels: { other: settings }, secrets: { 'alert-key': canaries.alertKey } });
    world.tell(news('failed'));
    await world.run();
    expect(service.received).toEqual([
      {
        message: expect.stringContaining('"}, "severity": "info"'),
        description: failure.hint,
        alias: 'keyturn/contoso-kv/orders-db/rotation',
        priority: 'P1',
        details: { secret: 'orders-db', vault: 'contoso-kv', severity: 'error' },
        tags: ['keyturn', 'failed'],
      },
    ]);
  });

  test.each(noticeTypes)('has every field that there may be, for news of type "%s"', (type) => {
    const known: readonly string[] = templateFields;
    const values = valuesOf(news(type));
    expect(Object.keys(values).filter((name) => !known.includes(name))).toEqual([]);
    for (const name of ['what', 'next', 'severity', 'state', 'dedupKey', 'event'] as const)
      expect(values[name], name).toMatch(/\S/);
  });

  test('with a key that no header can hold says so, and sends nothing', async () => {
    const service = kept(await startAlertService(canaries.alertKey));
    const settings = { kind: 'template', url: service.address, keySecret: 'alert-key', ...alertTemplate };
    const world = new NotifyWorld({ channels: { other: settings }, secrets: { 'alert-key': 'canary\r\nx: y' } });
    world.tell(news('failed'));
    await world.run(5_000);
    expect(service.requests).toEqual([]);
    expect(world.logs.join()).toContain('visible characters');
    expect(world.logs.join()).not.toContain('canary');
  });
});
