/**
 * A version was made, as an event of the vault tells. What Keyturn published itself is known from the listing of the secret's versions; any
 * other version is proven by a login at once, and people are told where it does not log in.
 */
import { retryBackoff } from '../backoff.ts';
import type { AuditLog } from '../contract/audit-log.ts';
import type { Irregularities, SeenVersions, ToldBefore } from '../contract/state.ts';
import { strategyTraits } from '../contract/strategy.ts';
import { type ArrivalResult, prove, type Refused } from '../engine/arrival/prove.ts';
import { writtenBackText } from '../engine/arrival/written-back.ts';
import type { CheckRequest } from '../engine/policy/check-request.ts';
import { policyOf } from '../engine/policy/current.ts';
import { type Listed, openBefore, originOf } from '../engine/policy/origin.ts';
import { readRequested } from '../engine/policy/requested.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { reportDrift } from './check.ts';
import { foreignVersionName } from './held-back.ts';
import type { PerformDependencies, Performed } from './perform.ts';
import { notificationsQueue, rotationsQueue } from './queues.ts';
import { seenKey } from './seen-versions.ts';
import { healed, settleFailed, verdictOf } from './settle.ts';
import { wrong } from './sweep-news.ts';
import { askForWriter } from './writer.ts';

export interface ArrivalDependencies extends PerformDependencies {
  /** Versions that need no other look. */
  readonly seenVersions: SeenVersions;
  readonly irregularities: Irregularities;
  readonly toldBefore: ToldBefore;
  /** Absent: nobody may read it. */
  readonly auditLog?: AuditLog;
}

export type Arrived =
  /** Nothing to prove: it is Keyturn's own, no longer current, or of a secret that Keyturn leaves alone or has no target for. */
  | { readonly kind: 'ours' | 'superseded' | 'unmanaged' | 'unproven' | 'known' }
  | { readonly kind: 'adopted' }
  | { readonly kind: 'opted-out' }
  | { readonly kind: 'busy' }
  | Failure;

/** A worker is at the secret: most are done by then, and a person waits for the verdict. In ms. */
const whileBusyMs = 3_000;

/**
 * Looks at a version that was made just now. May be called again: a version that was looked at is left, so that duplicates of an event make
 * one login between them. A failure of class `retry` is no evidence.
 */
export async function performArrival(
  deps: ArrivalDependencies,
  request: CheckRequest & { readonly version: string },
  signal: AbortSignal,
): Promise<Performed<Arrived>> {
  const { version, secret } = request;
  const vault = deps.engine.vaults.get(request.vault.toLowerCase());
  if (vault === undefined) return failure('vault-unknown', { vault: request.vault, secret });
  const key = seenKey(vault.name, secret, version);
  if (deps.seenVersions.has(key)) return { kind: 'known' };
  const listed = await vault.versions(secret, { signal });
  if (isFailure(listed)) return { ...listed, ...soon(deps, listed) };
  const about = { vault: vault.name, secret, version };
  const outcome = await lookAtVersion(deps, about, listed.versions, signal);
  if (!isFailure(outcome) && outcome.tryAgainMs === undefined) deps.seenVersions.add(key);
  if (isFailure(outcome) && outcome.code === 'credential-drifted') deps.seenVersions.add(key);
  return outcome;
}

type About = CheckRequest & { readonly version: string };

async function lookAtVersion(
  deps: ArrivalDependencies,
  about: About,
  versions: readonly Listed[],
  signal: AbortSignal,
): Promise<Performed<Arrived>> {
  const origin = originOf(versions, about.version);
  switch (origin.kind) {
    case 'gone':
    case 'superseded':
      return { kind: 'superseded' };
    case 'unmanaged':
      return { kind: 'unmanaged' };
    case 'opted-out':
      return tellOptedOut(deps, about);
    case 'ours':
      return { kind: 'ours' };
    case 'foreign': {
      const newest = versions.find(({ version }) => version === about.version);
      if (newest === undefined || !needsProof(deps, newest, origin.before)) return { kind: 'unproven' };
      const result = await prove(deps.engine, { ...about, versions, before: origin.before }, signal);
      return settle(deps, about, newest, result);
    }
  }
}

/** Where there is no target to ask, and nothing that was unfinished, there is nothing to look at. */
function needsProof({ engine }: ArrivalDependencies, newest: Listed, before: Listed | undefined): boolean {
  const read = policyOf(engine, newest);
  // What is wrong with its tags is told by the sweep.
  if (read.kind !== 'policy' || read.policy.manual !== undefined) return false;
  if (strategyTraits[read.policy.strategy].hasTarget || openBefore(newest, before) !== undefined) return true;
  return before !== undefined && Object.keys(readRequested(before.tags)).length > 0;
}

async function settle(
  deps: ArrivalDependencies,
  about: About,
  newest: Listed,
  result: ArrivalResult,
): Promise<Performed<Arrived>> {
  switch (result.kind) {
    case 'adopted': {
      const { secret } = about;
      deps.log.info('version-adopted', { ...about, detail: 'it was not made by Keyturn, and it logs in' });
      const trouble = await deps.attention.of(about.vault, secret);
      if (!isFailure(trouble)) await healed(deps, about, trouble, ['check']);
      const asked = result.copiesDue === true ? await askForCopies(deps, about) : undefined;
      return asked ?? { kind: 'adopted' };
    }
    case 'refused':
      return tellDrift(deps, about, newest, result);
    case 'skipped':
      return result.reason === 'busy' ? { kind: 'busy', tryAgainMs: whileBusyMs } : { kind: 'superseded' };
    case 'failed': {
      const { failure: failed } = result;
      // What keeps the version from being proven (an admin, a host, a tag) is told by the sweep, the daily check and the next rotation.
      if (failed.class !== 'retry') return failed;
      const tryAgainMs = await settleFailed(deps, 'check', about, result, verdictOf(result, true));
      return { ...failed, ...(tryAgainMs === undefined ? {} : { tryAgainMs }) };
    }
  }
}

/** Copies follow what was accepted. Should this message be lost, the sweep finds from the version's stamp that they are due. */
async function askForCopies(
  deps: ArrivalDependencies,
  { vault, secret }: About,
): Promise<Performed<Failure> | undefined> {
  const message = { vault, secret, mode: 'resume' as const, requestedBy: foreignVersionName };
  const asked = await deps.queues.enqueue(rotationsQueue, message, { secret });
  return isFailure(asked) ? { ...asked, ...soon(deps, asked) } : undefined;
}

async function tellDrift(
  deps: ArrivalDependencies,
  { vault, secret, version }: About,
  { createdAt }: Listed,
  { detail, writtenBack, notify, onForeignVersion }: Refused,
): Promise<Performed<Arrived>> {
  const origin = `this version was not made by Keyturn${writtenBackText(writtenBack, createdAt)}`;
  const again = writtenBack.versions.length > 1;
  const drift = failure('credential-drifted', { secret, version, detail: `${detail}; ${origin}`, again });
  const untold = await reportDrift(deps, { vault, secret, version, notify, drift });
  if (untold !== undefined) return { ...untold, ...soon(deps, untold) };
  await askForWriter(deps, { vault, secret, version });
  if (onForeignVersion === 'repair') {
    const message = { vault, secret, version, mode: 'repair' as const, requestedBy: foreignVersionName };
    const asked = await deps.queues.enqueue(rotationsQueue, message, { secret });
    if (isFailure(asked)) return { ...asked, ...soon(deps, asked) };
  }
  return drift;
}

/** Told once, here or by the sweep. */
async function tellOptedOut(deps: ArrivalDependencies, { vault, secret }: About): Promise<Performed<Arrived>> {
  const kept = await deps.irregularities.change({ vault, secret }, () => ({ optedOut: true }));
  if (isFailure(kept)) return { ...kept, ...soon(deps, kept) };
  const out = failure('opted-out', { secret, vault });
  const { what, notice } = wrong({ vault, secret, now: deps.now() }, out);
  const told = await deps.queues.enqueue(notificationsQueue, notice, { secret });
  if (isFailure(told)) return { ...told, ...soon(deps, told) };
  const added = await deps.toldBefore.add(vault, secret, what);
  if (isFailure(added)) deps.log.warn('telling-not-kept', { secret, code: added.code });
  const { code, message: detail, hint, page } = out;
  deps.log.error('opted-out', { vault, secret, code, detail, hint, page });
  return { kind: 'opted-out' };
}

/** What passes by itself is looked at again soon. */
function soon({ random }: ArrivalDependencies, { class: failureClass }: Failure): { readonly tryAgainMs?: number } {
  return failureClass === 'retry' ? { tryAgainMs: retryBackoff.pauseMs(1, random()) } : {};
}
