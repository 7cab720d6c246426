/**
 * An application as its owner would build it with `@keyturn/consumer`: a pool that follows the secret, a webhook that believes signatures
 * alone, and acknowledgements with a key of its own. It would look at the vault again in an hour; what it knows, it was told.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { SecretClient } from '@azure/keyvault-secrets';
import { type PushReceiver, watchSecret, webhookReceiver } from '../../consumer/index.ts';
import { rotatingPgPool } from '../../consumer/pg.ts';
import { apiKeySetting, localApiKeys } from '../api-keys.ts';
import type { LocalAzure } from '../azure.ts';
import type { Follower, Scene } from './scene.ts';

const name = 'orders-app';
const signingSecretName = 'orders-hook-signing';
const hourMs = 3_600_000;

/** The tags that make Keyturn tell it, and wait for it: far longer than it needs. */
export const toldTags: Readonly<Record<string, string>> = { notify: name, consumers: name, overlap: 'PT40S' };

type Parts = Required<Pick<Scene, 'start' | 'setUp' | 'follow' | 'close'>>;

export function toldApplication(secretName: string): Parts {
  const signingSecret = `whsec_${randomBytes(32).toString('base64')}`;
  let receiver: PushReceiver | undefined;
  const server = createServer((request, response) => {
    const answered = rawBody(request).then((body) => {
      const { method = 'POST', url = '/', headers } = request;
      // Before the application runs, the sender is asked to come again.
      return receiver?.handle({ method, url, headers, body }) ?? { status: 503, headers: {}, body: '' };
    });
    answered.then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    );
  });
  return {
    async start() {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const url = `http://127.0.0.1:${port ?? 0}/keyturn/news`;
      return {
        KEYTURN_CHANNELS: JSON.stringify({ [name]: { kind: 'webhook', url, signingSecret: signingSecretName } }),
        KEYTURN_API_KEYS: apiKeySetting([
          { name, role: 'consumer', key: localApiKeys.consumer },
          { name: 'operator', role: 'operator', key: localApiKeys.operator },
        ]),
      };
    },
    async setUp({ vault }) {
      vault.put(signingSecretName, { value: signingSecret });
    },
    async follow(azure) {
      const application = await startApplication(azure, secretName, signingSecret);
      receiver = application.receiver;
      return application;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function startApplication(
  { vault, host }: LocalAzure,
  secretName: string,
  signingSecret: string,
): Promise<Follower & { readonly receiver: PushReceiver }> {
  const token = { getToken: async () => ({ token: 'demo', expiresOnTimestamp: Date.now() + hourMs }) };
  const client = new SecretClient(vault.url, token, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
  const secret = await watchSecret({
    client,
    name: secretName,
    vault: vault.name,
    refreshIntervalMs: hourMs,
    acknowledge: { api: `${host.url}/api`, key: localApiKeys.consumer },
  });
  const pool = await rotatingPgPool({ secret, options: { max: 2, application_name: name } });
  return {
    receiver: webhookReceiver({ secrets: [secret], signingSecret }),
    call: () => pool.query('INSERT INTO visits DEFAULT VALUES'),
    async close() {
      await pool.end();
      await secret.close();
    },
  };
}

async function rawBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
