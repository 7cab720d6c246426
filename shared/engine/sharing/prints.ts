/** The fingerprints of what a secret's rotations change: of target and login, or of a resource; never of a password. */
import type { Credential } from '../../contract/credential.ts';
import type { Endpoint } from '../../contract/rotator.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { shortHash } from '../policy/identifiers.ts';
import type { Policy } from '../policy/policy.ts';

/** What is known of the published value. */
export interface Publishes {
  readonly credential: Pick<Credential, 'username'>;
  /** Of the value and of the admin. */
  readonly endpoints: readonly Endpoint[];
}

/** One for each login and host, or one for a resource. Empty where there is no target. Pure. */
export function printsOf({ rotator, strategy, options }: Policy, published: Publishes): readonly string[] {
  if (!strategyTraits[strategy].hasTarget) return [];
  const { credential, endpoints } = published;
  const { username } = credential;
  const facts = { strategy, endpoints, options, ...(username === undefined ? {} : { username }) };
  const names = rotator.identity?.(facts) ?? [];
  return [...new Set(names)].map((name) => shortHash(rotator.name, name)).sort();
}

/** Whether rotations of the policy change something of a login or a resource that another secret may publish. Pure. */
export function mayShare({ rotator, strategy, manual }: Policy): boolean {
  return manual === undefined && rotator.identity !== undefined && strategyTraits[strategy].hasTarget;
}
