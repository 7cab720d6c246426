/** A fresh process that sweeps all vaults as the app does, and prints what it took: memory is measured by its peak. */
import { rotators } from '../../rotators/registry.ts';
import { isFailure } from '../../shared/errors.ts';
import { type SweepAllDependencies, sweepAll } from '../../shared/operations/sweep-all.ts';
import { KeyVault } from '../../shared/vault/key-vault.ts';

const credential = { getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }) };
const dayMs = 86_400_000;
const unexpected = () => Promise.reject(new Error('the sweep found something to do in a healthy vault'));

async function* nothing() {
  yield* [];
}

const urls = process.argv.slice(2);
const deps: SweepAllDependencies = {
  engine: {
    vaults: new Map(urls.map((url, at) => [`fleet-${at}`, new KeyVault({ name: `fleet-${at}`, url, credential })])),
    rotators: new Map(rotators.map((entry) => [entry.name, entry])),
    defaults: { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: 2 * dayMs },
  },
  queues: { enqueue: unexpected },
  attention: { all: nothing, cleared: unexpected },
  toldBefore: { all: nothing, add: unexpected, remove: unexpected },
  freeze: {
    read: async () => ({ kind: 'freeze', frozen: false }),
    set: async () => ({ kind: 'freeze', frozen: false }),
  },
  jitterMs: 0,
  random: () => 0,
};

const started = performance.now();
const { vaults } = await sweepAll(deps, AbortSignal.timeout(9 * 60_000));
const ms = performance.now() - started;
const failed = vaults.filter(({ outcome }) => isFailure(outcome)).length;
// In kilobytes, the highest there was: getrusage(2).
console.log(
  JSON.stringify({ swept: vaults.length - failed, failed, ms, peakMB: process.resourceUsage().maxRSS / 1024 }),
);
