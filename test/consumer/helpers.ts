import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterEach, vi } from 'vitest';
import { type ConsumerError, type WatchedSecret, type WatchOptions, watchSecret } from '../../consumer/index.ts';
import { clientFor, vaultFor } from '../emulator/helpers.ts';

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Closes it after the test, the last opened first. */
export function closeLater(close: () => unknown): void {
  opened.push(close);
}

/** Waits until the claim holds; as long as it takes on a busy machine. */
export function eventually(claim: () => unknown): Promise<unknown> {
  return vi.waitFor(claim, { timeout: 20_000, interval: 20 });
}

/** A vault with one secret in it, and everything a test does with it. */
export async function vaultWith(value: string, name = 'orders-db') {
  const vault = await vaultFor();
  const client = clientFor(vault);
  const versions: string[] = [];
  const publish = async (next: string): Promise<string> => {
    const { properties } = await client.setSecret(name, next);
    const version = properties.version ?? '';
    versions.push(version);
    return version;
  };
  // The first call of a fresh client carries no body, so it must not be a PUT.
  await client.listPropertiesOfSecrets().next();
  await publish(value);
  const reads = () => vault.calls.count('get');
  return { vault, client, name, publish, versions, reads };
}

export type TestVault = Awaited<ReturnType<typeof vaultWith>>;

/** Watches the secret, by messages alone unless the options say otherwise, and keeps what was told to `onError`. */
export async function watched(
  from: TestVault,
  options: Partial<WatchOptions> = {},
): Promise<{ readonly secret: WatchedSecret; readonly problems: ConsumerError[] }> {
  const problems: ConsumerError[] = [];
  const secret = await watchSecret({
    client: from.client,
    name: from.name,
    vault: 'local',
    refreshIntervalMs: 3_600_000,
    onError: (error) => problems.push(error),
    ...options,
  });
  closeLater(() => secret.close());
  return { secret, problems };
}

/** Workers that run the query all the time, and count. */
export function underLoad(query: () => Promise<unknown>, workers = 4) {
  const counts = { queries: 0, failures: [] as unknown[] };
  let running = true;
  const work = async () => {
    while (running) {
      try {
        await query();
      } catch (error) {
        counts.failures.push(error);
      }
      counts.queries += 1;
    }
  };
  const all = Promise.all(Array.from({ length: workers }, work));
  return {
    counts,
    /** Waits until so many more queries were made. */
    more: async (queries: number) => {
      const until = counts.queries + queries;
      while (counts.queries < until) await new Promise((resolve) => setImmediate(resolve));
    },
    stop: async () => {
      running = false;
      await all;
      return counts;
    },
  };
}

export interface ReceivedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Keyturn's API as a consumer sees it: takes acknowledgements, and answers the first ones with what the test says. */
export async function acknowledgementServer(answers: readonly number[] = []) {
  const calls: ReceivedCall[] = [];
  const left = [...answers];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      calls.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(left.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  closeLater(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, api: `http://127.0.0.1:${address.port}/api`, port: address.port };
}

/** A secret value of its own for each call, easy to find wherever it leaks to. */
export function canary(label: string): string {
  return `canary-${label}-${Math.random().toString(36).slice(2)}-pw`;
}
