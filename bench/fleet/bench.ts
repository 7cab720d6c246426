/** One sweep over many vaults: whether it keeps within what a subscription allows, what it waits for, and what memory it takes. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { Limits, startVaultEmulator, subscriptionLimits, type VaultEmulator } from '../../local/vault/index.ts';
import type { BenchCase, BenchOptions, Run } from '../bench.ts';
import { rounded } from '../pairs.ts';

const execute = promisify(execFile);
const child = fileURLToPath(new URL('child.ts', import.meta.url));
const printed = z.object({ swept: z.int(), failed: z.int(), ms: z.number(), peakMB: z.number() });

export const run: Run = async (options) => {
  const size = options.quick ? { vaults: 6, secrets: 60 } : { vaults: 20, secrets: 5_000 };
  // In a quick run the subscription takes so little that some calls must be refused.
  const subscription = new Limits(
    options.quick ? { ...subscriptionLimits, others: 5, windowMs: 500 } : subscriptionLimits,
  );
  const vaults: VaultEmulator[] = [];
  try {
    for (let at = 0; at < size.vaults; at++) {
      const vault = await startVaultEmulator({ name: `fleet-${at}`, subscription });
      vaults.push(vault);
      fill(vault, size.secrets);
    }
    return [await measure(vaults, size.secrets, options)];
  } finally {
    for (const vault of vaults) await vault.close();
  }
};

async function measure(
  vaults: readonly VaultEmulator[],
  secrets: number,
  { progress }: BenchOptions,
): Promise<BenchCase> {
  progress(`${vaults.length} vaults of ${secrets} secrets`);
  const { stdout } = await execute(process.execPath, [child, ...vaults.map(({ url }) => url)]);
  const { swept, failed, ms, peakMB } = printed.parse(JSON.parse(stdout));
  const calls = vaults.flatMap((vault) => vault.calls.latest);
  const listCalls = vaults.reduce((sum, vault) => sum + vault.calls.count('list'), 0);
  return {
    ...{ name: `fleet-${vaults.length}x${secrets}`, swept, failed, listCalls },
    throttled: calls.filter(({ status }) => status === 429).length,
    seconds: rounded(ms / 1_000, 1),
    peakMemoryMB: rounded(peakMB, 0),
  };
}

function fill(vault: VaultEmulator, secrets: number): void {
  const now = vault.clock.nowSeconds();
  for (let number = 0; number < secrets; number++) {
    vault.put(`secret-${number}`, {
      value: `value-${number}`,
      tags: { rotator: 'self-issued', team: `team-${number % 40}` },
      expiresSeconds: now + 86_400 * (60 + (number % 20)),
    });
  }
}
