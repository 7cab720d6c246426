/** Keys that are no logins: one of our own, one of an Azure resource, one of a SaaS provider. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { LocalAzure } from '../azure.ts';
import { type AzureResource, type AzureStandIn, startAzureResourceManager } from '../providers/azure.ts';
import { type SaasStandIn, startSaas } from '../providers/saas.ts';
import { putSecret } from './put.ts';
import type { Scene } from './scene.ts';

export function keyScenes(): readonly Scene[] {
  return [signingKeyScene(), ...storageKeyScenes(), saasKeyScene()];
}

const signingKey = z.object({ current: z.string(), previous: z.string().optional() });

/** A signer with a value that may be half a second old, and a verifier that takes what the vault says now. */
function signingKeyScene(): Scene {
  const secret = 'signing-key';
  let azure: LocalAzure | undefined;
  return {
    secret,
    about: 'nobody issues it; verifiers take both keys for a while',
    strategy: 'self-issued',
    retirementPublishes: true,
    expected: 'rotated',
    unnoticed: true,
    async setUp(local) {
      azure = local;
      const value = JSON.stringify({ current: randomBytes(32).toString('base64url') });
      putSecret(local.vault, secret, value, { rotator: 'self-issued', form: 'encoding=base64url' });
    },
    use: async (value) => {
      const published = signingKey.parse(JSON.parse(azure?.vault.versions(secret).at(-1)?.value ?? '{}'));
      const signature = sign(signingKey.parse(JSON.parse(value)).current);
      const taken = [published.current, published.previous].some(
        (key) => key !== undefined && timingSafeEqual(sign(key), signature),
      );
      if (!taken) throw new Error('the signature is not valid');
    },
  };
}

function sign(key: string): Buffer {
  return createHmac('sha256', key).update('a message').digest();
}

const storageAccount =
  '/subscriptions/01234567-89ab-cdef-0123-456789abcdef/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/shop';

/** The token that the local app shows; a stand-in knows it. */
const localToken = 'local';

/** A key in three places: its own secret, a copy in a second vault, and a connection string. */
function storageKeyScenes(): readonly Scene[] {
  const secret = 'storage-key';
  let resourceManager: AzureStandIn | undefined;
  let account: AzureResource | undefined;
  const known = (value: string): boolean => account?.login(value) ?? false;
  const source: Scene = {
    secret,
    about: 'a storage account has two keys; the other one is regenerated',
    strategy: 'azure-keys dual-key',
    server: 'stand-in for Azure Resource Manager',
    expected: 'rotated',
    unnoticed: true,
    async start() {
      resourceManager = await startAzureResourceManager(localToken);
      account = await resourceManager.add({ id: storageAccount });
      return { KEYTURN_RESOURCE_MANAGER_URL: resourceManager.url };
    },
    async setUp({ vault }) {
      const also = 'eu-vault/storage-key-eu,storage-string';
      const tags = { rotator: 'azure-keys', admin: 'managed-identity', resource: storageAccount, also };
      putSecret(vault, secret, account?.keys.get('key1') ?? '', tags);
    },
    use: async (value) => {
      if (!known(value)) throw new Error('the storage account refuses the key');
    },
    accepts: async (value) => known(value),
    close: async () => resourceManager?.close(),
  };
  const { strategy, expected, unnoticed } = source;
  const linked = { source: secret, strategy, expected, unnoticed };
  const copy: Scene = {
    ...linked,
    secret: 'storage-key-eu',
    elsewhere: true,
    about: 'its copy in a second vault, published and ended with it',
    async setUp({ secondVault }) {
      secondVault?.put('storage-key-eu', {
        value: account?.keys.get('key1') ?? '',
        contentType: 'text/plain',
        tags: { 'copy-of': `local/${secret}` },
      });
    },
    use: source.use ?? (async () => undefined),
    accepts: async (value) => known(value),
  };
  const derived: Scene = {
    ...linked,
    secret: 'storage-string',
    about: 'a connection string that contains it: only the key in it changes',
    async setUp({ vault }) {
      vault.put('storage-string', {
        value: `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${account?.keys.get('key1') ?? ''};EndpointSuffix=core.windows.net`,
        contentType: 'text/plain',
        tags: { 'derived-from': secret },
      });
    },
    use: async (value) => source.use?.(keyIn(value)),
    accepts: async (value) => known(keyIn(value)),
  };
  return [source, copy, derived];
}

function keyIn(connectionString: string): string {
  return /AccountKey=([^;]*)/.exec(connectionString)?.[1] ?? '';
}

function saasKeyScene(): Scene {
  const secret = 'mail-key';
  let saas: SaasStandIn | undefined;
  let folder: string | undefined;
  const known = (value: string): boolean => saas?.providers.sendgrid.login(value) ?? false;
  return {
    secret,
    about: 'a SaaS provider issues a key, the old one is revoked',
    strategy: 'http-keys issue-revoke',
    server: 'stand-in for a SaaS provider',
    expected: 'rotated',
    unnoticed: true,
    async start() {
      saas = await startSaas();
      folder = await mkdtemp(join(tmpdir(), 'keyturn-demo-'));
      await writeFile(join(folder, 'sendgrid.json'), JSON.stringify(saas.description('sendgrid')));
      return { KEYTURN_DESCRIPTIONS: folder, KEYTURN_ALLOWED_HOSTS: new URL(saas.url).host };
    },
    async setUp({ vault }) {
      const provider = saas?.providers.sendgrid;
      vault.put('mail-admin', { value: provider?.admin ?? '', tags: { serves: 'mail-*' } });
      const issued = provider?.issue('made by hand', ['mail.send']);
      const tags = { rotator: 'http-keys', provider: 'sendgrid', admin: 'mail-admin', 'key-id': issued?.id ?? '' };
      putSecret(vault, secret, issued?.value ?? '', tags);
    },
    use: async (value) => {
      if (!known(value)) throw new Error('the provider refuses the key');
    },
    accepts: async (value) => known(value),
    async close() {
      await saas?.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
