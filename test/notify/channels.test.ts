/** Who is told of what, and in which words. */
import { createServer } from 'node:https';
import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { makeCertificates } from '../../local/certificates.ts';
import { startSlack, startTeams } from '../../local/receivers/chat.ts';
import { eventGridTopic, startEventGridTopic } from '../../local/receivers/event-grid.ts';
import { type ResourceManager, startResourceManager } from '../../local/receivers/resource-manager.ts';
import type { Notice } from '../../shared/contract/notice.ts';
import { noticeTypes } from '../../shared/contract/notice-types.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { eventTypeOf } from '../../shared/notify/events.ts';
import { wordsOf } from '../../shared/notify/text.ts';
import { NotifyWorld, rotatedNotice, vaultName } from './world.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
function kept<Started extends { close(): unknown }>(started: Started): Started {
  open.push(started);
  return started;
}

const failure = {
  code: 'admin-refused',
  message:
    'orders-db: pg.contoso.com refused the admin orders-admin: <!channel> *password* authentication failed\n for "x"',
  hint: 'Put a working connection into the admin secret of orders-db.',
  page: 'docs/errors/admin-refused.md',
};

function news(type: Notice['type'], more: Partial<Notice> = {}): Notice {
  const isTrouble = type === 'failed' || type === 'paused' || type === 'drifted';
  return rotatedNotice({ id: `id-${type}`, type, ...(isTrouble ? { failure } : {}), ...more });
}

describe('the channels of a notice', () => {
  async function twoTopics() {
    const [ours, standard] = [kept(await startEventGridTopic(['k'])), kept(await startEventGridTopic(['k']))];
    const topic = (endpoint: string) => ({ kind: 'event-grid', endpoint, keySecret: 'topic-key' });
    const channels = { ours: topic(ours.endpoint), standard: topic(standard.endpoint) };
    const world = new NotifyWorld({ channels, standard: ['standard'], secrets: { 'topic-key': 'k' } });
    return { ours, standard, world };
  }

  test('are those of the tag, in any case of letters, and the app’s own without a tag', async () => {
    const { ours, standard, world } = await twoTopics();
    world.tell(news('rotated', { channels: ['Ours'] }));
    world.tell(news('retired'));
    await world.run();
    expect(ours.received.map((event) => event.type)).toEqual(['Keyturn.SecretRotated']);
    expect(standard.received.map((event) => event.type)).toEqual(['Keyturn.SecretRetired']);
  });

  test('that do not exist are named with the fix, and the others are told', async () => {
    const { ours, standard, world } = await twoTopics();
    world.tell(news('rotated', { channels: ['ours', 'shpo'] }));
    await world.run();
    expect([ours.received.length, standard.received.length]).toEqual([1, 0]);
    expect(world.states()).toEqual({ shpo: 'unknown', ours: 'delivered' });
    expect(world.logs.join()).toMatch(/"channel-unknown".*shpo.*KEYTURN_CHANNELS/);
  });

  test('that do not exist at all make the app’s own be told: somebody must be', async () => {
    const { standard, world } = await twoTopics();
    world.tell(news('failed', { channels: ['shpo'] }));
    await world.run();
    expect(standard.received.map((event) => event.type)).toEqual(['Keyturn.RotationFailed']);
  });

  test('are told only of the types they are for', async () => {
    const topic = kept(await startEventGridTopic(['k']));
    const only = { kind: 'event-grid', endpoint: topic.endpoint, keySecret: 'topic-key', types: ['failed', 'drifted'] };
    const world = new NotifyWorld({ channels: { only }, secrets: { 'topic-key': 'k' } });
    for (const type of noticeTypes) world.tell(news(type));
    await world.run();
    expect(topic.received.map((event) => event.type).sort()).toEqual([
      'Keyturn.RotationFailed',
      'Keyturn.SecretDrifted',
    ]);
    expect(world.messages).toEqual([]);
  });
});

describe('Event Grid', () => {
  test('gets CloudEvents 1.0 of every type, with the id of the notice', async () => {
    const topic = kept(await startEventGridTopic(['k']));
    const channels = { topic: { kind: 'event-grid', endpoint: topic.endpoint, keySecret: 'topic-key' } };
    const world = new NotifyWorld({ channels, secrets: { 'topic-key': 'k' } });
    for (const type of noticeTypes) world.tell(news(type));
    await world.run();
    expect(topic.received.map((event) => [event.id, event.type])).toEqual([
      ['id-rotated', 'Keyturn.SecretRotated'],
      ['id-retired', 'Keyturn.SecretRetired'],
      ['id-waiting', 'Keyturn.RetirementWaiting'],
      ['id-failed', 'Keyturn.RotationFailed'],
      ['id-paused', 'Keyturn.SecretPaused'],
      ['id-drifted', 'Keyturn.SecretDrifted'],
      ['id-announced', 'Keyturn.RotationAnnounced'],
      ['id-reminder', 'Keyturn.ReplacementDue'],
      ['id-approval', 'Keyturn.ApprovalWanted'],
      ['id-bypassed', 'Keyturn.ApprovalBypassed'],
    ]);
    expect(topic.received[0]).toMatchObject({
      ...{ specversion: '1.0', subject: 'orders-db', source: `/keyturn/vaults/${vaultName}` },
      data: { vault: vaultName, secret: 'orders-db', version: 'a'.repeat(32), login: 'orders_app_alt' },
    });
  });

  test('of a secret are told although another secret was given the same id by a forged stamp before', async () => {
    const topic = kept(await startEventGridTopic(['k']));
    const channels = { topic: { kind: 'event-grid', endpoint: topic.endpoint, keySecret: 'topic-key' } };
    const world = new NotifyWorld({ channels, secrets: { 'topic-key': 'k' } });
    for (const secret of ['shop-db', 'billing-db', 'billing-db']) {
      world.tell(news('rotated', { secret }));
      await world.run();
    }
    expect(topic.received.map((event) => event.subject)).toEqual(['shop-db', 'billing-db']);
  });

  test('a topic whose key was regenerated is told with the new one at the next attempt', async () => {
    const topic = kept(await startEventGridTopic(['k1']));
    const channels = { topic: { kind: 'event-grid', endpoint: topic.endpoint, keySecret: 'topic-key' } };
    const world = new NotifyWorld({ channels, secrets: { 'topic-key': 'k1' } });
    world.tell(news('rotated'));
    await world.run();
    topic.keys = ['k2'];
    world.putSecret('topic-key', 'k2');
    world.tell(news('retired'));
    await world.run();
    expect(topic.received.map((event) => event.id)).toEqual(['id-rotated', 'id-retired']);
    expect(topic.requests.map((request) => request.status)).toEqual([200, 401, 200]);
  });

  test('takes the token of the app’s identity where no key is named, over TLS alone', async () => {
    const certificates = await makeCertificates({ hosts: ['localhost'] });
    const { received, access, answer } = eventGridTopic([]);
    access.tokens = ['token-of-the-app'];
    const server = createServer({ cert: certificates.cert, key: certificates.key }, async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(Buffer.from(part));
      const url = new URL(request.url ?? '/', 'https://localhost');
      const header = (name: string) => request.headers[name]?.toString();
      const body = Buffer.concat(parts).toString();
      const reply = await answer({ method: request.method ?? '', url, path: url.pathname, header, body });
      response.writeHead(reply.status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    kept({ close: () => new Promise((resolve) => server.close(resolve)) });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const channels = { topic: { kind: 'event-grid', endpoint: `https://localhost:${port}/api/events` } };
    const stranger = new NotifyWorld({ channels });
    stranger.tell(news('rotated'));
    await stranger.run(1_000);
    expect(received).toEqual([]);
    const world = new NotifyWorld({ channels, trustedCertificates: [certificates.ca] });
    world.tell(news('rotated'));
    await world.run(1_000);
    expect(received.map((event) => event.id)).toEqual(['id-rotated']);
    expect(world.states()).toEqual({ topic: 'delivered' });
  });
});

describe('news', () => {
  test.each([
    ['keyturn-app.azurewebsites.net', `https://keyturn-app.azurewebsites.net/secrets/${vaultName}/orders-db`],
    [undefined, undefined],
  ])('of an app that knows its host as %s leads to %s', async (host, address) => {
    const topic = kept(await startEventGridTopic(['k']));
    const channels = { topic: { kind: 'event-grid', endpoint: topic.endpoint, keySecret: 'topic-key' } };
    const world = new NotifyWorld({ channels, secrets: { 'topic-key': 'k' }, ...(host === undefined ? {} : { host }) });
    world.tell(news('failed'));
    await world.run();
    expect(
      topic.received.map(({ data }) => z.object({ dashboard: z.string().optional() }).parse(data).dashboard),
    ).toEqual([address]);
    expect(wordsOf({ ...news('failed'), dashboard: address }).facts.some(([, value]) => value === address)).toBe(
      host !== undefined,
    );
  });
});

describe('people', () => {
  test.each(noticeTypes)('are told of "%s" in one line what and one line what to do', (type) => {
    const words = wordsOf(news(type, { holding: ['billing on 10.0.0.4'] }));
    for (const line of [words.what, words.next]) expect(line).toMatch(/^[^\n]{10,1000}$/);
    expect(words.what).toContain('orders-db');
    if (type === 'failed') expect(words.next).toBe(failure.hint);
    if (type === 'retired' || type === 'waiting') expect(words.what).toContain('billing on 10.0.0.4');
  });

  test.each([
    ['rotation', 'was not rotated', 'Keyturn.RotationFailed'],
    ['retirement', 'old credential of orders-db', 'Keyturn.RetirementFailed'],
    ['check', 'could not be checked', 'Keyturn.CheckFailed'],
  ] as const)('of a failed %s are told that "%s", and machines %s', (activity, said, event) => {
    const { version: _version, ...failed } = news('failed', { activity });
    expect(wordsOf(failed).what).toContain(said);
    expect(wordsOf(failed).what.includes('was not rotated')).toBe(activity === 'rotation');
    expect(eventTypeOf(failed)).toBe(event);
  });

  test('of a rotation that failed after its publish are told that it is half done', () => {
    expect(wordsOf(news('failed')).what).toContain('has a new version, but what comes after it failed');
  });

  test('of a failure that is tried again are told when', () => {
    const { next } = wordsOf(news('failed', { nextTryAt: '2026-03-01T03:00:00.000Z' }));
    expect(next).toBe(`${failure.hint} Keyturn tries again at 2026-03-01 03:00 UTC.`);
  });

  test('of a rotation with a warning are told the warning, as something to do', () => {
    const warning = 'Node 2 has no ACL file: run ACL SAVE there.';
    const words = wordsOf(news('rotated', { warnings: [warning] }));
    expect(words).toMatchObject({ urgent: true, next: expect.stringContaining(warning) });
  });

  test('of a secret that is replaced by hand are told by whom, where and until when', () => {
    const link = 'https://ca.contoso.example';
    const words = wordsOf(news('reminder', { owner: 'the shop team', link, expiresAt: '2026-03-09T00:00:00.000Z' }));
    expect(words.what).toContain('expires 2026-03-09 00:00 UTC');
    expect(words.next).toMatch(/the shop team.*ca\.contoso\.example.*az keyvault secret set/);
    expect(words.facts).toContainEqual(['Owner', 'the shop team']);
  });

  test('on Slack are not called by a target’s words: its signs are written out', async () => {
    const slack = kept(await startSlack('key'));
    const channels = { ops: { kind: 'slack', urlSecret: 'slack-url', host: '127.0.0.1' } };
    const world = new NotifyWorld({ channels, secrets: { 'slack-url': slack.address } });
    world.tell(news('failed'));
    await world.run();
    expect(slack.received).toHaveLength(1);
    expect(slack.received[0]).toContain('&lt;!channel&gt;');
    expect(slack.received[0]).not.toContain('<!');
    expect(slack.received[0]).toContain(failure.hint);
  });

  test('on Teams get a card of plain runs with the hint', async () => {
    const teams = kept(await startTeams('sig'));
    const channels = { oncall: { kind: 'teams', urlSecret: 'teams-url', host: '127.0.0.1' } };
    const world = new NotifyWorld({ channels, secrets: { 'teams-url': teams.address } });
    world.tell(news('paused'));
    await world.run();
    expect(teams.received).toHaveLength(1);
    expect(teams.received[0]).toContain(`${failure.hint} Then run "keyturn resume orders-db".`);
  });
});

describe('a site with Key Vault references', () => {
  const site =
    '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shop-rg/providers/Microsoft.Web/sites/shop';
  const reference = { setting: 'ORDERS_DB', vault: vaultName, secret: 'orders-db', activeVersion: 'b'.repeat(32) };
  const unpinned = `@Microsoft.KeyVault(SecretUri=https://${vaultName}.vault.azure.net/secrets/orders-db/)`;
  let arm: ResourceManager;

  async function worldOf(settings: Readonly<Record<string, unknown>> = {}, token = 'token-of-the-app') {
    arm = kept(await startResourceManager(token, () => 'c'.repeat(32)));
    const channels = { shop: { kind: 'key-vault-reference', site, ...settings } };
    return new NotifyWorld({ channels, resourceManager: arm.url });
  }

  test('is refreshed, waited for and restarted, in this order', async () => {
    const world = await worldOf({ restart: true });
    const known = arm.site(site, [{ ...reference, reference: unpinned, status: 'Resolved' }]);
    known.lag = 3;
    world.tell(news('rotated', { version: 'c'.repeat(32) }));
    await world.run();
    expect(world.states()).toEqual({ shop: 'delivered' });
    expect(known).toMatchObject({ refreshes: 1, restarts: 1, references: [{ activeVersion: 'c'.repeat(32) }] });
    expect(arm.requests.map((request) => request.path.replace(/\?.*/, '').split('/').at(-1))).toEqual([
      'refresh',
      ...Array(4).fill('appsettings'),
      'restart',
    ]);
  });

  test('that holds a version newer than the notice is up to date: a late message does not wait for ever', async () => {
    const world = await worldOf();
    const newest = world.vault.put('orders-db', { value: new SecretText('a value'), tags: {} });
    arm.site(site, [{ ...reference, activeVersion: newest, reference: unpinned, status: 'Resolved' }]).lag = 100;
    world.tell(news('rotated', { version: 'c'.repeat(32) }));
    await world.run(1_000);
    expect(world.states()).toEqual({ shop: 'delivered' });
  });

  test('that may not read the vault is named with its status, and looked at again', async () => {
    const world = await worldOf();
    arm.site(site, [{ ...reference, reference: unpinned, status: 'AccessToKeyVaultDenied' }]);
    world.tell(news('rotated', { version: 'c'.repeat(32) }));
    await world.run(1_000);
    expect(world.states()).toEqual({ shop: 'waiting' });
    expect(world.logs.join()).toContain('ORDERS_DB: AccessToKeyVaultDenied');
  });

  test('whose reference names a version is refused with what to do: it never follows a rotation', async () => {
    const world = await worldOf();
    const pinned = `@Microsoft.KeyVault(VaultName=${vaultName};SecretName=orders-db;SecretVersion=${'b'.repeat(32)})`;
    arm.site(site, [{ ...reference, reference: pinned, status: 'Resolved' }]);
    world.tell(news('rotated', { version: 'c'.repeat(32) }));
    await world.run(1_000);
    expect(world.logs.join()).toContain('take the version out of the reference');
  });

  test('without a reference to the secret has nothing to do', async () => {
    const world = await worldOf({ restart: true });
    const known = arm.site(site, []);
    world.tell(news('rotated'));
    world.tell(news('failed'));
    await world.run();
    expect(known).toMatchObject({ refreshes: 1, restarts: 0 });
    expect(world.states()).toEqual({ shop: 'delivered' });
  });

  test('that the app may not touch is named with the operation', async () => {
    const world = await worldOf({}, 'another token');
    arm.site(site, []);
    world.tell(news('rotated'));
    await world.run(1_000);
    expect(world.logs.join()).toMatch(/HTTP 401 of Azure Resource Manager for POST .*refresh/);
  });
});
