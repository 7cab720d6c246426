/**
 * How a secret stands. One answer for the list, for one secret, for plans, the sweep, the doctor and health: from what the vault says of it, and
 * from what is kept beside.
 */
import type { SecretProperties } from '../../contract/ports.ts';
import {
  type Activity,
  type ActivityTrouble,
  activities,
  type FreezeState,
  type Trouble,
} from '../../contract/state.ts';
import { calm } from '../../contract/trouble.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { type PolicyDependencies, policyOf } from '../policy/current.ts';
import { dueAtOf } from '../policy/due.ts';
import { type Hold, holdOnScheduled } from '../policy/hold.ts';
import { isPendingName } from '../policy/identifiers.ts';
import type { LinkedEnd, SourceLook } from '../policy/links.ts';
import type { ParsePolicy, Policy } from '../policy/policy.ts';
import { type EmergencyAsked, isPaused, type Pause, type Requested, readRequested } from '../policy/requested.ts';
import { isRetirementOpen, readStamp, type Stamp } from '../policy/stamp.ts';
import { type Finding, judgeManaged, judgePending } from './judge.ts';

/** From the one that needs a person most to the one that needs nobody. */
export const secretStates = [
  'drifted',
  'failing',
  'paused',
  'invalid',
  'shared',
  'opted-out',
  'retrying',
  'in-flight',
  'due',
  'overlap',
  'healthy',
  'copy',
  'unmanaged',
] as const;

export type SecretState = (typeof secretStates)[number];

/** What is known besides the vault's facts. What is absent is not known, and counts as nothing. */
export interface Known {
  readonly trouble?: Trouble | undefined;
  /** `unreadable` counts as frozen. */
  readonly freeze?: FreezeState | 'unreadable' | undefined;
  /** A worker is at it. */
  readonly inFlight?: boolean;
  /** A candidate of it is stored and not published yet, whether a worker is at it or not. */
  readonly isStored?: boolean;
  /** Consumers that have not acknowledged the current version. */
  readonly missing?: readonly string[];
  /** Other secrets that publish the same login. */
  readonly sharedWith?: readonly string[];
  /** Of a copy: what its source was found to say. */
  readonly source?: SourceLook | Failure;
  /** Who took the tag "rotator" off a secret that was managed before, as far as that is known. */
  readonly optedOutBy?: string;
}

export type Standing =
  | { readonly state: 'unmanaged' }
  | { readonly state: 'opted-out'; readonly by: string }
  | { readonly state: 'invalid'; readonly failure: Failure }
  | {
      readonly state: 'drifted' | 'failing' | 'retrying';
      readonly activity: Activity;
      readonly trouble: ActivityTrouble;
    }
  | { readonly state: 'paused'; readonly pause: Pause }
  | { readonly state: 'paused'; readonly activity: Activity; readonly trouble: ActivityTrouble }
  | { readonly state: 'shared'; readonly with: readonly string[] }
  /** `candidateOf`: it is itself the stored candidate of that secret. `isStored`: nobody is at it, and its candidate waits. */
  | { readonly state: 'in-flight'; readonly candidateOf?: string; readonly isStored?: true }
  | Due
  | Overlap
  | { readonly state: 'healthy'; readonly dueAt: Date }
  | Copied;

/** Renewed with its source. */
export interface Copied {
  readonly state: 'copy';
  readonly end: LinkedEnd;
  /** Whether it holds what its source holds; undefined: not looked at. */
  readonly isCurrent: boolean | undefined;
}

export interface Due {
  readonly state: 'due';
  readonly since: Date;
  /** It expired then. */
  readonly expiredAt?: Date;
  /** What keeps it from being rotated now. */
  readonly waits?:
    | Hold
    | { readonly by: 'window'; readonly text: string }
    | { readonly by: 'owner'; readonly owner: string };
  /** An emergency was asked for and is not begun or not published yet. */
  readonly emergency?: EmergencyAsked;
}

export interface Overlap {
  readonly state: 'overlap';
  readonly retireBy: Date;
  /** The old credential is to be revoked, not only retired. */
  readonly revoke: boolean;
  /** Its time is over. */
  readonly over: boolean;
  /** Sessions and consumers that are on the old credential. */
  readonly waitsFor: readonly string[];
}

/** What a look at one secret found. */
export interface Looked {
  readonly finding: Finding;
  readonly standing: Standing;
  /** Absent where there is none to read. */
  readonly policy?: Policy;
}

/** `parse`: remembers policies, for a walk over many. Pure. */
export function lookAt(
  deps: PolicyDependencies,
  properties: SecretProperties,
  known: Known,
  now: Date,
  parse?: ParsePolicy,
): Looked {
  if (isPendingName(properties.name)) {
    const finding = judgePending(properties, readStamp(properties.tags));
    return { finding, standing: standingOfName(finding) };
  }
  const outcome = policyOf(deps, properties, parse);
  if (isFailure(outcome)) {
    return { finding: { kind: 'invalid', failure: outcome }, standing: { state: 'invalid', failure: outcome } };
  }
  if (outcome.kind === 'opted-out') {
    const by = known.optedOutBy;
    return { finding: outcome, standing: by === undefined ? { state: 'unmanaged' } : { state: 'opted-out', by } };
  }
  if (outcome.kind === 'linked')
    return { finding: { kind: 'linked', end: outcome }, standing: standingOfCopy(properties, outcome, known) };
  const { policy } = outcome;
  const stamp = readStamp(properties.tags);
  const requested = readRequested(properties.tags);
  const finding = judgeManaged({ properties, stamp, requested, now }, policy);
  return { policy, finding, standing: standingOf({ properties, stamp, requested, policy, finding, known, now }) };
}

/** A link that stands on one side only makes it invalid. That the source could not be looked at says nothing of it. */
function standingOfCopy({ tags }: SecretProperties, end: LinkedEnd, { source }: Known): Standing {
  if (source?.kind === 'failed' && source.class === 'config') return { state: 'invalid', failure: source };
  if (source?.kind !== 'source') return { state: 'copy', end, isCurrent: undefined };
  const id = source.stamp?.rotationId;
  return { state: 'copy', end, isCurrent: id === undefined ? undefined : readStamp(tags)?.rotationId === id };
}

function standingOfName(finding: Finding): Standing {
  switch (finding.kind) {
    case 'stalled':
      return { state: 'in-flight', candidateOf: finding.secret };
    case 'invalid':
      return { state: 'invalid', failure: finding.failure };
    default:
      return { state: 'unmanaged' };
  }
}

interface Managed {
  readonly properties: SecretProperties;
  readonly stamp: Stamp | undefined;
  readonly requested: Requested;
  readonly policy: Policy;
  readonly finding: Finding;
  readonly known: Known;
  readonly now: Date;
}

function standingOf(secret: Managed): Standing {
  const { requested, known, now } = secret;
  const trouble = known.trouble ?? calm;
  if (trouble.check?.last.code === 'credential-drifted') {
    return { state: 'drifted', activity: 'check', trouble: trouble.check };
  }
  if (requested.paused !== undefined && isPaused(requested, now)) return { state: 'paused', pause: requested.paused };
  const shared = known.sharedWith ?? [];
  const isRefused = trouble.rotation?.last.code === 'login-shared' || trouble.retirement?.last.code === 'login-shared';
  if (shared.length > 0 && isRefused) return { state: 'shared', with: shared };
  const failing = troubleWith(secret, trouble, ({ failures }) => failures > 0);
  if (failing?.trouble.paused === true) return { ...failing, state: 'paused' };
  if (failing !== undefined) return { ...failing, state: 'failing' };
  if (shared.length > 0) return { state: 'shared', with: shared };
  if (known.inFlight === true) return { state: 'in-flight' };
  const retried = troubleWith(secret, trouble, ({ retries }) => retries > 0);
  if (retried !== undefined) return { ...retried, state: 'retrying' };
  if (known.isStored === true) return { state: 'in-flight', isStored: true };
  return dueOrOverlap(secret, trouble);
}

/** What is kept of an activity counts while there is something left for it to do. */
function troubleWith(
  { policy, stamp }: Managed,
  trouble: Trouble,
  fits: (one: ActivityTrouble) => boolean,
): { readonly activity: Activity; readonly trouble: ActivityTrouble } | undefined {
  for (const activity of activities) {
    const one = trouble[activity];
    if (one === undefined || !fits(one)) continue;
    if (activity === 'rotation' && policy.manual !== undefined) continue;
    if (activity === 'retirement' && !isRetirementOpen(stamp)) continue;
    return { activity, trouble: one };
  }
  return undefined;
}

function dueOrOverlap(secret: Managed, trouble: Trouble): Standing {
  const { properties, stamp, requested, policy, known, now } = secret;
  const dueAt = dueAtOf(properties, policy);
  const open = isRetirementOpen(stamp);
  const emergency = requested.emergency ?? requested.earlier;
  if (emergency !== undefined || (now >= dueAt && !(open && now < stamp.retireBy))) {
    return dueSince(secret, trouble, dueAt);
  }
  if (!open) return { state: 'healthy', dueAt };
  return {
    ...{ state: 'overlap', retireBy: stamp.retireBy, revoke: stamp.revoke !== undefined, over: now >= stamp.retireBy },
    waitsFor: [...new Set([...(known.missing ?? []), ...(trouble.waitsFor ?? [])])],
  };
}

function dueSince({ properties, requested, policy, finding, known, now }: Managed, trouble: Trouble, dueAt: Date): Due {
  const emergency = requested.emergency ?? requested.earlier;
  const { expiresAt } = properties;
  const expired = expiresAt !== undefined && expiresAt <= now ? { expiredAt: expiresAt } : {};
  if (emergency !== undefined) return { state: 'due', since: emergency.at, ...expired, emergency };
  const due = { state: 'due' as const, since: dueAt, ...expired };
  if (policy.manual !== undefined) return { ...due, waits: { by: 'owner', owner: policy.manual.owner ?? '' } };
  // What is not known holds nothing back.
  const freeze =
    known.freeze === 'unreadable' ? undefined : (known.freeze ?? { kind: 'freeze' as const, frozen: false });
  const hold = holdOnScheduled({ freeze, requested, trouble, now });
  if (hold !== undefined) return { ...due, waits: hold };
  const starts = finding.kind === 'due' || (finding.kind === 'retirement-due' && finding.due);
  return starts || policy.window === undefined ? due : { ...due, waits: { by: 'window', text: policy.window.text } };
}
