/** Policies and properties for tables of cases. */
import type { SecretProperties, Tags } from '../../shared/contract/ports.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type Policy, type PolicyOutcome, parsePolicy } from '../../shared/engine/policy/policy.ts';
import { dayMs, memoryEntry } from './world.ts';

export const now = new Date('2026-06-01T12:00:00Z');
export const defaults = { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs };

/** Days from `now`, earlier where negative. */
export function inDays(days: number): Date {
  return new Date(now.getTime() + days * dayMs);
}

export function parsed(tags: Tags, entry: RotatorEntry = memoryEntry): PolicyOutcome {
  return parsePolicy(tags, defaults, new Map([[entry.name, entry]]));
}

export function policyOf(tags: Tags = {}): Policy {
  const outcome = parsed({ rotator: 'memory', ...tags });
  if (outcome.kind !== 'policy') throw new Error(`the tags of this test are ${outcome.kind}`);
  return outcome.policy;
}

export function properties(change: Partial<SecretProperties> = {}): SecretProperties {
  return {
    name: 'orders-db',
    version: 'a'.repeat(32),
    enabled: true,
    createdAt: inDays(-60),
    updatedAt: inDays(-60),
    expiresAt: inDays(30),
    tags: {},
    ...change,
  };
}
