/** Looks without touching: the plan of a rotation, and whether the published credential still logs in. */
import type { SecretVersion, Tags, Vault } from '../contract/ports.ts';
import type { Check } from '../contract/rotator.ts';
import { lookAtCopies } from '../engine/copies/look.ts';
import { channelChecks } from '../engine/policy/channels.ts';
import { type Current, type LinkedCurrent, readCurrent } from '../engine/policy/current.ts';
import { type Decision, decide, dueAtOf } from '../engine/policy/due.ts';
import { rotationIdOf } from '../engine/policy/identifiers.ts';
import { nearMissesOf } from '../engine/policy/near-miss.ts';
import type { Policy } from '../engine/policy/policy.ts';
import type { RotationRequest } from '../engine/policy/request.ts';
import { findRepair, type Repair } from '../engine/rotation/repair.ts';
import { findWayBack } from '../engine/rotation/roll-back.ts';
import { ask } from '../engine/running/ask.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { prepare, type Target } from '../engine/running/target.ts';
import { wasUndisturbed } from '../engine/running/undisturbed.ts';
import { refuseShared } from '../engine/sharing/refuse.ts';
import { type Failure, isFailure } from '../errors.ts';

/** What would happen, and why. */
export interface Plan {
  readonly kind: 'plan';
  readonly secret: SecretVersion;
  readonly current: Current;
  readonly decision: Decision;
  readonly dueAt: Date;
  /** The target's host, or the provider's name. */
  readonly target: string;
  readonly login: string | undefined;
  readonly checks: readonly Check[];
}

type Inspected = { readonly kind: 'opted-out' } | LinkedCurrent | Failure;

interface Looked {
  readonly kind: 'looked';
  readonly current: Current;
  readonly target: Target;
  readonly rotationId: string;
  /** What a repair would do. */
  readonly ways?: readonly Check[];
  /** Decided by what the target said, and not by the calendar. */
  readonly decision?: Decision;
}

const timeFor = (signal: AbortSignal) => ({ signal, remainingMs: () => 30_000 });

async function look(
  deps: EngineDependencies,
  vault: Vault,
  name: string,
  signal: AbortSignal,
): Promise<Looked | Inspected> {
  const current = await readCurrent(deps, vault, name, signal);
  if (current.kind !== 'current') return current;
  const rotationId = rotationIdOf(vault.name, name, current.secret.version);
  const target = await prepare(deps, vault, current, { rotationId, emergency: false }, signal);
  return isFailure(target) ? target : { kind: 'looked', current, target, rotationId };
}

/** The same for a repair, which looks at the version that it would go back to. */
async function lookForRepair(
  deps: EngineDependencies,
  vault: Vault,
  name: string,
  signal: AbortSignal,
): Promise<Looked | Inspected> {
  const current = await readCurrent(deps, vault, name, signal);
  if (current.kind !== 'current') return current;
  const rotationId = rotationIdOf(vault.name, name, current.secret.version);
  const asked = { rotationId, emergency: false };
  const repair = await findRepair({ deps, vault, current, asked, request: {}, looking: true }, timeFor(signal));
  if (isFailure(repair)) return repair;
  if (repair.kind === 'found') {
    const { version, login } = repair;
    const detail = `to version ${version}, which is of ${login} and logs in`;
    const ways: Check[] = [{ name: 'way back', state: 'passed', detail }];
    return { kind: 'looked', current: repair.current, target: repair.target, rotationId, ways };
  }
  const target = await prepare(deps, vault, current, asked, signal);
  if (isFailure(target)) return target;
  const healthy = { kind: 'skip', reason: 'not-due', detail: 'its current version logs in' } as const;
  const decided = repair.kind === 'healthy' ? { decision: healthy } : {};
  return { kind: 'looked', current, target, rotationId, ways: [wayForward(current, repair)], ...decided };
}

function wayForward({ policy }: Current, repair: Exclude<Repair, { kind: 'found' }>): Check {
  const name = 'way back';
  if (repair.kind === 'healthy') return { name, state: 'passed', detail: 'not needed: the current version logs in' };
  const { untried } = repair;
  const untriedText =
    untried === 0 ? '' : `, and ${untried} more were not tried: servers lock accounts for failed logins`;
  const detail = `no earlier version that was tried logs in: ${repair.detail}${untriedText}`;
  if (policy.admin.kind !== 'self')
    return { name, state: 'passed', detail: `${detail}; the admin makes a new credential` };
  const fix = 'Set a password at the target by hand, and publish the same value.';
  return { name, state: 'failed', detail: `${detail}, and there is no admin that could make a new credential`, fix };
}

/** A dry run: every check with its result. Changes nothing, needs no lease, may be called any number of times. */
export async function plan(
  deps: EngineDependencies,
  vault: Vault,
  request: Pick<RotationRequest, 'secret' | 'mode' | 'to'>,
  signal: AbortSignal,
): Promise<Plan | Inspected> {
  const looked =
    request.mode === 'repair'
      ? await lookForRepair(deps, vault, request.secret, signal)
      : await look(deps, vault, request.secret, signal);
  if (looked.kind !== 'looked') return looked;
  const { current, target, rotationId, ways = [], decision } = looked;
  const { secret, stamp, requested, policy } = current;
  const step = target.stepFor(timeFor(signal));
  return {
    kind: 'plan',
    secret,
    current,
    decision:
      decision ?? decide({ properties: secret, stamp, requested, request, rotationId, now: secret.readAt }, policy),
    dueAt: dueAtOf(secret, policy),
    target: step.endpoint.host || policy.rotator.name,
    login: target.credential.username,
    checks: [
      ...ways,
      ...(request.mode === 'roll-back' ? [await wayBack(vault, current, target, request.to, signal)] : []),
      ...(await target.rotator.check(step)),
      ...(await copyChecks(deps, vault, current, target, signal)),
      ...(await sharedChecks(deps, vault, current, target, signal)),
      ...channelChecks(deps.defaults, secret.name, policy),
      ...nearMissChecks(secret.tags, policy),
    ],
  };
}

/** Each copy: that both ends consent, and that it has a place for the credential. */
async function copyChecks(
  { vaults }: EngineDependencies,
  vault: Vault,
  current: Current,
  target: Target,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  if (current.policy.also.length === 0) return [];
  const { copies, failed } = await lookAtCopies(vaults, vault, current, target, signal);
  return [
    ...copies.map(({ shown, as, isCurrent }): Check => {
      const what = as === 'copy' ? 'a copy' : 'derived';
      return {
        name: shown,
        state: 'passed',
        detail: `${what}; ${isCurrent ? 'current' : 'holds another credential now'}`,
      };
    }),
    ...failed.map(({ shown, failure: { message, hint } }): Check => {
      return { name: shown, state: 'failed', detail: message, fix: hint };
    }),
  ];
}

/** Whether another secret publishes the same login. Said only where one does: most have one of their own. */
async function sharedChecks(
  deps: EngineDependencies,
  vault: Vault,
  current: Current,
  target: Target,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const alone = await refuseShared({ deps, vault, current, target }, timeFor(signal));
  if (!isFailure(alone)) return [];
  const state = alone.code === 'login-shared' ? 'failed' : 'unknown';
  return [{ name: 'login', state, detail: alone.message, fix: alone.hint }];
}

/** Tags that have no effect, and were probably meant to have one. */
function nearMissChecks(tags: Tags, { rotator }: Policy): readonly Check[] {
  return nearMissesOf(tags, rotator).map(({ tag, detail }) => ({
    ...{ name: 'tags', state: 'unknown' as const, detail: `"${tag}" ${detail}` },
    fix: `Rename the tag, or leave it if it is yours: Keyturn does not read it.`,
  }));
}

/** Which version and login a roll-back would make current, said before anybody asks for it. */
async function wayBack(
  vault: Vault,
  current: Current,
  target: Target,
  to: string | undefined,
  signal: AbortSignal,
): Promise<Check> {
  const back = await findWayBack(vault, current, target, to, timeFor(signal), true);
  const name = 'way back';
  if (isFailure(back)) return { name, state: 'failed', detail: back.message, fix: back.hint };
  const { version, login, revoked } = back;
  if (revoked === undefined) return { name, state: 'passed', detail: `to version ${version}, which is of ${login}` };
  const at = revoked.at.toISOString();
  return {
    name,
    state: 'failed',
    detail: `version ${version} is of ${login}, and was revoked by ${revoked.by || 'somebody'} at ${at}`,
    fix: 'Rotate forward: what was revoked may be known to somebody else.',
  };
}

interface Healthy {
  readonly kind: 'healthy';
  /** The version that logs in, where it has copies. */
  readonly source?: string;
}

/** The target answered and said no. */
export interface Drift {
  readonly kind: 'drifted';
  readonly detail: string;
  readonly version: string;
  /** Channels that the secret's tag names. */
  readonly notify: readonly string[] | undefined;
  /** What was looked at. */
  readonly current: Current;
}

/**
 * Whether the published credential logs in. `seen`: a refusal that was seen without the lease which the caller holds now; it is not asked for
 * again where it still counts.
 */
export async function checkDrift(
  deps: EngineDependencies,
  vault: Vault,
  name: string,
  signal: AbortSignal,
  seen?: Drift,
): Promise<Healthy | Drift | { readonly kind: 'opted-out' } | Failure> {
  const looked = await look(deps, vault, name, signal);
  // It has no login of its own: that of its source is tried.
  if (looked.kind === 'linked') return { kind: 'opted-out' };
  if (looked.kind !== 'looked') return looked;
  const { current, target } = looked;
  const before = seen === undefined ? undefined : await wasUndisturbed(vault, seen.current, current, signal);
  if (before !== undefined && isFailure(before)) return before;
  const counts = before?.undisturbed === true ? seen : undefined;
  const answer = counts ?? (await ask(current, target, target.credential, timeFor(signal)));
  if (isFailure(answer)) return answer;
  const { version } = current.secret;
  if (answer.kind === 'answer' && answer.accepted)
    return { kind: 'healthy', ...(current.policy.also.length > 0 && { source: version }) };
  return { kind: 'drifted', detail: answer.detail, version, notify: current.policy.notify, current };
}
