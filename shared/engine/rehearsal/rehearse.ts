/**
 * A rehearsal: a rotation on a throw-away twin, at the real target and from where the app runs. Neither the live login nor the published
 * version is touched, and whatever was made is removed again.
 *
 *     read → prepare → ask (the published one logs in) → discard (what a crash left) → apply → verify → retire → ask (refused) → discard
 */
import type { Credential } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import type { Check, Rehearsal, Step } from '../../contract/rotator.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { type Current, readCurrent } from '../policy/current.ts';
import { shortHash } from '../policy/identifiers.ts';
import { ask, unreachable } from '../running/ask.ts';
import type { Attempt, StepTime } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import type { Attempted, Failed, Skipped } from '../running/result.ts';
import { prepare, type Target } from '../running/target.ts';
import { underLease } from '../running/under-lease.ts';

export interface Rehearsed extends Attempted {
  readonly kind: 'rehearsed';
  /** `twin`: made, proven, revoked and removed. `looked`: there can be none, and only rights were looked at. */
  readonly how: 'twin' | 'looked';
  /** What was done, or why there was no twin, as a sentence. */
  readonly detail: string;
  /** Of a look. */
  readonly checks: readonly Check[];
}

export type RehearsalResult = Rehearsed | Skipped | Failed;

export interface RehearsalRequest {
  readonly vault: string;
  readonly secret: string;
}

/** Tells that a twin is about to be made; nothing is made where it cannot be kept. */
export type NoteIntent = () => Promise<{ readonly kind: 'kept' } | Failure>;

/**
 * Never throws for anything a vault, a target or a person did. May be called again at any time: it begins with removing what the one before
 * left. `unpublished` of a failure: something of the twin may be left.
 */
export function rehearse(
  deps: EngineDependencies,
  intend: NoteIntent,
  request: RehearsalRequest,
): Promise<RehearsalResult> {
  return underLease(deps, request, (vault, attempt) => rehearseHeld(deps, intend, vault, attempt, request.secret));
}

interface Stage {
  readonly attempt: Attempt;
  readonly current: Current;
  readonly target: Target;
}

async function rehearseHeld(
  deps: EngineDependencies,
  intend: NoteIntent,
  vault: Vault,
  attempt: Attempt,
  secret: string,
): Promise<RehearsalResult | Failure> {
  const current = await attempt.step('read', ({ signal }) => readCurrent(deps, vault, secret, signal));
  if (current.kind === 'failed') return current;
  const skip = (reason: Skipped['reason'], detail: string): Skipped => {
    return { ...attempt.about, kind: 'skipped', reason, detail, steps: attempt.steps };
  };
  if (current.kind === 'opted-out') return skip('opted-out', 'it has no tag "rotator"');
  if (current.kind === 'linked') return skip('copy', 'it is renewed with its source; rehearse that');
  if (current.policy.manual !== undefined) return skip('opted-out', 'a person replaces it by hand');
  attempt.identify(shortHash('rehearsal', vault.name, secret.toLowerCase(), current.secret.version));
  attempt.tellTo(current.policy.notify);
  const asked = { rotationId: attempt.about.rotationId, emergency: false };
  const target = await attempt.step('prepare', ({ signal }) => prepare(deps, vault, current, asked, signal));
  if (isFailure(target)) return target;
  const stage: Stage = { attempt, current, target };
  const published = await proveCurrent(stage);
  if (published !== undefined) return published;
  return play(stage, intend);
}

/** A twin is made by the rights of the published login, and compared with it: one that does not log in is the first thing to be told. */
async function proveCurrent({ attempt, current, target }: Stage): Promise<Failure | undefined> {
  const answer = await attempt.step('ask', (time) => ask(current, target, target.credential, time));
  if (isFailure(answer)) return answer;
  const { name: secret, version } = current.secret;
  return answer.accepted ? undefined : failure('credential-drifted', { secret, version, detail: answer.detail });
}

async function play(stage: Stage, intend: NoteIntent): Promise<RehearsalResult | Failure> {
  const { target } = stage;
  const { rehearsal } = target.rotator;
  if (rehearsal === undefined) return look(stage, 'this rotator makes no throw-away credential');
  const possible = rehearsal.twinStep(stepNow(stage));
  if (possible.kind === 'no-twin') return look(stage, possible.detail);
  const noted = await stage.attempt.step('note', intend);
  if (isFailure(noted)) return noted;
  const twin: Twin = { ...stage, rehearsal };
  const made = await make(twin);
  // Also after a failure: what may have been made is taken away again.
  const ended = await end(twin, made.credential);
  const left = ended === undefined ? {} : { unpublished: true };
  const failed = made.failure ?? ended;
  if (failed === undefined) return report(stage, 'twin', doneText(stage), []);
  if (made.failure?.code === 'permission-missing' && ended === undefined) return withoutRight(stage, made.failure);
  return { ...stage.attempt.about, ...left, kind: 'failed', failure: failed, steps: stage.attempt.steps };
}

interface Twin extends Stage {
  readonly rehearsal: Rehearsal;
}

/** For what asks nobody. */
function stepNow({ target, attempt }: Stage): Step {
  return target.stepFor({ signal: AbortSignal.timeout(1_000), remainingMs: attempt.remainingMs });
}

/** One call of the rotator about the twin. */
function about<Outcome extends { readonly kind: string }>(
  { attempt, target, rehearsal, current }: Twin,
  name: string,
  run: (step: Step, time: StepTime) => Promise<Outcome>,
): Promise<Outcome | Failure> {
  return attempt.step<Outcome | Failure>(name, async (time) => {
    const twin = rehearsal.twinStep(target.stepFor(time));
    if (twin.kind === 'twin') return run(twin.step, time);
    return failure('strategy-unsupported', { secret: current.secret.name, detail: twin.detail });
  });
}

interface Made {
  /** What the target was asked to accept; undefined: nothing was. */
  readonly credential?: Credential;
  readonly failure?: Failure;
}

async function make(twin: Twin): Promise<Made> {
  const { target } = twin;
  const cleared = await about(twin, 'discard', (step) => twin.rehearsal.discard(step));
  if (isFailure(cleared)) return { failure: cleared };
  const proposed = await about(twin, 'propose', async (step) => {
    const next = target.rotator.propose(step, target.credential);
    return 'kind' in next ? next : { kind: 'proposed' as const, credential: next };
  });
  if (isFailure(proposed)) return { failure: proposed };
  const { credential: candidate } = proposed;
  const applied = await about(twin, 'apply', (step) => target.rotator.apply(step, candidate, target.credential));
  if (isFailure(applied)) return { credential: candidate, failure: applied };
  const { credential } = applied;
  const failed = await verify(twin, credential);
  return { credential, ...(failed === undefined ? {} : { failure: failed }) };
}

async function verify(twin: Twin, credential: Credential): Promise<Failure | undefined> {
  const { target, current } = twin;
  const outcome = await about(twin, 'verify', (step) => target.rotator.verify(step, credential));
  const login = credential.username ?? 'the key';
  const at = { secret: current.secret.name, target: targetName(twin), login };
  switch (outcome.kind) {
    case 'accepted':
      return undefined;
    case 'refused':
      return failure('candidate-refused', { ...at, detail: outcome.detail });
    case 'lesser-rights':
      return failure('lesser-rights', { ...at, detail: outcome.missing.join(', ') });
    case 'unreachable':
      return unreachableTwin(twin, outcome.detail);
    case 'failed':
      return outcome;
  }
}

/** Revoked, proven refused, and removed. Undefined where nothing is left of it. */
async function end(twin: Twin, credential: Credential | undefined): Promise<Failure | undefined> {
  const { target } = twin;
  const isIssued = credential !== undefined && !credential.password.isEmpty;
  const retired = isIssued
    ? await about(twin, 'retire', (step) => target.rotator.retire(step, credential))
    : { kind: 'retired' as const };
  const refused = isIssued && !isFailure(retired) ? await proveRefused(twin, credential) : undefined;
  const discarded = await about(twin, 'discard', (step) => twin.rehearsal.discard(step));
  if (isFailure(discarded)) return discarded;
  return isFailure(retired) ? retired : refused;
}

async function proveRefused(twin: Twin, credential: Credential): Promise<Failure | undefined> {
  const { target, current } = twin;
  if (!strategyTraits[current.policy.strategy].hasTarget) return undefined;
  const outcome = await about(twin, 'ask', (step) => target.rotator.verify(step, credential));
  switch (outcome.kind) {
    case 'refused':
      return undefined;
    case 'failed':
      return outcome;
    case 'unreachable':
      return unreachableTwin(twin, outcome.detail);
    case 'accepted':
    case 'lesser-rights': {
      const login = credential.username ?? 'the key';
      const at = { secret: current.secret.name, target: targetName(twin), login };
      return failure('retire-refused', {
        ...at,
        detail: 'the throw-away credential was revoked and is accepted still',
      });
    }
  }
}

function targetName(stage: Stage): string {
  const { host } = stepNow(stage).endpoint;
  return host === '' ? stage.current.policy.rotator.name : host;
}

function unreachableTwin(stage: Stage, detail: string): Failure {
  const time = { signal: AbortSignal.timeout(1_000), remainingMs: stage.attempt.remainingMs };
  return unreachable(stage.current, stage.target, detail, time);
}

/**
 * The right to make a login is needed for the twin, and for the rotation itself only where the second login is missing: the preflight knows
 * which of the two it is.
 */
async function withoutRight(stage: Stage, missing: Failure): Promise<RehearsalResult | Failure> {
  const looked = await look(stage, `the admin may not make a throw-away login (${missing.message})`);
  return looked.kind === 'failed' ? missing : looked;
}

/** Read-only: the preflight of a rotation. A failed check is the failure of the rehearsal. */
async function look(stage: Stage, detail: string): Promise<RehearsalResult | Failure> {
  const { attempt, target, current } = stage;
  const checked = await attempt.step('check', async (time) => {
    return { kind: 'checked' as const, checks: await target.rotator.check(target.stepFor(time)) };
  });
  if (isFailure(checked)) return checked;
  const [wrong] = checked.checks.filter(({ state }) => state === 'failed');
  if (wrong === undefined) return report(stage, 'looked', detail, checked.checks);
  const at = { secret: current.secret.name, target: targetName(stage) };
  return failure('rehearsal-failed', { ...at, check: wrong.name, detail: wrong.detail, fix: wrong.fix ?? '' });
}

function doneText({ target, current }: Stage): string {
  const login = target.credential.username;
  const of = login === undefined ? '' : ` of ${login}`;
  return `a throw-away twin${of} was accepted by ${current.policy.rotator.name} with the same rights, revoked, refused and removed`;
}

function report({ attempt }: Stage, how: Rehearsed['how'], detail: string, checks: readonly Check[]): Rehearsed {
  return { ...attempt.about, kind: 'rehearsed', how, detail, checks, steps: attempt.steps };
}
