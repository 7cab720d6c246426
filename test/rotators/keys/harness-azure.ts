/** Azure Storage, played by the stand-in, for the conformance suite. */
import { type AzureResource, type AzureStandIn, startAzureResourceManager } from '../../../local/providers/azure.ts';
import { azureKeys } from '../../../rotators/azure-keys/entry.ts';
import { type AzureKeysTags, azureKeysTags } from '../../../rotators/azure-keys/tags.ts';
import type { Admin } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import type {
  Breakage,
  CutOff,
  CutOffKind,
  Features,
  RotatorHarness,
  Scene,
  Target,
} from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';
import { environmentOf, idOf, keyIn } from './azure-scene.ts';
import { cutOffStandIn } from './cut-off.ts';

const azureFeatures: Features = {
  sessions: 'none',
  admin: true,
  selfRotation: false,
  network: 'stand-in',
  retirement: 'refuses',
};

const type = 'Microsoft.Storage/storageAccounts';

async function startAzureTarget(): Promise<Target<AzureKeysTags>> {
  const azure = await startAzureResourceManager();
  return {
    environment: environmentOf(azure),
    scene: async () => sceneOf(azure, await azure.add({ id: idOf(type) })),
    cutOff: (_scene, kind: CutOffKind): Promise<CutOff<AzureKeysTags>> => cutOffStandIn(azure, kind),
    log: async () => azure.requests.map(({ path }) => path).join('\n'),
    close: () => azure.close(),
  };
}

function sceneOf(azure: AzureStandIn, resource: AzureResource): Scene<AzureKeysTags> {
  const nowhere = { host: '', options: {} };
  return {
    current: keyIn(resource, 'key1'),
    endpoint: nowhere,
    adminEndpoint: nowhere,
    admin: { kind: 'identity', username: '', getToken: async () => new SecretText(azure.token) },
    options: azureKeysTags.parse({ resource: resource.id }),
    missing: { password: newPassword() },
    login: async (credential) => resource.login(credential.password.reveal()),
    snapshot: async () => ({ keys: [...resource.keys] }),
  };
}

/** A token that Resource Manager does not take. */
export async function breakIdentity(): Promise<{ readonly admin: Admin }> {
  return { admin: { kind: 'identity', username: '', getToken: async () => newPassword() } };
}

const azureBreakages: Readonly<Record<string, Breakage<AzureKeysTags>>> = {
  'a published key that the resource does not have': async (scene) => ({ current: scene.missing }),
  'a resource that does not exist': async () => ({
    options: azureKeysTags.parse({ resource: idOf(type) }),
  }),
};

export const azureHarness: RotatorHarness<AzureKeysTags> = {
  entry: azureKeys,
  features: () => azureFeatures,
  hostileNames: [],
  breakages: () => azureBreakages,
  breakAdmin: breakIdentity,
  start: startAzureTarget,
};
