import { describe, expect, it } from 'vitest';
import { channels } from '../../shared/config/channels.ts';
import { readSettings } from '../../shared/config/settings.ts';

const group = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shop-rg/providers';

const good = {
  events: { kind: 'event-grid', endpoint: 'https://t.westeurope-1.eventgrid.azure.net/api/events' },
  keyed: { kind: 'event-grid', endpoint: 'https://t.example/api/events', keySecret: 'other-kv/topic-key' },
  shop: { kind: 'webhook', url: 'https://shop.contoso.com/hook', signingSecret: 'shop-signing', types: ['rotated'] },
  hidden: { kind: 'webhook', urlSecret: 'shop-url', host: 'Shop.contoso.com', signingSecret: 'shop-signing' },
  ops: { kind: 'slack', urlSecret: 'ops-url' },
  oncall: { kind: 'teams', urlSecret: 'oncall-url', host: 'prod-1.westeurope.logic.azure.com' },
  pager: { kind: 'pagerduty', routingKeySecret: 'pager-key', types: ['failed'] },
  europe: { kind: 'pagerduty', routingKeySecret: 'pager-key', endpoint: 'https://events.eu.pagerduty.com/v2/enqueue' },
  mail: {
    ...{ kind: 'email', endpoint: 'https://contoso.europe.communication.azure.com' },
    ...{ from: 'keyturn@contoso.com', to: ['oncall@contoso.com', 'dba@contoso.com'], keySecret: 'mail-key' },
  },
  other: {
    ...{ kind: 'template', url: 'https://api.opsgenie.com/v2/alerts', keySecret: 'alert-key' },
    headers: { authorization: 'GenieKey {{key}}' },
    body: { message: '{{what}}', alias: '{{dedupKey}}', tags: ['{{ type }}'] },
  },
  bare: { kind: 'template', urlSecret: 'other-url', host: 'alerts.contoso.com', body: { text: '{{what}} {{next}}' } },
  site: { kind: 'key-vault-reference', site: `${group}/Microsoft.Web/sites/shop/slots/next`, restart: true },
  job: { kind: 'container-app', app: `${group}/Microsoft.App/containerApps/job` },
};

function read(settings: unknown) {
  const outcome = channels(typeof settings === 'string' ? settings : JSON.stringify(settings));
  return outcome.kind === 'read' ? outcome.value : outcome.reason;
}

function settingsWith(environment: Readonly<Record<string, string>>) {
  const least = {
    KEYTURN_VAULTS: 'https://contoso-kv.vault.azure.net',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  };
  return readSettings({ ...least, ...environment });
}

describe('channels', () => {
  it('of every kind are read', () => {
    const found = read(good);
    if (typeof found === 'string') throw new Error(found);
    expect([...found.keys()]).toEqual(Object.keys(good));
    expect(found.get('keyed')).toMatchObject({ keySecret: { vault: 'other-kv', name: 'topic-key' } });
    expect(found.get('hidden')).toMatchObject({
      address: { kind: 'secret', host: 'shop.contoso.com', secret: { name: 'shop-url' } },
    });
    expect(found.get('ops')).toMatchObject({ address: { host: 'hooks.slack.com' } });
    expect(found.get('site')).toMatchObject({ restart: true });
    expect(found.get('pager')).toMatchObject({ endpoint: new URL('https://events.pagerduty.com/v2/enqueue') });
  });

  it('are none where the setting is empty', () => {
    expect(read('')).toEqual(new Map());
    expect(read('{}')).toEqual(new Map());
  });

  it.each<readonly [string, unknown, string]>([
    ['no JSON', '{"a": canary}', 'is not JSON'],
    ['a list', '[]', 'is not a JSON object of channels by name'],
    ['a name with blanks', { 'The Canary': good.ops }, 'the name of channel 1 is not lower-case'],
    ['a channel that is a text', { ops: 'canary' }, 'channel "ops": it is not an object'],
    ['no kind', { ops: {} }, 'its "kind" is one of event-grid, webhook'],
    ['an unknown kind', { ops: { kind: 'canary' } }, 'its "kind" is one of'],
    [
      'http beyond loopback',
      { a: { ...good.shop, url: 'http://canary.example' } },
      'its "url" is an address that begins',
    ],
    [
      'a name that only looks like loopback',
      { a: { ...good.shop, url: 'http://127.0.0.1.canary.example' } },
      'its "url"',
    ],
    ['a login in the address', { a: { ...good.shop, url: 'https://u:canary@x.example' } }, 'holds no login'],
    [
      'a key in clear',
      { a: { ...good.shop, signingSecret: 'whsec_canary+/=' } },
      'its "signingSecret" is the name of a vault',
    ],
    [
      'a Slack address in clear',
      { a: { kind: 'slack', url: 'https://hooks.slack.com/canary' } },
      'its "urlSecret" is the name',
    ],
    ['both addresses', { a: { ...good.shop, urlSecret: 'x' } }, 'it does not take "urlSecret"'],
    ['a hidden address without a host', { a: { ...good.hidden, host: undefined } }, 'its "host" is the name of a host'],
    ['Teams without a host', { a: { kind: 'teams', urlSecret: 'x' } }, 'its "host"'],
    ['an unknown field', { a: { ...good.ops, hots: 'canary' } }, 'it does not take "hots"'],
    [
      'an unknown type',
      { a: { ...good.ops, types: ['rotated', 'canary'] } },
      'its "types" is a list of rotated, retired',
    ],
    ['no types at all', { a: { ...good.ops, types: [] } }, 'its "types" is a list of'],
    ['a resource of another provider', { a: { ...good.site, site: good.job.app } }, 'its "site" is the resource id'],
    ['a path that climbs', { a: { ...good.job, app: `${good.job.app}/../../x` } }, 'its "app" is the resource id'],
    ['no routing key', { a: { kind: 'pagerduty' } }, 'its "routingKeySecret" is the name'],
    ['a routing key in clear', { a: { ...good.pager, routingKeySecret: 'canary key' } }, 'its "routingKeySecret"'],
    ['nobody to write to', { a: { ...good.mail, to: [] } }, 'its "to" is a list of which each is an e-mail address'],
    ['an address that is none', { a: { ...good.mail, to: ['a@b.example', 'canary'] } }, 'its "to" is a list'],
    ['a sender of two lines', { a: { ...good.mail, from: 'a@b.example\ncanary' } }, 'its "from" is an e-mail address'],
    ['a template that is a text', { a: { ...good.other, body: '{{what}}' } }, 'its "body" is an object or a list'],
    [
      'a template that asks for what is not there',
      { a: { ...good.other, body: { x: '{{canary}}' } } },
      'asks for something',
    ],
    ['a template that asks for a key it has not', { a: { ...good.bare, body: { x: '{{key}}' } } }, 'no "keySecret"'],
    ['a header of two lines', { a: { ...good.other, headers: { x: 'a\r\ncanary: b' } } }, 'its "headers" is an object'],
    [
      'a header that the client makes',
      { a: { ...good.other, headers: { Host: 'canary' } } },
      'its "headers" is an object',
    ],
    ['a word for a flag', { a: { ...good.site, restart: 'yes' } }, 'its "restart" is true or false'],
  ])('with %s are refused with the reason, and no value is quoted', (_what, settings, reason) => {
    const outcome = read(settings);
    expect(outcome).toContain(reason);
    expect(outcome).not.toMatch(/canary/i);
  });

  it('name every problem of every channel at once', () => {
    const outcome = read({ a: { kind: 'webhook' }, b: { kind: 'teams' } });
    expect(String(outcome).split('; ')).toHaveLength(4);
  });
});

describe('the settings', () => {
  it('take channels and the default list', () => {
    const outcome = settingsWith({ KEYTURN_CHANNELS: JSON.stringify({ ops: good.ops }), KEYTURN_NOTIFY: ' Ops ' });
    expect(outcome).toMatchObject({ settings: { notify: ['ops'] } });
  });

  it.each([
    [{ KEYTURN_NOTIFY: 'ops' }, 'KEYTURN_NOTIFY'],
    [{ KEYTURN_CHANNELS: '{"ops":{}}', KEYTURN_NOTIFY: 'ops' }, 'KEYTURN_CHANNELS'],
    [{ KEYTURN_CHANNELS: JSON.stringify({ keyed: good.keyed }) }, 'KEYTURN_CHANNELS'],
  ])('%o are refused by the name of %s', (environment: Record<string, string>, name) => {
    const outcome = settingsWith(environment);
    expect(outcome.kind === 'invalid' && outcome.problems.map((one) => one.setting)).toEqual([name]);
  });
});
