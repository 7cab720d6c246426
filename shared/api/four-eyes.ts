/**
 * Requests that wait for a second person. What is to wait is kept, told and answered with 202; nothing of it is in any queue, so what is lost
 * is never done. An approval runs the same request again, with its id, and covers what was asked and nothing else.
 */
import { randomBytes } from 'node:crypto';
import type { Role } from '../contract/access.ts';
import type { Approval, ApprovalAction, ApprovalKind } from '../contract/approvals.ts';
import { noticeId } from '../contract/notice.ts';
import type { RotationRecord, Tags } from '../contract/ports.ts';
import { policyOf, versionMeant } from '../engine/policy/current.ts';
import { readRequested, requestedTag } from '../engine/policy/requested.ts';
import { readStamp, stampTag } from '../engine/policy/stamp.ts';
import { type Failure, isFailure } from '../errors.ts';
import { notificationsQueue } from '../operations/queues.ts';
import type { Answer } from './answer.ts';
import { claim, fingerprintOf, queuedMark } from './ask.ts';
import type { Place } from './caller.ts';
import { type ApiDependencies, vaultOf } from './dependencies.ts';
import { failureProblem, problem } from './problem.ts';
import type { Call } from './route.ts';
import { versionsOf } from './routes/inspect.ts';
import { type ApprovalView, viewApproval } from './views/approval.ts';

/** What is asked for, as far as it decides about a second person. */
export interface Asked {
  readonly action: ApprovalAction;
  /** Any of them in the settings makes it wait. */
  readonly kinds: readonly ApprovalKind[];
  readonly place: Place;
  readonly body: { readonly reason: string; readonly breakGlass: boolean };
  /** What a selector found. */
  readonly found?: readonly Place[];
}

export type AnyCall = Call<unknown, unknown, unknown>;

/** The role that a request takes, and so does its approval. */
export function roleOf({ action, body }: { readonly action: ApprovalAction; readonly body: unknown }): Role {
  switch (action) {
    case 'rotate':
    case 'rotations':
      return 'operator';
    case 'emergency':
      return 'emergency';
    case 'rollback':
    case 'repair':
    case 'retire':
      return typeof body === 'object' && body !== null && 'force' in body && body.force === true
        ? 'emergency'
        : 'operator';
  }
}

/** Lets a request go on, or has it wait: `waits` makes the answer of whoever asked. The caller's role was looked at before. */
export async function withFourEyes<C extends AnyCall>(
  deps: ApiDependencies,
  call: C,
  asked: Asked,
  go: (call: C) => Promise<Answer>,
  waits: (approval: ApprovalView, record: RotationRecord) => unknown,
): Promise<Answer> {
  const mustWait = asked.kinds.some((kind) => deps.fourEyes.kinds.includes(kind));
  if (call.approved !== undefined || !mustWait) return go(call);
  if (asked.body.breakGlass) return bypass(deps, call, asked, go);
  const print = await fingerprint(deps, asked, call.signal);
  if (print.kind === 'problem') return print.answer;
  const at = deps.now();
  const claimed = await claim(
    deps,
    call,
    fingerprintOf({ action: asked.action, place: asked.place, body: asked.body }),
    at,
    heldMark,
  );
  if (claimed.kind === 'problem') return claimed.answer;
  const approval = approvalOf(deps, call, asked, { id: claimed.rotationId, fingerprint: print.print, at });
  const added = await deps.approvals.add(approval);
  if (isFailure(added)) return failureProblem(added);
  if (added.approval.state === 'approved') {
    const uncovered = await whyUncovered(deps, added.approval, print.print);
    return uncovered ?? go({ ...call, approved: { id: claimed.rotationId, at: added.approval.at } });
  }
  await deps.marks.put(heldMark(approval.id));
  if (added.kind === 'waiting') await tellAndKeep(deps, call, asked, added.approval);
  const headers = { location: `/api/v1/approvals/${approval.id}`, 'retry-after': '10' };
  return { status: 202, headers, body: waits(viewApproval(added.approval, at), recordOf(added.approval)) };
}

/**
 * Sent again after it was approved. What is in the queue finds its work done, although its rotation has made another version since; whoever died
 * before has put nothing there, and then the approval covers what was asked and nothing else. The end of an old credential is of whichever
 * rotation is current, so it must never be that of a later one.
 */
export async function isDone(deps: ApiDependencies, { id, action, state }: Approval) {
  if (state !== 'approved' || action === 'retire') return { kind: 'known' as const, marked: false };
  return deps.marks.has(queuedMark(id));
}

/** The answer where the approval does not cover what would be done now. */
export async function whyUncovered(
  deps: ApiDependencies,
  approval: Approval,
  print: string,
): Promise<Answer | undefined> {
  if (print === approval.fingerprint) return undefined;
  const done = await isDone(deps, approval);
  if (isFailure(done)) return failureProblem(done);
  if (done.marked) return undefined;
  return problem(
    'approval-void',
    'the secret, its tags, or what the selector finds is not what it was when it was asked for',
  );
}

/** Says that a request is kept, so that whoever sends it again under the same key is answered at once. */
function heldMark(id: string): string {
  return `held ${id}`;
}

function approvalOf(
  deps: ApiDependencies,
  { caller, body }: AnyCall,
  { action, place, body: { reason }, found }: Asked,
  { id, fingerprint, at }: Pick<Approval, 'id' | 'fingerprint' | 'at'>,
): Approval {
  const { id: who, name, grants } = caller;
  return {
    ...{ id, action, ...place, body: JSON.stringify(body), fingerprint, reason, at },
    ...(found === undefined ? {} : { count: found.length }),
    requester: { id: who, name, grants },
    expiresAt: new Date(at.getTime() + deps.fourEyes.withinMs),
    state: 'waiting',
  };
}

type Print = { readonly kind: 'print'; readonly print: string } | { readonly kind: 'problem'; readonly answer: Answer };

/** A hash of what was asked and of what it is asked for, as it is now: its version its tags but those that Keyturn writes itself, and the version that is meant. */
export async function fingerprint(
  deps: ApiDependencies,
  { action, place, body, found }: Omit<Asked, 'kinds'>,
  signal: AbortSignal,
): Promise<Print> {
  if (found !== undefined) {
    const names = found.map(({ vault, secret }) => `${vault}/${secret}`.toLowerCase()).sort();
    return { kind: 'print', print: fingerprintOf({ action, body, names }) };
  }
  const vault = vaultOf(deps, place.vault);
  if (vault.kind === 'problem') return vault;
  const versions = await versionsOf(vault.vault, place.secret, signal);
  if (isFailure(versions)) return { kind: 'problem', answer: failureProblem(versions) };
  const { version, tags } = versions.newest;
  if (tags['rotator'] === undefined)
    return { kind: 'problem', answer: problem('not-managed', `${place.secret} has no tag "rotator"`) };
  const kept = Object.entries(tags)
    .filter(([name]) => name !== stampTag && name !== requestedTag)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const about = aboutOf(action, versions.newest);
  return { kind: 'print', print: fingerprintOf({ action, place, body, version, kept, about }) };
}

/** What the request does not name and means: it stands in tags that Keyturn writes, and that an editor of the secret may have changed. */
function aboutOf(action: ApprovalAction, { version, tags }: { readonly version: string; readonly tags: Tags }): string {
  const stamp = readStamp(tags);
  switch (action) {
    case 'emergency':
      return versionMeant({ version, stamp, requested: readRequested(tags) });
    case 'rollback':
    case 'retire':
      return stamp === undefined ? '' : `${stamp.rotationId} ${stamp.from}`;
    case 'rotate':
    case 'repair':
    case 'rotations':
      return '';
  }
}

/** In the history the request bears both names, so that nobody reads the one without the other. */
function recordOf({ id, action, vault, secret, reason, requester, at, expiresAt }: Approval): RotationRecord {
  return {
    ...{ rotationId: id, vault, secret, activity: action === 'retire' ? 'retirement' : 'rotation' },
    ...{ reason, requestedBy: requester.name, startedAt: at, steps: [], outcome: 'awaiting-approval' },
    detail: `nothing is done until a second person approves it: keyturn approve ${id} (until ${expiresAt.toISOString()})`,
  };
}

/** History is for people, and so is the news: where one of them cannot be kept, the request waits all the same, and can be listed. */
async function tellAndKeep(deps: ApiDependencies, call: AnyCall, asked: Asked, approval: Approval): Promise<void> {
  const { id, action, vault, secret, requester, expiresAt } = approval;
  call.log.warn('approval-wanted', { id, action, vault, secret, by: requester.name, until: expiresAt.toISOString() });
  const kept = asked.found === undefined ? await deps.history.record(recordOf(approval)) : undefined;
  const told = await tell(deps, call, asked, 'approval', approval);
  for (const outcome of [kept, told])
    if (outcome !== undefined && isFailure(outcome))
      call.log.error('approval-not-told', { id, code: outcome.code, hint: outcome.hint });
}

/**
 * The app's own channels are told, and those of the secret's tag besides: whoever may edit the tag must not be able to have it done in
 * silence. A channel that is among both gets one message, by its id.
 */
async function tell(
  deps: ApiDependencies,
  { signal }: AnyCall,
  { place, found }: Asked,
  type: 'approval' | 'bypassed',
  { id, action, requester, reason, count, expiresAt }: Approval,
): Promise<{ readonly kind: 'enqueued' } | Failure> {
  const [first = place] = found ?? [place];
  const own = await channelsOf(deps, first, signal);
  const { host } = deps.fourEyes;
  const notice = {
    ...{ id: noticeId(type, id), type, ...first, rotationId: id, at: deps.now().toISOString() },
    approval: {
      ...{ id, action, by: requester.name, reason },
      ...(count === undefined ? {} : { count }),
      ...(type === 'bypassed' ? {} : { expiresAt: expiresAt.toISOString() }),
      ...(host === undefined || type === 'bypassed' ? {} : { link: `https://${host}/approvals/${id}` }),
    },
  };
  for (const channels of own === undefined ? [undefined] : [undefined, [...own]]) {
    const message = channels === undefined ? notice : { ...notice, channels };
    const told = await deps.queues.enqueue(notificationsQueue, message, { secret: first.secret });
    if (isFailure(told)) return told;
  }
  return { kind: 'enqueued' };
}

/** Whom the secret's own tag wants to be told; undefined: the app's default. */
async function channelsOf(
  deps: ApiDependencies,
  { vault, secret }: Place,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const found = vaultOf(deps, vault);
  const versions = found.kind === 'problem' ? undefined : await versionsOf(found.vault, secret, signal);
  if (versions === undefined || isFailure(versions)) return undefined;
  const policy = policyOf(deps.engine, versions.newest);
  return policy.kind === 'policy' ? policy.policy.notify : undefined;
}

/** Without a second person: for whoever has the role emergency, with the reason, and told to everybody who would have been asked. */
async function bypass<C extends AnyCall>(
  deps: ApiDependencies,
  call: C,
  asked: Asked,
  go: (call: C) => Promise<Answer>,
): Promise<Answer> {
  for (const place of asked.found ?? [asked.place]) {
    const denied = call.demand('emergency', place);
    if (denied !== undefined) return denied;
  }
  const at = deps.now();
  const id = randomBytes(16).toString('hex');
  const approval = approvalOf(deps, call, asked, { id, fingerprint: '', at });
  const { action, place, body } = asked;
  call.log.error('approval-bypassed', { id, action, ...place, by: call.caller.name, reason: body.reason });
  const told: { readonly kind: string } | Failure = await tell(deps, call, asked, 'bypassed', approval);
  if (isFailure(told)) call.log.error('approval-not-told', { id, code: told.code, hint: told.hint });
  return go({ ...call, caller: { ...call.caller, name: `${call.caller.name}, break-glass` } });
}
