/** Azure Resource Manager, in the name of whoever is signed in with `az login`. For what stands outside the app. */
import { AzureRefused, type Service, serviceAt } from '../infra/hooks/azure.ts';
import { isLoopback } from '../shared/loopback.ts';
import { azTokens } from './az-login.ts';
import { Stop, usageStop } from './trouble.ts';

const publicCloud = 'https://management.azure.com';

/** Stops where the address would take the token over plain http. Asks nobody anything yet. */
export function managerOf(env: Readonly<Record<string, string | undefined>>): Service {
  const base = env['AZURE_RESOURCE_MANAGER_URL']?.trim() || publicCloud;
  const url = URL.parse(base);
  if (url === null || (url.protocol !== 'https:' && !isLoopback(url.hostname)))
    throw usageStop('AZURE_RESOURCE_MANAGER_URL cannot be used', `Leave it out, or set it like ${publicCloud}.`);
  const headers = azTokens(url.origin);
  return serviceAt(url.origin, async () => ((await headers())['authorization'] ?? '').replace(/^Bearer /, ''));
}

/** Runs `work`; what Azure refuses ends the command, with what to do. */
export async function withAzure<Value>(hint: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AzureRefused)) throw error;
    throw new Stop({ exit: 'refused', code: 'azure-refused', message: error.message, hint });
  }
}
