import type { TokenCredential } from '@azure/core-auth';
import type { Settings } from '../shared/config/settings.ts';

/** The app's own identity. Loaded only where it is used: the library of identities is larger than the app. */
export async function credentialOf({ credential }: Pick<Settings, 'credential'>): Promise<TokenCredential> {
  const { kind, clientId } = credential;
  if (kind === 'local') {
    // A stand-in takes any token; the settings have made sure that nothing but loopback is reached with it.
    return { getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  }
  const identity = await import('@azure/identity');
  const options = clientId === undefined ? {} : { managedIdentityClientId: clientId };
  if (kind === 'default') return new identity.DefaultAzureCredential(options);
  return clientId === undefined
    ? new identity.ManagedIdentityCredential()
    : new identity.ManagedIdentityCredential({ clientId });
}
