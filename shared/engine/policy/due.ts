/**
 * Is it due? A chain of small pure functions over facts, policy and request; the first that has something to say decides. The engine,
 * the sweep, dry runs, the CLI and the dashboard all ask here.
 */

import { isOpen } from '../../config/window.ts';
import type { SecretProperties } from '../../contract/ports.ts';
import type { Policy } from './policy.ts';
import type { RotationRequest } from './request.ts';
import { isPaused, type Requested } from './requested.ts';
import { answers, isRetirementOpen, type Stamp, stampTag } from './stamp.ts';

/** Outcomes that are not errors: there is nothing to do for this request, or not now. */
export const skipReasons = [
  'not-due',
  'already-rotated',
  'superseded',
  'busy',
  'outside-window',
  'opted-out',
  'overlap-running',
  'frozen',
  'paused',
  'nothing-to-retire',
  'already-retired',
  /** It is renewed with the secret that it is a copy of or derived from. */
  'copy',
] as const;

export type SkipReason = (typeof skipReasons)[number];

export type DueReason = 'near-expiry' | 'asked' | 'emergency' | 'stalled' | 'rolled-back' | 'repaired';

export type Decision =
  | { readonly kind: 'due'; readonly reason: DueReason; readonly detail: string }
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly detail: string };

export interface Facts {
  readonly properties: SecretProperties;
  readonly stamp: Stamp | undefined;
  /** What was asked of the secret and stands in its tags. */
  readonly requested: Requested;
  readonly request: Pick<RotationRequest, 'version' | 'mode' | 'askedAt'>;
  readonly rotationId: string;
  /** The vault's clock. */
  readonly now: Date;
}

type Rule = (facts: Facts, policy: Policy) => Decision | undefined;

function skip(reason: SkipReason, detail: string): Decision {
  return { kind: 'skip', reason, detail };
}

/** The current version answers this very request: a duplicate, or a retry after a lost answer. */
const alreadyRotated: Rule = ({ stamp, rotationId, properties }) =>
  answers(stamp, rotationId)
    ? skip('already-rotated', `version ${properties.version ?? ''} was made by this rotation`)
    : undefined;

const superseded: Rule = ({ request, properties }) =>
  request.version !== undefined && request.version !== properties.version
    ? skip('superseded', `version ${request.version} is no longer current`)
    : undefined;

/**
 * The emergency before is not finished: the leaked credential is not dead yet, or its sessions are open. That one comes first, and asking
 * again is how a person finishes it; a new version would only hide what is left of the old one. One that stands in the tags or names the
 * current version is about the current credential, and not about the one before.
 */
const emergencyOpen: Rule = ({ request, requested, stamp, properties }) =>
  request.mode === 'emergency' &&
  request.version === undefined &&
  requested.emergency === undefined &&
  stamp?.revoke !== undefined &&
  isRetirementOpen(stamp)
    ? skip('already-rotated', `version ${properties.version ?? ''} was made by an emergency that was not finished`)
    : undefined;

/** Asked for now, or standing in the tags: whoever comes finishes it. */
const emergency: Rule = ({ request, requested }) =>
  request.mode === 'emergency' || requested.emergency !== undefined
    ? { kind: 'due', reason: 'emergency', detail: 'emergency' }
    : undefined;

/** A person wants no automatic work on it. What stopped half-way and what a person asks for goes on. */
const paused: Rule = ({ request, requested, now }) =>
  request.mode === 'scheduled' && isPaused(requested, now)
    ? skip('paused', `paused by ${requested.paused?.by ?? ''} since ${requested.paused?.at.toISOString() ?? ''}`)
    : undefined;

/** Nobody waits for what is only tried again, so a pause that came after it was asked for holds it back like what is automatic. */
const pausedSince: Rule = ({ request, requested, now }) =>
  request.askedAt !== undefined && isPaused(requested, now) && (requested.paused?.at ?? now) > new Date(request.askedAt)
    ? skip('paused', `paused by ${requested.paused?.by ?? ''} after it was asked for; resume the secret and ask again`)
    : undefined;

/** A rotation that stopped half-way is finished whatever the calendar says: the target may have changed already. */
const stalled: Rule = ({ request }) =>
  request.mode === 'resume' ? { kind: 'due', reason: 'stalled', detail: 'a rotation stopped halfway' } : undefined;

/** Going back is for the case that the overlap exists for, so the overlap is no obstacle. */
const rolledBack: Rule = ({ request }) =>
  request.mode === 'roll-back' ? { kind: 'due', reason: 'rolled-back', detail: 'asked for' } : undefined;

/** What does not log in is replaced at once, whatever overlap runs: nobody can be on it. */
const repaired: Rule = ({ request }) =>
  request.mode === 'repair' ? { kind: 'due', reason: 'repaired', detail: 'its credential may not log in' } : undefined;

/** The idle login or slot is somebody's until the overlap is over. */
const overlapRunning: Rule = ({ stamp, now }) =>
  isRetirementOpen(stamp) && now < stamp.retireBy
    ? skip('overlap-running', `the previous credential is in use until ${stamp.retireBy.toISOString()}`)
    : undefined;

const asked: Rule = ({ request }) =>
  request.mode === 'asked' || request.mode === 'forced'
    ? { kind: 'due', reason: 'asked', detail: 'asked for' }
    : undefined;

/** Said only of what is due: anything else is simply not due. */
const outsideWindow: Rule = ({ properties, now, request }, policy) =>
  request.mode === 'scheduled' &&
  policy.window !== undefined &&
  now.getTime() >= dueAtMs(properties, policy) &&
  !isOpen(policy.window, now)
    ? skip('outside-window', `may start ${policy.window.text}`)
    : undefined;

const nearExpiry: Rule = (facts, policy) => {
  return facts.now.getTime() >= dueAtMs(facts.properties, policy)
    ? { kind: 'due', reason: 'near-expiry', detail: `due since ${dueAtOf(facts.properties, policy).toISOString()}` }
    : undefined;
};

const chain: readonly Rule[] = [
  alreadyRotated,
  superseded,
  emergencyOpen,
  emergency,
  stalled,
  pausedSince,
  rolledBack,
  repaired,
  paused,
  overlapRunning,
  asked,
  outsideWindow,
  nearExpiry,
];

/** Decides by the first rule that has something to say. Pure: the same facts always give the same answer. */
export function decide(facts: Facts, policy: Policy): Decision {
  return firstToSay(facts, policy) ?? skip('not-due', `due at ${dueAtOf(facts.properties, policy).toISOString()}`);
}

/** What `decide` says, without the words: for a sweep, that finds nearly all it looks at to be healthy. */
export function isDue(facts: Facts, policy: Policy): boolean {
  return firstToSay(facts, policy)?.kind === 'due';
}

function firstToSay(facts: Facts, policy: Policy): Decision | undefined {
  for (const rule of chain) {
    const decision = rule(facts, policy);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

/**
 * When a scheduled rotation becomes due: `rotate-before` ahead of the expiry, or of creation plus `valid-for` where no expiry is set. A
 * version of ours that its target lets live shorter than `valid-for` is due in the last third of its life at the earliest.
 */
export function dueAtOf(properties: SecretProperties, policy: Policy): Date {
  return new Date(dueAtMs(properties, policy));
}

function dueAtMs({ createdAt, expiresAt, tags }: SecretProperties, policy: Policy): number {
  const made = createdAt.getTime();
  if (expiresAt === undefined) return made + policy.validForMs - policy.rotateBeforeMs;
  const livesMs = expiresAt.getTime() - made;
  // Its target ends what we published earlier than the policy does: with the lead of the policy it might be due at once, again and again.
  const isCut = livesMs < policy.validForMs * certainlyShorter && tags[stampTag] !== undefined;
  return expiresAt.getTime() - (isCut ? Math.min(policy.rotateBeforeMs, livesMs / 3) : policy.rotateBeforeMs);
}

/** A version is made some moments after the time that its life was counted from. */
const certainlyShorter = 0.9;
