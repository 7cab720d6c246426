/** Who has acknowledged a version, and who is missing since when. */
import * as z from 'zod';
import type { SecretProperties } from '../contract/ports.ts';
import { policyOf } from '../engine/policy/current.ts';
import { type Failure, isFailure } from '../errors.ts';
import type { ApiDependencies } from './dependencies.ts';
import { secondsBetween, time } from './fields.ts';

export const acknowledgementsView = z.object({
  version: z.string(),
  acknowledged: z.array(z.object({ consumer: z.string(), at: time, afterSeconds: z.int() })),
  missing: z.array(z.object({ consumer: z.string(), forSeconds: z.int() })),
  complete: z.boolean(),
});
export type AcknowledgementsView = z.infer<typeof acknowledgementsView>;

/** The consumers that the tags of this version name; none where the tags cannot be read. */
export function consumersOf(deps: ApiDependencies, version: SecretProperties): readonly string[] {
  const outcome = policyOf(deps.engine, version);
  if (outcome.kind === 'linked') return outcome.consumers;
  return outcome.kind === 'policy' ? outcome.policy.consumers : [];
}

/** `view` is absent where nobody is named. Ages are by this worker's clock: shown, never decided by. */
export async function acknowledgementsOf(
  deps: ApiDependencies,
  vault: string,
  version: SecretProperties & { readonly version: string },
  now: Date,
): Promise<{ readonly kind: 'known'; readonly view: AcknowledgementsView | undefined } | Failure> {
  const named = consumersOf(deps, version);
  if (named.length === 0) return { kind: 'known', view: undefined };
  const known = await deps.acknowledgements.of(vault, version.name, version.version);
  if (isFailure(known)) return known;
  const acknowledged = [...known.consumers].map(([consumer, at]) => ({
    consumer,
    at: at.toISOString(),
    afterSeconds: secondsBetween(version.createdAt, at),
  }));
  const missing = named
    .filter((consumer) => !known.consumers.has(consumer))
    .map((consumer) => ({ consumer, forSeconds: secondsBetween(version.createdAt, now) }));
  return {
    kind: 'known',
    view: { version: version.version, acknowledged, missing, complete: missing.length === 0 },
  };
}
