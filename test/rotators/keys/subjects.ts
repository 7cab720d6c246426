/** One secret of each kind of provider, behind its stand-in, in one form: what the fault table and the canary search go over. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAzureResourceManager } from '../../../local/providers/azure.ts';
import { startGraph } from '../../../local/providers/graph.ts';
import { type SaasName, type SaasStandIn, saasNames, startSaas } from '../../../local/providers/saas.ts';
import type { Asked, StandInServer } from '../../../local/providers/server.ts';
import { azureKeys } from '../../../rotators/azure-keys/entry.ts';
import { entraApp } from '../../../rotators/entra-app/entry.ts';
import { entraAppTags } from '../../../rotators/entra-app/tags.ts';
import { httpKeys } from '../../../rotators/http-keys/entry.ts';
import { httpKeysTags } from '../../../rotators/http-keys/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Rotator, RotatorEnvironment, Step } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep, type StepExtras } from '../../conformance/step.ts';
import { azureStep, environmentOf, idOf, keyIn } from './azure-scene.ts';

export interface Subject {
  readonly server: StandInServer;
  readonly rotator: Rotator;
  readonly current: Credential;
  readonly step: (extras?: StepExtras & { readonly current?: Credential }) => Step;
  readonly login: (credential: Credential) => boolean;
  /** How many keys there are that log in. */
  readonly count: () => number;
  /** The request that makes a key. */
  readonly makes: (asked: Asked) => boolean;
  /** A request whose answer the rotator has to read. */
  readonly reads: (asked: Asked) => boolean;
  /** Everything that must not be seen anywhere. */
  readonly secrets: () => readonly string[];
  readonly close: () => Promise<void>;
}

const nowhere = { host: '', options: {} };

export async function azureSubject(timeoutMs = 2_000): Promise<Subject> {
  const server = await startAzureResourceManager();
  const resource = await server.add({ id: idOf('Microsoft.Storage/storageAccounts') });
  const current = keyIn(resource, 'key1');
  return {
    server,
    rotator: await azureKeys.load({ ...environmentOf(server), connectTimeoutMs: timeoutMs }),
    current,
    step: (extras = {}) => azureStep(server, resource, { current: extras.current ?? current }, extras),
    login: (credential) => resource.login(credential.password.reveal()),
    count: () => resource.keys.size,
    makes: ({ path }) => path.endsWith('/regenerateKey'),
    reads: ({ path }) => path.endsWith('/listKeys'),
    secrets: () => [server.token, ...resource.keys.values()],
    close: () => server.close(),
  };
}

export async function entraSubject(timeoutMs = 2_000): Promise<Subject> {
  const server = await startGraph();
  const application = server.addApplication();
  const issued = application.issue('made by hand');
  const current = { password: new SecretText(issued.secretText), keyId: issued.keyId };
  const getToken = async () => new SecretText(server.token);
  const options = entraAppTags.parse({ resource: `${application.tenant}/${application.clientId}` });
  const admin = { kind: 'identity', username: '', getToken } as const;
  return {
    server,
    rotator: await entraApp.load(graphEnvironment(server.url, timeoutMs)),
    current,
    step: (extras = {}) => {
      const parts = { current: extras.current ?? current, endpoint: nowhere, adminEndpoint: nowhere, admin, options };
      return makeStep('issue-revoke', parts, extras);
    },
    login: (credential) => application.login(credential.password.reveal()),
    count: () => application.secrets.size,
    makes: ({ path }) => path.endsWith('/addPassword'),
    reads: ({ path }) => path.endsWith('/addPassword'),
    secrets: () => [server.token, ...[...application.secrets.values()].map((one) => one.secretText)],
    close: () => server.close(),
  };
}

function graphEnvironment(url: string, connectTimeoutMs: number): RotatorEnvironment {
  return {
    trustedCertificates: [],
    connectTimeoutMs,
    getToken: async () => new SecretText('unused'),
    allowedHosts: [],
    cloud: { resourceManager: 'https://arm.test', graph: url, login: url },
  };
}

/** Writes the built-in descriptions, moved to the stand-in, into a folder of their own, as an app would bring its own. */
export async function writeDescriptions(saas: SaasStandIn): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-descriptions-'));
  for (const name of saasNames) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(quick(saas.description(name))));
  }
  return folder;
}

// The same descriptions with shorter waits: how long a provider takes is not what is tested.
function quick(description: unknown): unknown {
  if (typeof description !== 'object' || description === null || !('verify' in description)) return description;
  return { ...description, verify: { ...Object(description.verify), intervalSeconds: 0.05, deadlineSeconds: 1 } };
}

export async function saasSubject(name: SaasName, timeoutMs = 2_000): Promise<Subject> {
  const server = await startSaas();
  const folder = await writeDescriptions(server);
  const provider = server.providers[name];
  const rights = [{ effect: 'allow', of: name }];
  const old = provider.issue('keyturn-label-of-an-earlier-one', rights);
  const current = { password: new SecretText(old.value), keyId: old.id };
  const tags = { provider: provider.resource === undefined ? name : `${name}/${provider.resource}` };
  const admin = {
    kind: 'connection',
    secret: 'saas-admin',
    credential: { password: new SecretText(provider.admin) },
  } as const;
  const creates = (asked: Asked) =>
    asked.method === 'POST' &&
    !/token$/.test(asked.path) &&
    (name !== 'new-relic' || asked.body.includes('CreateKeys'));
  return {
    server,
    rotator: await httpKeys.load({
      ...graphEnvironment(server.url, timeoutMs),
      allowedHosts: ['127.0.0.1'],
      descriptionsFolder: folder,
    }),
    current,
    step: (extras = {}) => {
      const parts = { current: extras.current ?? current, endpoint: nowhere, adminEndpoint: nowhere, admin };
      return makeStep('issue-revoke', { ...parts, options: httpKeysTags.parse(tags) }, extras);
    },
    login: (credential) => provider.login(credential.password.reveal()),
    count: () => provider.keys.size,
    makes: creates,
    reads: creates,
    secrets: () => [provider.admin, ...[...provider.keys.values()].map((key) => key.secret)],
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
