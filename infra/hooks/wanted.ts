/** What is to be deployed, as azd's environment says it. */
import { at, listAt, parsed, textAt } from './json.ts';

export interface WantedVault {
  readonly name: string;
  readonly resourceGroup: string;
  readonly subscriptionId: string;
  readonly systemTopicName: string;
  readonly systemTopicResourceGroup: string;
}

export interface Wanted {
  readonly environment: string;
  readonly subscriptionId: string;
  readonly location: string;
  readonly vaults: readonly WantedVault[];
  /** Empty: no name was chosen. */
  readonly newVault: string;
  readonly customRole: boolean;
  /** Whether people and machines sign in with Entra, by an application that the hook makes. */
  readonly signIn: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws where a value cannot be read, with what to set. */
export function wantedOf(env: Environment): Wanted {
  const subscriptionId = env['AZURE_SUBSCRIPTION_ID'] ?? '';
  const environment = env['AZURE_ENV_NAME'] ?? '';
  const location = env['AZURE_LOCATION'] ?? '';
  if (subscriptionId === '' || environment === '' || location === '')
    throw new Error('AZURE_SUBSCRIPTION_ID, AZURE_ENV_NAME and AZURE_LOCATION must be set. Run: azd env new NAME');
  return {
    ...{ environment, subscriptionId, location },
    vaults: vaultsOf(env['KEYTURN_DEPLOY_VAULTS'] ?? '[]', subscriptionId),
    newVault: env['KEYTURN_DEPLOY_NEW_VAULT'] ?? '',
    customRole: (env['KEYTURN_DEPLOY_VAULT_ROLE'] ?? 'custom') !== 'built-in',
    signIn: (env['KEYTURN_DEPLOY_SIGN_IN'] ?? 'entra') !== 'keys',
  };
}

function vaultsOf(text: string, subscriptionId: string): readonly WantedVault[] {
  const given = parsed(text === '' ? '[]' : text);
  const wrong = `KEYTURN_DEPLOY_VAULTS must be a list like [{"name": "contoso-kv", "resourceGroup": "shared-rg"}]`;
  if (!Array.isArray(given)) throw new Error(wrong);
  return listAt(given).map((one) => {
    const vault = {
      name: textAt(one, 'name'),
      resourceGroup: textAt(one, 'resourceGroup'),
      subscriptionId: textAt(one, 'subscriptionId') || subscriptionId,
      systemTopicName: textAt(one, 'systemTopicName'),
      systemTopicResourceGroup: textAt(one, 'systemTopicResourceGroup'),
    };
    if (vault.name === '' || vault.resourceGroup === '' || typeof at(one) !== 'object') throw new Error(wrong);
    return vault;
  });
}

/** Resource id of a vault. */
export function vaultId({ subscriptionId, resourceGroup, name }: WantedVault): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.KeyVault/vaults/${name}`;
}
