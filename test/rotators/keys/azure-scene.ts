/** Azure resources of the stand-in, and the steps that rotate their keys. */
import { randomUUID } from 'node:crypto';
import type { AzureResource, AzureStandIn } from '../../../local/providers/azure.ts';
import { type AzureKeysTags, azureKeysTags } from '../../../rotators/azure-keys/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { RotatorEnvironment, Step } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep, type StepExtras } from '../../conformance/step.ts';

const group = '/subscriptions/01234567-89ab-cdef-0123-456789abcdef/resourceGroups/shop/providers';

/** An ARM id of a type, each part with a name of its own. */
export function idOf(type: string): string {
  const [provider = '', ...types] = type.split('/');
  return [group, provider, ...types.flatMap((part) => [part, `n${randomUUID().slice(0, 12)}`])].join('/');
}

export function environmentOf(azure: AzureStandIn): RotatorEnvironment {
  return {
    trustedCertificates: [],
    connectTimeoutMs: 2_000,
    getToken: async () => new SecretText(azure.token),
    allowedHosts: [],
    cloud: {
      resourceManager: azure.url,
      graph: 'https://graph.microsoft.com',
      login: 'https://login.microsoftonline.com',
    },
  };
}

/** The credential of a slot as the vault's value would give it. */
export function keyIn(resource: AzureResource, slot: string): Credential {
  const id = resource.ids.get(slot);
  const password = new SecretText(resource.keys.get(slot) ?? '');
  const username = id ?? (resource.id.includes('ContainerRegistry') ? 'registry' : undefined);
  return username === undefined ? { password } : { username, password };
}

export interface AzureStepParts {
  readonly current: Credential;
  readonly tags?: Readonly<Record<string, string>>;
  readonly token?: string;
}

export function azureStep(
  azure: AzureStandIn,
  resource: AzureResource,
  parts: AzureStepParts,
  extras: StepExtras = {},
): Step<AzureKeysTags> {
  const nowhere = { host: '', options: {} };
  const token = parts.token ?? azure.token;
  return makeStep(
    'dual-key',
    {
      current: parts.current,
      endpoint: nowhere,
      adminEndpoint: nowhere,
      admin: { kind: 'identity', username: '', getToken: async () => new SecretText(token) },
      options: azureKeysTags.parse({ resource: resource.id, ...parts.tags }),
    },
    { secret: 'shop-key', ...extras },
  );
}
