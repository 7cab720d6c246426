import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { formatStamp, stampTag } from '../../shared/engine/policy/stamp.ts';
import type { BenchCase, BenchOptions, Run } from '../bench.ts';
import { measurePairs, median, rounded } from '../pairs.ts';

const execute = promisify(execFile);
const child = fileURLToPath(new URL('child.ts', import.meta.url));

const printed = z.object({
  ms: z.number().positive(),
  pages: z.number().int(),
  secrets: z.number().int(),
  peakMB: z.number().positive(),
});

/** How many secrets, and how often each way goes through them. */
const sizes = [
  { secrets: 10_000, pairs: 31 },
  { secrets: 100_000, pairs: 9 },
] as const;
const quickSizes = [{ secrets: 260, pairs: 1 }] as const;

export const run: Run = async (options) => {
  // Without limits: 100,000 secrets are 4,000 calls, and a vault takes that many in 10 s.
  const vault = await startVaultEmulator({ name: 'bench', limits: { on: false } });
  try {
    const cases: BenchCase[] = [];
    for (const { secrets, pairs } of options.quick ? quickSizes : sizes) {
      fill(vault, secrets);
      cases.push(await measure(vault, secrets, pairs, options));
    }
    return cases;
  } finally {
    await vault.close();
  }
};

async function measure(
  vault: VaultEmulator,
  secrets: number,
  pairs: number,
  { progress }: BenchOptions,
): Promise<BenchCase> {
  const peaks: Record<'bare' | 'sweep', number[]> = { bare: [], sweep: [] };
  let [listCalls, pages] = [0, 0];
  const go = async (how: 'bare' | 'sweep'): Promise<number> => {
    const before = vault.calls.count('list');
    const { stdout } = await execute(process.execPath, [child, how, vault.url]);
    const seen = printed.parse(JSON.parse(stdout));
    if (seen.secrets !== secrets) throw new Error(`${how} saw ${seen.secrets} of ${secrets} secrets`);
    peaks[how].push(seen.peakMB);
    if (how === 'sweep') [listCalls, pages] = [vault.calls.count('list') - before, seen.pages];
    return seen.ms;
  };
  const measured = await measurePairs(
    () => go('sweep'),
    () => go('bare'),
    { warmUp: 1, pairs, progress: (line) => progress(`${secrets} secrets: ${line}`) },
  );
  return {
    name: `sweep-${secrets}`,
    ratio: rounded(measured.ratio, 3),
    sweepMs: rounded(measured.firstMs, 0),
    bareMs: rounded(measured.secondMs, 0),
    listCalls,
    pages,
    extraMemoryMB: rounded(median(peaks.sweep) - median(peaks.bare), 1),
  };
}

/** A healthy vault: nine of ten secrets are Keyturn's, in all ways of writing a policy, each rotated at a time of its own. */
function fill(vault: VaultEmulator, secrets: number): void {
  vault.reset();
  const now = vault.clock.nowSeconds();
  for (let number = 0; number < secrets; number++) {
    vault.put(`secret-${number}`, {
      value: `value-${number}`,
      contentType: 'text/plain',
      tags: number % 10 === 9 ? { team: `team-${number % 40}` } : tagsOf(number),
      expiresSeconds: now + 86_400 * (40 + (number % 50)) + number,
    });
  }
}

function tagsOf(number: number): Record<string, string> {
  const hex = number.toString(16).padStart(32, '0');
  const stamp = formatStamp({ rotationId: hex, from: hex, retireBy: new Date(Date.now() - 86_400_000), retired: true });
  return {
    rotator: number % 3 === 0 ? 'redis' : 'postgres',
    admin: `admin-${number % 20}`,
    'valid-for': number % 2 === 0 ? 'P90D' : 'P100D',
    team: `team-${number % 40}`,
    owner: `owner-${number}@contoso.example`,
    ...(number % 4 === 0 ? { window: 'mon-fri 22:00-04:00 Europe/Berlin' } : {}),
    [stampTag]: stamp,
  };
}
