/** A secret as people see it: never its value, and nothing that was not in a listing. */
import * as z from 'zod';
import type { SecretProperties } from '../../contract/ports.ts';
import type { Trouble } from '../../contract/state.ts';
import { strategies } from '../../contract/strategy.ts';
import { policyOf } from '../../engine/policy/current.ts';
import { dueAtOf } from '../../engine/policy/due.ts';
import type { Policy } from '../../engine/policy/policy.ts';
import { readStamp } from '../../engine/policy/stamp.ts';
import type { EngineDependencies } from '../../engine/running/dependencies.ts';
import { type Finding, judge } from '../../engine/sweep/judge.ts';
import { time } from '../fields.ts';

/** From the one that needs a person most to the one that needs nobody. */
export const secretStates = [
  'quarantined',
  'invalid',
  'failing',
  'stalled',
  'retirement-due',
  'due',
  'overlap',
  'healthy',
  'unmanaged',
] as const;
export type SecretState = (typeof secretStates)[number];

export const troubleView = z
  .object({
    failures: z.int(),
    quarantined: z.boolean(),
    last: z.object({ code: z.string(), message: z.string(), hint: z.string(), at: time }).optional(),
  })
  .meta({ id: 'Trouble' });

export const secretView = z.object({
  vault: z.string(),
  secret: z.string(),
  state: z.enum(secretStates),
  detail: z.string().describe('Why it is in that state, as a sentence.'),
  enabled: z.boolean(),
  createdAt: time,
  updatedAt: time,
  expiresAt: time.optional(),
  dueAt: time.optional().describe('When a scheduled rotation becomes due.'),
  rotator: z.string().optional(),
  strategy: z.enum(strategies).optional(),
  consumers: z.array(z.string()).optional(),
  rotationId: z.string().optional().describe('The rotation that made the current version.'),
  retireBy: time.optional().describe('When the credential before must be dead.'),
  retired: z.boolean().optional().describe('Whether the credential before was proven refused.'),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  trouble: troubleView.optional(),
});
export type SecretView = z.infer<typeof secretView>;

type Deps = Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>;

/** `trouble`: undefined where nothing went wrong or nothing is known. Pure. */
export function viewSecret(
  deps: Deps,
  vault: string,
  properties: SecretProperties,
  trouble: Trouble | undefined,
  now: Date,
): SecretView {
  const stamp = readStamp(properties.tags);
  const outcome = policyOf(deps, properties);
  const policy = outcome.kind === 'policy' ? outcome.policy : undefined;
  const found = judge(deps, properties, now);
  const running = stamp?.retireBy !== undefined && stamp.retired !== true && now < stamp.retireBy;
  const { state, detail } = stateOf(found, trouble, policy, properties, running ? stamp.retireBy : undefined);
  return {
    vault,
    secret: properties.name,
    state,
    detail,
    enabled: properties.enabled,
    createdAt: properties.createdAt.toISOString(),
    updatedAt: properties.updatedAt.toISOString(),
    ...(properties.expiresAt === undefined ? {} : { expiresAt: properties.expiresAt.toISOString() }),
    ...(policy === undefined ? {} : policyFields(policy, properties)),
    ...(stamp === undefined ? {} : { rotationId: stamp.rotationId }),
    ...(stamp?.retireBy === undefined
      ? {}
      : { retireBy: stamp.retireBy.toISOString(), retired: stamp.retired === true }),
    ...(properties.contentType === undefined ? {} : { contentType: properties.contentType }),
    tags: { ...properties.tags },
    ...(trouble === undefined || trouble.failures === 0 ? {} : { trouble: viewTrouble(trouble) }),
  };
}

function policyFields(policy: Policy, properties: SecretProperties) {
  const { rotator, strategy, consumers } = policy;
  const named = consumers.length === 0 ? {} : { consumers: [...consumers] };
  return { rotator: rotator.name, strategy, dueAt: dueAtOf(properties, policy).toISOString(), ...named };
}

export function viewTrouble(trouble: Trouble): z.infer<typeof troubleView> {
  const { failures, quarantined, last } = trouble;
  return {
    failures,
    quarantined,
    ...(last === undefined
      ? {}
      : { last: { code: last.code, message: last.message, hint: last.hint, at: last.at.toISOString() } }),
  };
}

function stateOf(
  found: Finding,
  trouble: Trouble | undefined,
  policy: Policy | undefined,
  properties: SecretProperties,
  overlapUntil: Date | undefined,
): { readonly state: SecretState; readonly detail: string } {
  if (found.kind === 'opted-out') return { state: 'unmanaged', detail: 'it has no tag "rotator"' };
  if (found.kind === 'stalled') {
    return { state: 'stalled', detail: `a rotation of ${found.secret} stopped half-way; the sweep goes on with it` };
  }
  const last = trouble?.last?.message ?? '';
  if (trouble?.quarantined === true)
    return { state: 'quarantined', detail: `${trouble.failures} failures in a row: ${last}` };
  if (found.kind === 'invalid') return { state: 'invalid', detail: found.failure.message };
  if (trouble !== undefined && trouble.failures > 0) return { state: 'failing', detail: last };
  switch (found.kind) {
    case 'retirement-due':
      return { state: 'retirement-due', detail: 'the deadline of the credential before has passed' };
    case 'emergency':
      return { state: 'due', detail: 'an emergency was asked for; the next sweep starts it' };
    case 'due':
      return { state: 'due', detail: 'the next sweep or event starts its rotation' };
    case 'healthy':
      if (overlapUntil !== undefined)
        return { state: 'overlap', detail: `the credential before works until ${overlapUntil.toISOString()}` };
      return {
        state: 'healthy',
        detail: policy === undefined ? '' : `due at ${dueAtOf(properties, policy).toISOString()}`,
      };
  }
}
