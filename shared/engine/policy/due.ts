/**
 * Is it due? A chain of small pure functions over facts, policy and request; the first that has something to say decides. The engine,
 * the sweep, dry runs, the CLI and the dashboard all ask here.
 */

import { isOpen } from '../../config/window.ts';
import type { SecretProperties } from '../../contract/ports.ts';
import type { Policy } from './policy.ts';
import type { RotationRequest } from './request.ts';
import type { Stamp } from './stamp.ts';

/** Outcomes that are not errors: there is nothing to do for this request, or not now. */
export type SkipReason =
  | 'not-due'
  | 'already-rotated'
  | 'superseded'
  | 'busy'
  | 'outside-window'
  | 'opted-out'
  | 'overlap-running'
  | 'frozen'
  | 'quarantined'
  | 'nothing-to-retire'
  | 'already-retired';

export type DueReason = 'near-expiry' | 'asked' | 'emergency' | 'stalled' | 'rolled-back';

export type Decision =
  | { readonly kind: 'due'; readonly reason: DueReason; readonly detail: string }
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly detail: string };

export interface Facts {
  readonly properties: SecretProperties;
  readonly stamp: Stamp | undefined;
  readonly request: Pick<RotationRequest, 'version' | 'mode'>;
  readonly rotationId: string;
  /** The vault's clock. */
  readonly now: Date;
}

type Rule = (facts: Facts, policy: Policy) => Decision | undefined;

function skip(reason: SkipReason, detail: string): Decision {
  return { kind: 'skip', reason, detail };
}

/** The current version carries this very rotation's stamp: a duplicate, or a retry after a lost answer. */
const alreadyRotated: Rule = ({ stamp, rotationId, properties }) =>
  stamp?.rotationId === rotationId
    ? skip('already-rotated', `version ${properties.version ?? ''} was made by this rotation`)
    : undefined;

const superseded: Rule = ({ request, properties }) =>
  request.version !== undefined && request.version !== properties.version
    ? skip('superseded', `version ${request.version} is no longer current`)
    : undefined;

const emergency: Rule = ({ request }) =>
  request.mode === 'emergency' ? { kind: 'due', reason: 'emergency', detail: 'emergency' } : undefined;

/** A rotation that stopped half-way is finished whatever the calendar says: the target may have changed already. */
const stalled: Rule = ({ request }) =>
  request.mode === 'resume' ? { kind: 'due', reason: 'stalled', detail: 'a rotation stopped half-way' } : undefined;

/** Going back is for the case that the overlap exists for, so the overlap is no obstacle. */
const rolledBack: Rule = ({ request }) =>
  request.mode === 'roll-back' ? { kind: 'due', reason: 'rolled-back', detail: 'asked for' } : undefined;

/** The idle login or slot is somebody's until the overlap is over. */
const overlapRunning: Rule = ({ stamp, now }) =>
  stamp?.retireBy !== undefined && stamp.retired !== true && now < stamp.retireBy
    ? skip('overlap-running', `the credential before is in use until ${stamp.retireBy.toISOString()}`)
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
  emergency,
  stalled,
  rolledBack,
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

/** When a scheduled rotation becomes due: `rotate-before` ahead of the expiry, or of creation plus `valid-for` where no expiry is set. */
export function dueAtOf(properties: SecretProperties, policy: Policy): Date {
  return new Date(dueAtMs(properties, policy));
}

function dueAtMs(properties: SecretProperties, policy: Policy): number {
  const expiresAt = properties.expiresAt?.getTime() ?? properties.createdAt.getTime() + policy.validForMs;
  return expiresAt - policy.rotateBeforeMs;
}
