/**
 * A fresh process that goes through all secrets of one vault, `bare` or by the `sweep`, and prints what it took. A process of its own,
 * because memory is measured by its peak, and a peak never goes down again.
 */
import { SecretClient } from '@azure/keyvault-secrets';

const credential = { getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }) };

interface Seen {
  readonly pages: number;
  readonly secrets: number;
}

/** Page by page and nothing else: what any program pays that looks at every secret. */
async function bare(url: string): Promise<() => Promise<Seen>> {
  const client = new SecretClient(url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
  return async () => {
    let [pages, secrets] = [0, 0];
    for await (const page of client.listPropertiesOfSecrets().byPage({ maxPageSize: 25 })) {
      pages++;
      secrets += page.length;
    }
    return { pages, secrets };
  };
}

/** The sweep with the app's own vault and rotators. The vault is healthy, so there is nothing to put into a queue. */
async function swept(url: string): Promise<() => Promise<Seen>> {
  const [{ sweep }, { KeyVault }, { rotators }] = await Promise.all([
    import('../../shared/operations/sweep.ts'),
    import('../../shared/vault/key-vault.ts'),
    import('../../rotators/registry.ts'),
  ]);
  const vault = new KeyVault({ name: 'bench', url, credential });
  const dayMs = 86_400_000;
  const unexpected = () => Promise.reject(new Error('the sweep found something to do in a healthy vault'));
  const deps: Parameters<typeof sweep>[0] = {
    engine: {
      vaults: new Map([[vault.name, vault]]),
      rotators: new Map(rotators.map((entry) => [entry.name, entry])),
      defaults: { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: 2 * dayMs },
    },
    queues: { enqueue: unexpected },
    attention: { all: nothing, cleared: unexpected },
    toldBefore: { all: nothing, add: unexpected, remove: unexpected },
    jitterMs: 0,
    random: Math.random,
  };
  return async () => {
    const report = await sweep(deps, vault, { kind: 'freeze', frozen: false }, new AbortController().signal);
    if (report.kind === 'failed') throw new Error(report.message);
    return { pages: report.pages, secrets: report.listed };
  };
}

/** Nothing is kept of any secret. */
async function* nothing() {
  yield* [];
}

const [how = '', url = ''] = process.argv.slice(2);
const run = await (how === 'sweep' ? swept(url) : bare(url));
const started = performance.now();
const seen = await run();
const ms = performance.now() - started;
// In kilobytes, the highest there was: getrusage(2).
console.log(JSON.stringify({ ...seen, ms, peakMB: process.resourceUsage().maxRSS / 1024 }));
