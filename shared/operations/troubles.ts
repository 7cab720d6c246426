import type { Attention, Trouble } from '../contract/state.ts';
import { type Failure, isFailure } from '../errors.ts';

/** Every secret of a vault with trouble, by its name in lower case. Few at any time, so they are kept for a walk. */
export async function troublesOf(
  attention: Pick<Attention, 'all'>,
  vault: string,
): Promise<{ readonly kind: 'troubles'; readonly bySecret: ReadonlyMap<string, Trouble> } | Failure> {
  const bySecret = new Map<string, Trouble>();
  for await (const one of attention.all(vault)) {
    if (isFailure(one)) return one;
    bySecret.set(one.secret.toLowerCase(), one.trouble);
  }
  return { kind: 'troubles', bySecret };
}
