/**
 * Attacks with ids of keys: whoever may edit one secret writes the id of another team's key into its tags, its stamps or its values. Each is
 * played by the engine against the stateful stand-in; the other key goes on logging in, and the vault is as it was.
 */
import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startAzureResourceManager } from '../../../local/providers/azure.ts';
import { startGraph } from '../../../local/providers/graph.ts';
import { type SaasName, saasNames, startSaas } from '../../../local/providers/saas.ts';
import { rotators } from '../../../rotators/registry.ts';
import type { RotatorEnvironment } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { labelPrefixOf } from '../../../shared/engine/policy/identifiers.ts';
import { retire } from '../../../shared/engine/retirement/retire.ts';
import { rotate } from '../../../shared/engine/rotation/rotate.ts';
import type { EngineDependencies } from '../../../shared/engine/running/dependencies.ts';
import { dayMs, MemoryVault, makeWorld } from '../../engine/world.ts';
import { idOf } from './azure-scene.ts';
import { writeDescriptions } from './subjects.ts';

/** A key as a person made it: its id, and its value as the vault holds it. */
interface Key {
  readonly id: string;
  readonly value: string;
}

interface Provider {
  readonly tags: Readonly<Record<string, string>>;
  readonly admin: string;
  readonly environment: Partial<RotatorEnvironment>;
  readonly issue: (label: string, rights?: unknown) => Key;
  readonly login: (value: string) => boolean;
  /** What every key may do, by its name. */
  readonly rights: () => ReadonlyMap<string, unknown>;
  readonly count: () => number;
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

async function saas(name: SaasName): Promise<Provider> {
  const server = await startSaas();
  const folder = await writeDescriptions(server);
  cleanups.push(
    () => server.close(),
    () => rm(folder, { recursive: true }),
  );
  const provider = server.providers[name];
  return {
    tags: {
      rotator: 'http-keys',
      admin: 'keys-admin',
      provider: provider.resource === undefined ? name : `${name}/${provider.resource}`,
    },
    admin: provider.admin,
    environment: { allowedHosts: ['127.0.0.1'], descriptionsFolder: folder },
    issue: (label, rights = ['mail.send']) => provider.issue(label, rights),
    login: (value) => provider.login(value),
    rights: () => new Map([...provider.keys.values()].map((key) => [key.label, key.rights])),
    count: () => provider.keys.size,
  };
}

async function entra(): Promise<Provider> {
  const server = await startGraph();
  cleanups.push(() => server.close());
  const application = server.addApplication();
  return {
    tags: {
      rotator: 'entra-app',
      admin: 'managed-identity',
      resource: `${application.tenant}/${application.clientId}`,
    },
    admin: server.token,
    environment: { cloud: { resourceManager: 'https://a.test', graph: server.url, login: server.url } },
    issue(label) {
      const { keyId, secretText } = application.issue(label);
      return { id: keyId, value: secretText };
    },
    login: (value) => application.login(value),
    rights: () => new Map(),
    count: () => application.secrets.size,
  };
}

const everyProvider: Readonly<Record<string, () => Promise<Provider>>> = {
  ...Object.fromEntries(saasNames.map((name) => [name, () => saas(name)])),
  'entra-app': entra,
};

interface Scene {
  readonly provider: Provider;
  readonly vault: MemoryVault;
  readonly deps: EngineDependencies;
  /** The attacker's own key, and the key of the other team: made by hand, or by Keyturn for another secret. */
  readonly own: Key;
  readonly theirs: Key;
}

function engineOf(provider: Pick<Provider, 'admin' | 'environment'>): Pick<Scene, 'vault' | 'deps'> {
  const vault = new MemoryVault();
  const environment: RotatorEnvironment = {
    trustedCertificates: [],
    connectTimeoutMs: 2_000,
    getToken: async () => new SecretText(provider.admin),
    allowedHosts: [],
    cloud: { resourceManager: 'https://a.test', graph: 'https://g.test', login: 'https://l.test' },
    ...provider.environment,
  };
  const deps: EngineDependencies = {
    ...makeWorld('single-user').deps(),
    vaults: new Map([[vault.name, vault]]),
    rotators: new Map(rotators.map((entry) => [entry.name, entry])),
    loadRotator: (entry) => entry.load(environment),
    getToken: environment.getToken,
    elapsedMs: () => performance.now(),
  };
  return { vault, deps };
}

async function scene(start: () => Promise<Provider>, theirLabel = 'the billing team'): Promise<Scene> {
  const provider = await start();
  const { vault, deps } = engineOf(provider);
  vault.put('keys-admin', { value: new SecretText(provider.admin), tags: { serves: 'shop-key' } });
  // Whoever set the secret up has named its key: some providers could not tell otherwise which project it is of.
  const own = provider.issue(`${labelPrefixOf('contoso-kv', 'shop-key')}by-hand`);
  return { provider, vault, deps, own, theirs: provider.issue(theirLabel) };
}

const request = { vault: 'contoso-kv', secret: 'shop-key', requestedBy: 'test' } as const;
const id = 'ab'.repeat(16);

/** Publishes a version as the attacker does, with an expiry that makes it due or not. */
function put({ vault, provider }: Scene, value: string, tags: Readonly<Record<string, string>>, days = 20): string {
  const expiresAt = new Date(vault.now.getTime() + days * dayMs);
  return vault.put('shop-key', { value: new SecretText(value), tags: { ...provider.tags, ...tags }, expiresAt });
}

function stamp(fields: Readonly<Record<string, string>>): { readonly rotation: string } {
  return {
    rotation: Object.entries({ id, ...fields })
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  };
}

describe.each(Object.entries(everyProvider))('%s', (_name, start) => {
  it.each(['scheduled', 'emergency'] as const)(
    'another key’s id in a forged stamp (%s): the other key stays',
    async (mode) => {
      const at = await scene(start);
      const { provider, vault, deps, own, theirs } = at;
      const mine = provider.issue('the shop, too');
      const from = put(at, own.value, stamp({ from: '0'.repeat(32), key: encodeURIComponent(theirs.id) }));
      put(at, mine.value, stamp({ from, 'retire-by': '2020-01-01T00:00:00Z' }));
      await retire(deps, { ...request, rotationId: id, mode });
      expect(provider.login(theirs.value)).toBe(true);
      expect(provider.login(mine.value)).toBe(true);
      expect(vault.newest('shop-key').value.reveal()).toBe(mine.value);
    },
  );

  it('another key’s id in the tag “key-id”: the other key stays, whether Keyturn made it or a person did', async () => {
    for (const label of ['the billing team', `${labelPrefixOf('contoso-kv', 'billing-key')}0123456789abcdef`]) {
      const at = await scene(start, label);
      const { provider, vault, deps, own, theirs } = at;
      put(at, own.value, { 'key-id': theirs.id });
      const rotated = await rotate(deps, { ...request, mode: 'scheduled' });
      if (rotated.kind === 'failed') {
        // Where a login proves nothing about the project, nothing is made on the word of a tag.
        expect(rotated.failure.code).toBe('key-unproven');
        expect([provider.count(), provider.login(theirs.value), vault.count('shop-key')]).toEqual([2, true, 1]);
        continue;
      }
      vault.now = new Date(vault.now.getTime() + 2 * dayMs);
      const retired = await retire(deps, { ...request, rotationId: rotated.rotationId, mode: 'scheduled' });
      expect(provider.login(theirs.value)).toBe(true);
      expect(provider.login(vault.newest('shop-key').value.reveal())).toBe(true);
      // The key that the version holds ends, or somebody is told that it has to be ended by hand.
      expect([retired.kind, provider.login(own.value)]).toEqual(
        retired.kind === 'retired' ? ['retired', false] : ['failed', true],
      );
      if (retired.kind === 'failed') expect(retired.failure.code).toBe('key-unproven');
    }
  });

  it('another key’s id written into a value that does not log in: the other key stays', async () => {
    const at = await scene(start);
    const { provider, deps, own, theirs } = at;
    const forged = theirs.value.slice(0, -4).concat('AAAA');
    const from = put(at, forged, stamp({ from: '0'.repeat(32) }));
    put(at, own.value, stamp({ from, 'retire-by': '2020-01-01T00:00:00Z' }));
    await retire(deps, { ...request, rotationId: id, mode: 'emergency' });
    expect(provider.login(theirs.value)).toBe(true);
    expect(provider.login(own.value)).toBe(true);
  });

  it('its own keys end, rotation after rotation, whatever became of the stamp', async () => {
    const at = await scene(start);
    const { provider, vault, deps, own } = at;
    put(at, own.value, stamp({ from: '0'.repeat(32), key: encodeURIComponent(own.id) }));
    const values = [own.value];
    for (let turn = 0; turn < 3; turn += 1) {
      const rotated = await rotate(deps, { ...request, mode: 'asked', rotationId: `${turn}`.repeat(32) });
      expect(rotated).toMatchObject({ kind: 'rotated' });
      values.push(vault.newest('shop-key').value.reveal());
      vault.now = new Date(vault.now.getTime() + 2 * dayMs);
      await retire(deps, { ...request, rotationId: rotated.rotationId, mode: 'scheduled' });
      vault.now = new Date(vault.now.getTime() + 2 * dayMs);
    }
    expect(values.slice(1).map((value) => provider.login(value))).toEqual([false, false, true]);
  });
});

describe.each(['sendgrid', 'cloudflare'] as const)('%s, whose new keys may do what the published one may', (name) => {
  it('the id of a stronger key in the stamp or in “key-id” gives a key with one’s own rights', async () => {
    for (const tags of [(key: string) => stamp({ from: '0'.repeat(32), key }), (key: string) => ({ 'key-id': key })]) {
      const at = await scene(() => saas(name));
      const strong = at.provider.issue('root of everything', ['everything']);
      put(at, at.own.value, tags(strong.id));
      const asked = { ...request, mode: 'asked', rotationId: 'cd'.repeat(16) } as const;
      expect(await rotate(at.deps, asked)).toMatchObject({ kind: 'rotated' });
      const made = [...at.provider.rights()].filter(([label]) => /^keyturn-.*-[0-9a-f]{16}$/.test(label));
      expect(made).toEqual([[expect.any(String), ['mail.send']]]);
    }
  });

  it('a value that only names a stronger key makes no key, also when a person forces it', async () => {
    const at = await scene(() => saas(name));
    const strong = at.provider.issue('root of everything', ['everything']);
    put(at, strong.value.slice(0, -4).concat('AAAA'), { 'key-id': strong.id });
    const before = at.provider.count();
    const forced = await rotate(at.deps, { ...request, mode: 'forced', rotationId: id });
    expect(forced).toMatchObject({ kind: 'failed', failure: { code: 'key-unproven' } });
    expect(at.provider.count()).toBe(before);
    expect(at.vault.count('shop-key')).toBe(1);
  });
});

describe('a key that was there before Keyturn, at a provider that cannot tell one by its value', () => {
  it.each(['datadog', 'openai', 'new-relic'] as const)(
    '%s: is revoked by “key-id” once its name says whose it is',
    async (name) => {
      const at = await scene(() => saas(name));
      const named = at.provider.issue(`${labelPrefixOf('contoso-kv', 'shop-key')}by-hand`);
      put(at, named.value, { 'key-id': named.id });
      const rotated = await rotate(at.deps, { ...request, mode: 'scheduled' });
      at.vault.now = new Date(at.vault.now.getTime() + 2 * dayMs);
      const retired = await retire(at.deps, { ...request, rotationId: rotated.rotationId, mode: 'scheduled' });
      expect(retired).toMatchObject({ kind: 'retired' });
      expect(at.provider.login(named.value)).toBe(false);
    },
  );
});

describe('the project or owner that the tag “provider” names', () => {
  it.each([
    ['openai', 'openai/proj_other1'],
    ['confluent', 'confluent/sa-other1'],
    ['new-relic', 'new-relic/api.newrelic.com/7654321/1234567'],
  ] as const)('%s: no key is made for another one than that of the published key', async (name, elsewhere) => {
    const at = await scene(() => saas(name));
    put(at, at.own.value, { 'key-id': at.own.id, provider: elsewhere });
    for (const mode of ['asked', 'forced', 'emergency'] as const) {
      const result = await rotate(at.deps, { ...request, mode, rotationId: id });
      expect(result.kind).toBe('failed');
    }
    expect([at.provider.count(), at.vault.count('shop-key')]).toEqual([2, 1]);
  });
});

describe('keys of Azure resources', () => {
  it('another resource in the tag, with forged stamps and slots: none of its keys is regenerated', async () => {
    const server = await startAzureResourceManager();
    cleanups.push(() => server.close());
    const own = await server.add({ id: idOf('Microsoft.Storage/storageAccounts') });
    const theirs = await server.add({ id: idOf('Microsoft.Storage/storageAccounts').replace(/[^/]+$/, 'billingdata') });
    const before = [...theirs.keys];
    const environment = { cloud: { resourceManager: server.url, graph: 'https://g.test', login: 'https://l.test' } };
    const { vault, deps } = engineOf({ admin: server.token, environment });
    const tags = { rotator: 'azure-keys', resource: theirs.id, admin: 'managed-identity' };
    const expiresAt = new Date(vault.now.getTime() + 20 * dayMs);
    const values = [...own.keys.values()];
    const versions = values.map((value, at) => (more: Readonly<Record<string, string>>) => {
      const written = stamp({ from: '0'.repeat(32), slot: `key${at + 1}`, ...more });
      return vault.put('shop-key', { value: new SecretText(value), tags: { ...tags, ...written }, expiresAt });
    });
    const from = versions[0]?.({}) ?? '';
    versions[1]?.({ from, 'retire-by': '2020-01-01T00:00:00Z' });
    for (const mode of ['scheduled', 'emergency'] as const) await retire(deps, { ...request, rotationId: id, mode });
    for (const mode of ['asked', 'forced', 'emergency'] as const) {
      const result = await rotate(deps, { ...request, mode, rotationId: 'cd'.repeat(16) });
      expect(result.kind).toBe('failed');
    }
    expect([...theirs.keys]).toEqual(before);
    expect(server.requests.filter(({ path }) => path.endsWith('/regenerateKey'))).toEqual([]);
    expect(vault.count('shop-key')).toBe(2);
  });
});

describe('client secrets of Entra applications', () => {
  it('another application in the tag: no secret is added to it, also when a person forces it', async () => {
    const server = await startGraph();
    cleanups.push(() => server.close());
    const [own, theirs] = [server.addApplication(), server.addApplication()];
    const mine = own.issue('the shop');
    theirs.issue('the billing team');
    const environment = { cloud: { resourceManager: 'https://a.test', graph: server.url, login: server.url } };
    const { vault, deps } = engineOf({ admin: server.token, environment });
    const requested = `emergency=${id},2026-01-01T00:00:00Z,key:ops`;
    const resource = `${theirs.tenant}/${theirs.clientId}`;
    const tags = { rotator: 'entra-app', admin: 'managed-identity', resource, requested };
    const expiresAt = new Date(vault.now.getTime() + 20 * dayMs);
    vault.put('shop-key', { value: new SecretText(mine.secretText), tags, expiresAt });
    for (const mode of ['scheduled', 'asked', 'forced', 'emergency'] as const) {
      const result = await rotate(deps, { ...request, mode, rotationId: 'cd'.repeat(16) });
      expect(result.kind).toBe('failed');
    }
    expect([theirs.secrets.size, own.secrets.size, vault.count('shop-key')]).toEqual([1, 1, 1]);
  });
});
