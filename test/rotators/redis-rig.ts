/** The Redis rotator called directly, as the engine calls it. */
import { expect } from 'vitest';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Rotator, Step } from '../../shared/contract/rotator.ts';
import type { StepParts } from '../conformance/harness.ts';
import { makeStep, newPassword, type StepExtras } from '../conformance/step.ts';
import { adminCredential, asOwner, endpointOf, type RedisTags } from './redis-bench.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** A user of its own on every node; by default one that may do everything. */
export async function makeUser(
  nodes: readonly Place[],
  username = `app-${Math.random().toString(36).slice(2)}`,
  rules: readonly string[] = ['+@all'],
) {
  const current = { username, password: newPassword() };
  for (const node of nodes) {
    const password = `>${current.password.reveal()}`;
    await asOwner(node, 'ACL', 'SETUSER', username, 'reset', 'on', password, '~*', '&*', ...rules);
  }
  return current;
}

export function stepAt(
  node: Place,
  current: Credential,
  strategy: 'dual-password' | 'single-user' = 'dual-password',
  changes: Partial<StepParts<RedisTags>> = {},
  extras: StepExtras = {},
): Step<RedisTags> {
  const endpoint = endpointOf(node);
  const admin = { kind: 'connection', secret: 'redis-admin', credential: adminCredential } as const;
  const parts = { current, endpoint, adminEndpoint: endpoint, admin, options: {}, ...changes };
  return makeStep<RedisTags>(strategy, parts, extras);
}

/** Proposes and applies; gives back what would be published. */
export async function applied(rotator: Rotator<RedisTags>, step: Step<RedisTags>): Promise<Credential> {
  const candidate = rotator.propose(step, step.current);
  if ('kind' in candidate) throw new Error(candidate.message);
  expect(await rotator.apply(step, candidate, step.current)).toMatchObject({ kind: 'applied' });
  return candidate;
}
