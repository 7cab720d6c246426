/** A secret as people see it: never its value, and nothing that was not in a listing. */
import * as z from 'zod';
import type { SecretProperties } from '../../contract/ports.ts';
import { type Activity, type ActivityTrouble, activities, type Trouble } from '../../contract/state.ts';
import { strategies } from '../../contract/strategy.ts';
import { isCalm } from '../../contract/trouble.ts';
import { dueAtOf } from '../../engine/policy/due.ts';
import { placeText, sourceOf } from '../../engine/policy/links.ts';
import { nearMissTexts } from '../../engine/policy/near-miss.ts';
import type { Policy } from '../../engine/policy/policy.ts';
import { readStamp } from '../../engine/policy/stamp.ts';
import type { EngineDependencies } from '../../engine/running/dependencies.ts';
import { type Known, lookAt, type Standing, secretStates } from '../../engine/sweep/standing.ts';
import { standingText } from '../../engine/sweep/words.ts';
import { time } from '../fields.ts';

const activityTroubleView = z
  .object({
    failures: z.int().describe('In a row; 0 while it is only retried.'),
    retries: z.int().describe('Tries in a row since then that failed in a way that passes by itself.'),
    since: time,
    last: z.object({ code: z.string(), message: z.string(), hint: z.string(), page: z.string(), at: time }),
    nextTryAt: time.optional().describe('Absent: when somebody asks.'),
    paused: z.boolean(),
    unpublished: z.boolean().describe('The target accepts a credential that no version holds.'),
  })
  .meta({ id: 'ActivityTrouble' });

export const troubleView = z
  .object({
    rotation: activityTroubleView.optional(),
    retirement: activityTroubleView.optional(),
    check: activityTroubleView.optional(),
  })
  .meta({ id: 'Trouble' });

export const secretView = z.object({
  vault: z.string(),
  secret: z.string(),
  state: z.enum(secretStates),
  detail: z.string().describe('Why it is in that state, as a sentence.'),
  since: time.optional().describe('Since when it is in that state, as far as it is known.'),
  activity: z.enum(activities).optional().describe('What fails or is retried.'),
  nextTryAt: time.optional().describe('When what fails is tried again; absent: when somebody asks.'),
  pausedBy: z.string().optional().describe('Who paused it; absent with `paused`: it was paused after failures.'),
  pausedUntil: time.optional(),
  source: z
    .object({ vault: z.string(), secret: z.string(), derived: z.boolean(), current: z.boolean().optional() })
    .optional()
    .describe('It is a copy of that secret, or derived from it; `current` where that was looked at.'),
  copies: z.array(z.string()).optional().describe('Entries of its tag `also`: what is published with it.'),
  waitsFor: z.array(z.string()).optional().describe('Who is still on the old credential, as far as it is known.'),
  reminders: z
    .array(z.string())
    .optional()
    .describe('What the newest rotation warned of, until the next one: what to fix although all works.'),
  candidateOf: z.string().optional().describe('It is the stored candidate of that secret.'),
  expired: z.boolean(),
  enabled: z.boolean(),
  createdAt: time,
  updatedAt: time,
  expiresAt: time.optional(),
  dueAt: time.optional().describe('When a scheduled rotation becomes due.'),
  rotator: z.string().optional(),
  strategy: z.enum(strategies).optional(),
  consumers: z.array(z.string()).optional(),
  manual: z.boolean().optional().describe('A person replaces it; it is never rotated.'),
  owner: z.string().optional().describe('Who replaces it by hand.'),
  rotationId: z.string().optional().describe('The rotation that made the current version.'),
  retireBy: time.optional().describe('When the previous credential must be dead.'),
  retired: z.boolean().optional().describe('Whether the previous credential was proven refused.'),
  hints: z.array(z.string()).optional().describe('What has no effect and was probably meant to, as sentences.'),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()),
  trouble: troubleView.optional(),
});
export type SecretView = z.infer<typeof secretView>;

type Deps = Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>;

/** Pure. */
export function viewSecret(
  deps: Deps,
  vault: string,
  properties: SecretProperties,
  known: Known,
  now: Date,
): SecretView {
  const stamp = readStamp(properties.tags);
  const { standing, policy } = lookAt(deps, properties, known, now);
  const { trouble } = known;
  const { expiresAt } = properties;
  return {
    vault,
    secret: properties.name,
    state: standing.state,
    detail: standingText(standing),
    ...sinceFields(standing, properties),
    ...standingFields(standing),
    ...sourceFields(standing, vault),
    expired: expiresAt !== undefined && expiresAt <= now,
    enabled: properties.enabled,
    createdAt: properties.createdAt.toISOString(),
    updatedAt: properties.updatedAt.toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(policy === undefined ? {} : policyFields(policy, properties, vault)),
    ...(policy === undefined ? {} : hintsOf(properties, policy)),
    ...(stamp === undefined ? {} : { rotationId: stamp.rotationId }),
    ...(stamp?.retireBy === undefined
      ? {}
      : { retireBy: stamp.retireBy.toISOString(), retired: stamp.retired === true }),
    ...(properties.contentType === undefined ? {} : { contentType: properties.contentType }),
    tags: { ...properties.tags },
    ...(trouble?.reminders === undefined ? {} : { reminders: [...trouble.reminders] }),
    ...(trouble === undefined || isCalm(trouble) ? {} : { trouble: viewTrouble(trouble) }),
  };
}

/** Of a shared login, of a copy and of work in flight it is not known. */
function sinceFields(standing: Standing, { createdAt, updatedAt }: SecretProperties): Pick<SecretView, 'since'> {
  switch (standing.state) {
    case 'drifted':
    case 'failing':
    case 'retrying':
      return { since: standing.trouble.since.toISOString() };
    case 'paused':
      return { since: ('pause' in standing ? standing.pause.at : standing.trouble.since).toISOString() };
    case 'due':
      return { since: standing.since.toISOString() };
    case 'invalid':
      return { since: updatedAt.toISOString() };
    case 'overlap':
    case 'healthy':
    case 'opted-out':
      return { since: createdAt.toISOString() };
    case 'shared':
    case 'in-flight':
    case 'copy':
    case 'unmanaged':
      return {};
  }
}

/** What a program wants to know of a state without reading its sentence. */
function standingFields(
  standing: Standing,
): Pick<SecretView, 'activity' | 'nextTryAt' | 'pausedBy' | 'pausedUntil' | 'waitsFor' | 'candidateOf'> {
  switch (standing.state) {
    case 'drifted':
    case 'failing':
    case 'retrying':
      return tryFields(standing);
    case 'paused': {
      if (!('pause' in standing)) return tryFields(standing);
      const { by, until } = standing.pause;
      return { pausedBy: by, ...(until === undefined ? {} : { pausedUntil: until.toISOString() }) };
    }
    case 'overlap':
      return standing.waitsFor.length === 0 ? {} : { waitsFor: [...standing.waitsFor] };
    case 'in-flight':
      return standing.candidateOf === undefined ? {} : { candidateOf: standing.candidateOf };
    case 'unmanaged':
    case 'opted-out':
    case 'invalid':
    case 'shared':
    case 'due':
    case 'copy':
    case 'healthy':
      return {};
  }
}

function sourceFields(standing: Standing, vault: string): Pick<SecretView, 'source'> {
  if (standing.state !== 'copy') return {};
  const { end, isCurrent } = standing;
  const current = isCurrent === undefined ? {} : { current: isCurrent };
  return { source: { ...sourceOf(end, vault), derived: end.as === 'derived', ...current } };
}

function tryFields({ activity, trouble }: { readonly activity: Activity; readonly trouble: ActivityTrouble }) {
  const { nextTryAt } = trouble;
  return { activity, ...(nextTryAt === undefined ? {} : { nextTryAt: nextTryAt.toISOString() }) };
}

function hintsOf({ tags }: SecretProperties, { rotator }: Policy): Pick<SecretView, 'hints'> {
  const hints = nearMissTexts(tags, rotator);
  return hints.length === 0 ? {} : { hints: [...hints] };
}

function policyFields(policy: Policy, properties: SecretProperties, vault: string) {
  const { rotator, strategy, consumers, manual, also } = policy;
  return {
    rotator: rotator.name,
    ...(manual === undefined ? { strategy } : { manual: true }),
    dueAt: dueAtOf(properties, policy).toISOString(),
    ...(consumers.length === 0 ? {} : { consumers: [...consumers] }),
    ...(also.length === 0
      ? {}
      : { copies: also.map((entry) => placeText({ vault: entry.vault ?? vault, secret: entry.name })) }),
    ...(manual?.owner === undefined ? {} : { owner: manual.owner }),
  };
}

export function viewTrouble({ rotation, retirement, check }: Trouble): z.infer<typeof troubleView> {
  return {
    ...(rotation === undefined ? {} : { rotation: viewActivity(rotation) }),
    ...(retirement === undefined ? {} : { retirement: viewActivity(retirement) }),
    ...(check === undefined ? {} : { check: viewActivity(check) }),
  };
}

function viewActivity({ last, since, nextTryAt, ...counts }: ActivityTrouble): z.infer<typeof activityTroubleView> {
  return {
    ...counts,
    since: since.toISOString(),
    last: { ...last, page: `docs/errors/${last.code}.md`, at: last.at.toISOString() },
    ...(nextTryAt === undefined ? {} : { nextTryAt: nextTryAt.toISOString() }),
  };
}
