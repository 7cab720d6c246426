/** Whole rotations and retirements of keys by the engine: from tags and a value to the next value, twice in a row. */
import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startAzureResourceManager } from '../../../local/providers/azure.ts';
import { startGraph } from '../../../local/providers/graph.ts';
import { startSaas } from '../../../local/providers/saas.ts';
import type { Asked, StandInServer } from '../../../local/providers/server.ts';
import { rotators } from '../../../rotators/registry.ts';
import type { RotatorEnvironment } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { retire } from '../../../shared/engine/retirement/retire.ts';
import { rotate } from '../../../shared/engine/rotation/rotate.ts';
import type { EngineDependencies } from '../../../shared/engine/running/dependencies.ts';
import { findSecrets } from '../../canary.ts';
import { MemoryLoginIndex } from '../../engine/kept.ts';
import { dayMs, MemoryVault, makeWorld } from '../../engine/world.ts';
import { idOf } from './azure-scene.ts';
import { writeDescriptions } from './subjects.ts';

interface Stage {
  readonly server: StandInServer | undefined;
  readonly environment: Partial<RotatorEnvironment>;
  readonly token?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly value: string;
  readonly admin?: string;
  /** Whether a value of the vault logs in. */
  readonly login: (value: string) => boolean;
  readonly makes: (asked: Asked) => boolean;
  /** Keys that log in. */
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

const stages: Readonly<Record<string, () => Promise<Stage>>> = {
  async 'a storage connection string'() {
    const server = await startAzureResourceManager();
    const resource = await server.add({ id: idOf('Microsoft.Storage/storageAccounts') });
    const keyIn = (value: string) => /AccountKey=([^;]+)/.exec(value)?.[1] ?? '';
    return {
      server,
      token: server.token,
      environment: { cloud: { resourceManager: server.url, graph: 'https://g.test', login: 'https://l.test' } },
      tags: { rotator: 'azure-keys', resource: resource.id, admin: 'managed-identity' },
      value: `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${resource.keys.get('key2')};EndpointSuffix=core.windows.net`,
      login: (value) => resource.login(keyIn(value)),
      makes: ({ path }) => path.endsWith('/regenerateKey'),
      count: () => resource.keys.size,
      close: () => server.close(),
    };
  },
  async 'an App Configuration connection string'() {
    const server = await startAzureResourceManager();
    const resource = await server.add({ id: idOf('Microsoft.AppConfiguration/configurationStores') });
    return {
      server,
      token: server.token,
      environment: { cloud: { resourceManager: server.url, graph: 'https://g.test', login: 'https://l.test' } },
      tags: { rotator: 'azure-keys', resource: resource.id, admin: 'managed-identity' },
      value: `Endpoint=https://shop.azconfig.io;Id=${resource.ids.get('Primary')};Secret=${resource.keys.get('Primary')}`,
      login: (value) =>
        [...resource.keys].some(([slot, key]) => value.endsWith(`;Id=${resource.ids.get(slot)};Secret=${key}`)),
      makes: ({ path }) => path.endsWith('/regenerateKey'),
      // The other two slots are for reading.
      count: () => resource.keys.size - 2,
      close: () => server.close(),
    };
  },
  async 'a client secret in JSON'() {
    const server = await startGraph();
    const application = server.addApplication();
    const { keyId, secretText } = application.issue('by hand');
    const { clientId, tenant } = application;
    return {
      server,
      token: server.token,
      environment: { cloud: { resourceManager: 'https://a.test', graph: server.url, login: server.url } },
      tags: { rotator: 'entra-app', resource: `${tenant}/${clientId}`, admin: 'managed-identity', 'key-id': keyId },
      value: JSON.stringify({ clientId, clientSecret: secretText }),
      login: (value) => application.login(String(JSON.parse(value).clientSecret)),
      makes: ({ path }) => path.endsWith('/addPassword'),
      count: () => application.secrets.size,
      close: () => server.close(),
    };
  },
  async 'a Twilio pair'() {
    const server = await startSaas();
    const folder = await writeDescriptions(server);
    const provider = server.providers.twilio;
    return {
      server,
      environment: { allowedHosts: ['127.0.0.1'], descriptionsFolder: folder },
      tags: { rotator: 'http-keys', provider: `twilio/${provider.resource}`, admin: 'saas-admin' },
      value: provider.issue('by hand').value,
      admin: provider.admin,
      login: (value) => provider.login(value),
      makes: ({ method, path }) => method === 'POST' && path.endsWith('/Keys.json'),
      count: () => provider.keys.size,
      close: async () => {
        await server.close();
        await rm(folder, { recursive: true });
      },
    };
  },
  async 'a signing key and its previous one'() {
    return {
      server: undefined,
      environment: {},
      tags: { rotator: 'self-issued', form: 'encoding=base64 prefix=whsec_' },
      value: '{"current":"whsec_the-first-one-was-made-by-hand"}',
      login: () => true,
      makes: () => false,
      count: () => 2,
      close: async () => undefined,
    };
  },
};

/** The part of a value that must not be seen: logins and ids beside it may. */
const secretPart = /(?:AccountKey=|Secret=|"clientSecret":"|"current":"|^SK[0-9a-f]{32}:)([^;"]+)/;

let stage: Stage | undefined;
afterEach(() => stage?.close());

async function engineFor(one: Stage): Promise<{ vault: MemoryVault; deps: EngineDependencies }> {
  const vault = new MemoryVault();
  const expiresAt = new Date(vault.now.getTime() + 20 * dayMs);
  vault.put('shop-key', { value: new SecretText(one.value), tags: one.tags, expiresAt });
  if (one.admin !== undefined)
    vault.put('saas-admin', { value: new SecretText(one.admin), tags: { serves: 'shop-key' } });
  const getToken = async () => new SecretText(one.token ?? '');
  const environment = {
    trustedCertificates: [],
    connectTimeoutMs: 2_000,
    getToken,
    allowedHosts: [],
    cloud: { resourceManager: 'https://a.test', graph: 'https://g.test', login: 'https://l.test' },
    ...one.environment,
  };
  const memory = makeWorld('single-user').deps();
  const deps: EngineDependencies = {
    ...memory,
    vaults: new Map([[vault.name, vault]]),
    rotators: new Map(rotators.map((entry) => [entry.name, entry])),
    loadRotator: (entry) => entry.load(environment),
    getToken,
    elapsedMs: () => performance.now(),
  };
  return { vault, deps };
}

const ask = { vault: 'contoso-kv', secret: 'shop-key', requestedBy: 'test' } as const;

describe.each(Object.entries(stages))('%s', (_name, start) => {
  it('is rotated and retired by the engine, twice', async () => {
    const one = await start();
    stage = one;
    const { vault, deps } = await engineFor(one);
    const seen: unknown[] = [];
    const values = [one.value];
    for (let turn = 0; turn < 2; turn++) {
      const old = vault.newest('shop-key').value.reveal();
      const rotated = await rotate(deps, { ...ask, mode: 'scheduled' });
      expect(rotated).toMatchObject({ kind: 'rotated' });
      const next = vault.newest('shop-key').value.reveal();
      values.push(next);
      expect(next).not.toBe(old);
      expect([one.login(old), one.login(next)]).toEqual([true, true]);

      vault.now = new Date(vault.now.getTime() + 2 * dayMs);
      const retired = await retire(deps, { ...ask, rotationId: rotated.rotationId, mode: 'scheduled' });
      expect(retired).toMatchObject({ kind: 'retired' });
      const after = vault.newest('shop-key').value.reveal();
      expect(one.login(after)).toBe(true);
      if (one.server !== undefined) expect(one.login(old)).toBe(false);
      seen.push(rotated, retired, vault.newest('shop-key').tags);
      vault.now = new Date(vault.now.getTime() + 80 * dayMs);
    }
    const secrets = values.flatMap((value) => [value, secretPart.exec(value)?.[1] ?? '']);
    for (const secret of secrets) expect(secret).toMatch(/^.{20,}$/);
    expect(findSecrets([seen, one.server?.requests], secrets)).toEqual([]);
  });

  it('whose making got no answer is made once more, and nothing is left over', async () => {
    const one = await start();
    stage = one;
    const { vault, deps } = await engineFor(one);
    one.server?.fail({ when: 'after', how: 'cut', on: one.makes });
    const results = [await rotate(deps, { ...ask, mode: 'scheduled' })];
    if (one.server !== undefined) {
      expect(results[0]).toMatchObject({ kind: 'failed' });
      expect(vault.newest('shop-key').value.reveal()).toBe(one.value);
      results.push(await rotate(deps, { ...ask, mode: 'scheduled' }));
    }
    expect(results.at(-1)).toMatchObject({ kind: 'rotated' });
    expect(vault.count('shop-key')).toBe(2);
    expect(one.count()).toBe(2);
    expect(one.login(vault.newest('shop-key').value.reveal())).toBe(true);
  });

  it('in a second secret, too: neither is rotated, and no key is made', async () => {
    const one = await start();
    stage = one;
    const { vault, deps } = await engineFor(one);
    const expiresAt = new Date(vault.now.getTime() + 20 * dayMs);
    vault.put('legacy-key', { value: new SecretText(one.value), tags: one.tags, expiresAt });
    const fresh = { ...deps, logins: new MemoryLoginIndex() };
    const made = one.count();
    for (const secret of ['shop-key', 'legacy-key']) {
      if (one.server === undefined || (secret === 'legacy-key' && one.admin !== undefined)) continue;
      const result = await rotate(fresh, { ...ask, secret, mode: 'scheduled' });
      expect(result).toMatchObject({ kind: 'failed', failure: { code: 'login-shared' } });
    }
    if (one.server === undefined) return;
    expect(one.count()).toBe(made);
    expect(one.login(one.value)).toBe(true);
  });
});
