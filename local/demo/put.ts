import { sampleDays } from '../samples.ts';
import type { VaultEmulator } from '../vault/index.ts';

/** Longest life of the old credential in the demo. In production it is days. */
export const overlap = 'PT8S';

/** Stores a secret of the demo: it opts in, and is valid for as long as the samples. */
export function putSecret(
  vault: VaultEmulator,
  name: string,
  value: string,
  tags: Readonly<Record<string, string>>,
): void {
  const expiresSeconds = vault.clock.nowSeconds() + sampleDays * 86_400;
  const contentType = value.startsWith('{') ? 'application/json' : 'text/plain';
  vault.put(name, { value, tags: { overlap, ...tags }, contentType, expiresSeconds });
}
