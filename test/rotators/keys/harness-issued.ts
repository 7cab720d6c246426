/** Providers that issue keys, for the conformance suite: an application of Entra, and SendGrid as the example of a description. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { startGraph } from '../../../local/providers/graph.ts';
import { startSaas } from '../../../local/providers/saas.ts';
import { entraApp } from '../../../rotators/entra-app/entry.ts';
import { type EntraAppTags, entraAppTags } from '../../../rotators/entra-app/tags.ts';
import { httpKeys } from '../../../rotators/http-keys/entry.ts';
import { type HttpKeysTags, httpKeysTags } from '../../../rotators/http-keys/tags.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import type { Breakage, Features, RotatorHarness, Target } from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';
import { cutOffStandIn } from './cut-off.ts';
import { breakIdentity } from './harness-azure.ts';
import { writeDescriptions } from './subjects.ts';

const issuedFeatures: Features = {
  sessions: 'none',
  admin: true,
  selfRotation: false,
  network: 'stand-in',
  retirement: 'refuses',
};

const nowhere = { host: '', options: {} };

async function startEntraTarget(): Promise<Target<EntraAppTags>> {
  const graph = await startGraph();
  return {
    environment: { cloud: { resourceManager: 'https://arm.test', graph: graph.url, login: graph.url } },
    async scene() {
      const application = graph.addApplication();
      const { keyId, secretText } = application.issue('made by hand');
      return {
        current: { password: new SecretText(secretText), keyId },
        endpoint: nowhere,
        adminEndpoint: nowhere,
        admin: { kind: 'identity', username: '', getToken: async () => new SecretText(graph.token) },
        options: entraAppTags.parse({ resource: `${application.tenant}/${application.clientId}` }),
        missing: { password: newPassword(), keyId: randomUUID() },
        login: async (credential) => application.login(credential.password.reveal()),
        snapshot: async () => [...application.secrets],
      };
    },
    cutOff: (_scene, kind) => cutOffStandIn(graph, kind),
    log: async () => graph.requests.map(({ path }) => path).join('\n'),
    close: () => graph.close(),
  };
}

async function startSaasTarget(): Promise<Target<HttpKeysTags>> {
  const saas = await startSaas();
  const folder = await writeDescriptions(saas);
  const provider = saas.providers.sendgrid;
  return {
    environment: { allowedHosts: [new URL(saas.url).host], descriptionsFolder: folder },
    async scene() {
      const { id, value } = provider.issue('made by hand', ['mail.send']);
      return {
        current: { password: new SecretText(value), keyId: id },
        endpoint: nowhere,
        adminEndpoint: nowhere,
        admin: { kind: 'connection', secret: 'saas-admin', credential: { password: new SecretText(provider.admin) } },
        options: httpKeysTags.parse({ provider: 'sendgrid' }),
        missing: { password: newPassword(), keyId: randomUUID() },
        login: async (credential) => provider.login(credential.password.reveal()),
        snapshot: async () => [...provider.keys],
      };
    },
    cutOff: (_scene, kind) => cutOffStandIn(saas, kind),
    log: async () => saas.requests.map(({ path }) => path).join('\n'),
    async close() {
      await saas.close();
      await rm(folder, { recursive: true });
    },
  };
}

const entraBreakages: Readonly<Record<string, Breakage<EntraAppTags>>> = {
  'a published secret that the application does not have': async (scene) => ({ current: scene.missing }),
  'an application that does not exist': async () => ({
    options: entraAppTags.parse({ resource: `${randomUUID()}/${randomUUID()}` }),
  }),
};

const saasBreakages: Readonly<Record<string, Breakage<HttpKeysTags>>> = {
  'a published key that the provider does not know': async (scene) => ({ current: scene.missing }),
  'a provider that nobody described': async () => ({ options: httpKeysTags.parse({ provider: 'nobody-knows' }) }),
  'a provider that is rotated by hand': async () => ({ options: httpKeysTags.parse({ provider: 'stripe' }) }),
};

export const entraHarness: RotatorHarness<EntraAppTags> = {
  entry: entraApp,
  features: () => issuedFeatures,
  hostileNames: [],
  breakages: () => entraBreakages,
  breakAdmin: breakIdentity,
  start: startEntraTarget,
};

export const saasHarness: RotatorHarness<HttpKeysTags> = {
  entry: httpKeys,
  features: () => issuedFeatures,
  hostileNames: [],
  breakages: () => saasBreakages,
  breakAdmin: async () => ({
    admin: { kind: 'connection', secret: 'saas-admin', credential: { password: newPassword() } },
  }),
  start: startSaasTarget,
};
