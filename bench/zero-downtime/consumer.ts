/** An application that follows its secret by the consumer client, and acknowledges with a key of its own. */
import { SecretClient } from '@azure/keyvault-secrets';
import { watchSecret } from '../../consumer/index.ts';
import { consumerKey, type Stage } from './stage.ts';
import type { Load, Target } from './target.ts';

/** How often it looks at the vault. In production it is minutes, and messages tell of new versions. */
const refreshIntervalMs = 1_000;

export interface Consumer extends Load {
  /** Problems of the background, in words. */
  readonly problems: readonly string[];
}

export async function startConsumer({ azure, api }: Stage, target: Target, name: string): Promise<Consumer> {
  const token = { getToken: async () => ({ token: 'bench', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const client = new SecretClient(azure.vault.url, token, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
  const problems: string[] = [];
  const secret = await watchSecret({
    client,
    name: target.secret,
    vault: 'bench',
    refreshIntervalMs,
    acknowledge: { api, key: consumerKey(name) },
    onError: (error) => problems.push(`${error.code}: ${error.message}`),
  });
  const { query, end } = await target.open(secret);
  return {
    query,
    problems,
    async end() {
      await end();
      await secret.close();
    },
  };
}
