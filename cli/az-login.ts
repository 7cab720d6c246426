/** Tokens of whoever is signed in with `az login`. */
import type { AccessToken } from '@azure/identity';
import type { Access } from './api/client.ts';
import { Stop } from './trouble.ts';

/** A token is asked for again this long before it runs out. */
const marginMs = 120_000;

/** Headers with a token for `audience`. Runs `az` at the first request, and again when the token runs out. */
export function azTokens(audience: string): Access['headers'] {
  let known: AccessToken | undefined;
  return async () => {
    if (known === undefined || known.expiresOnTimestamp - Date.now() < marginMs) known = await askAz(audience);
    return { authorization: `Bearer ${known.token}` };
  };
}

async function askAz(audience: string): Promise<AccessToken> {
  const { AzureCliCredential } = await import('@azure/identity');
  try {
    return await new AzureCliCredential({ processTimeoutInMs: 30_000 }).getToken(`${audience}/.default`);
  } catch (error) {
    // What az says may be long and hold anything; its kind is enough to know what to do.
    const kind = error instanceof Error ? error.name : 'unknown';
    throw new Stop({
      exit: 'refused',
      code: 'az-login',
      message: `az gave no token for ${audience} (${kind})`,
      hint: `Run "az login", then "az account get-access-token --resource ${audience}" to see what az says.`,
    });
  }
}
