/** The targets of the crash matrix that issue keys, each behind its stand-in. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { startAzureResourceManager } from '../../local/providers/azure.ts';
import { startGraph } from '../../local/providers/graph.ts';
import { startSaas } from '../../local/providers/saas.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { labelPrefixOf } from '../../shared/engine/policy/identifiers.ts';
import { idOf } from '../rotators/keys/azure-scene.ts';
import { writeDescriptions } from '../rotators/keys/subjects.ts';
import type { MatrixTarget, Planted } from './target.ts';

/** The token of the local app, which the stand-ins let in. */
const token = 'local';

const asKey = (value: string) => ({ password: new SecretText(value) });

const azureKeys: MatrixTarget = {
  name: 'azure-keys',
  rotator: 'azure-keys',
  strategies: ['dual-key'],
  kind: 'stand-in',
  async start() {
    const azure = await startAzureResourceManager(token);
    return {
      settings: { KEYTURN_RESOURCE_MANAGER_URL: azure.url },
      async plant(): Promise<Planted> {
        const resource = await azure.add({ id: idOf('Microsoft.Storage/storageAccounts') });
        return {
          value: resource.keys.get('key1') ?? '',
          tags: { rotator: 'azure-keys', admin: 'managed-identity', resource: resource.id },
          credentialIn: asKey,
          login: async ({ password }) => resource.login(password.reveal()),
        };
      },
      close: () => azure.close(),
    };
  },
};

const entraApp: MatrixTarget = {
  name: 'entra-app',
  rotator: 'entra-app',
  strategies: ['issue-revoke'],
  kind: 'stand-in',
  async start() {
    const graph = await startGraph(token);
    return {
      settings: { KEYTURN_GRAPH_URL: graph.url, KEYTURN_LOGIN_URL: graph.url },
      async plant(): Promise<Planted> {
        const application = graph.addApplication();
        const { keyId, secretText } = application.issue('made by hand');
        const resource = `${application.tenant}/${application.clientId}`;
        return {
          value: secretText,
          tags: { rotator: 'entra-app', admin: 'managed-identity', resource, 'key-id': keyId },
          credentialIn: asKey,
          login: async ({ password }) => application.login(password.reveal()),
          keys: () => [...application.secrets.values()].map((one) => one.secretText),
        };
      },
      close: () => graph.close(),
    };
  },
};

const httpKeys: MatrixTarget = {
  name: 'http-keys',
  rotator: 'http-keys',
  strategies: ['issue-revoke'],
  kind: 'stand-in',
  async start() {
    const saas = await startSaas();
    const folder = await writeDescriptions(saas);
    const provider = saas.providers.sendgrid;
    return {
      settings: { KEYTURN_DESCRIPTIONS: folder, KEYTURN_ALLOWED_HOSTS: new URL(saas.url).host },
      async plant(_strategy, secret): Promise<Planted> {
        const { id, value } = provider.issue('made by hand', ['mail.send']);
        const label = labelPrefixOf('local', secret);
        return {
          value,
          tags: { rotator: 'http-keys', provider: 'sendgrid', admin: 'saas-admin', 'key-id': id },
          admin: { name: 'saas-admin', value: provider.admin },
          credentialIn: asKey,
          login: async ({ password }) => provider.login(password.reveal()),
          keys: () => [...provider.keys.values()].filter((key) => key.label.startsWith(label)).map((key) => key.secret),
        };
      },
      async close() {
        await saas.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

/** There is no target: verifiers take what the value says, the current key and the one before. */
const selfIssued: MatrixTarget = {
  name: 'self-issued',
  rotator: 'self-issued',
  strategies: ['self-issued'],
  kind: 'none',
  start: async () => ({
    settings: {},
    plant: async (): Promise<Planted> => ({
      value: JSON.stringify({ current: randomBytes(32).toString('base64url') }),
      tags: { rotator: 'self-issued', form: 'encoding=base64url' },
      credentialIn: (value) => asKey(String(JSON.parse(value).current)),
      login: async ({ password }) => !password.isEmpty,
    }),
    close: async () => undefined,
  }),
};

export const keyTargets: readonly MatrixTarget[] = [azureKeys, entraApp, httpKeys, selfIssued];
