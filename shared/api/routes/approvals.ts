/** What waits for a second person, and the approval of it. */
import * as z from 'zod';
import type { Approval } from '../../contract/approvals.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { type Answer, ok } from '../answer.ts';
import { type Caller, may } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields, flag, secretName, vaultName } from '../fields.ts';
import { fingerprint, isDone, roleOf, whyUncovered } from '../four-eyes.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { approvalView, stateOf, viewApproval } from '../views/approval.ts';
import { rotationView } from '../views/rotation.ts';
import { foundNow, manyBody, rotateMany } from './many.ts';
import { askRetire, retireBody } from './retire.ts';
import { askFor, rotateBodies } from './rotate.ts';

const id = z.string().regex(/^[0-9a-f]{32}$/, 'takes the id of an approval: 32 hex digits in lower case');
const params = fields({ approvalId: id });
const none = fields({});

type Params = z.infer<typeof params>;

export function approvalRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'listApprovals',
        method: 'GET',
        path: '/approvals',
        needs: 'reader',
        covers: 'each',
        summary: 'List what waits for a second person',
        description: '`all`: also what was approved or whose time is over, for as long as it is kept.',
        answers: { 200: { description: 'Oldest first.', schema: z.object({ approvals: z.array(approvalView) }) } },
        params: none,
        query: fields({ all: flag }),
      },
      (call) => list(deps, call, call.query.all),
    ),
    route(
      {
        id: 'getApproval',
        method: 'GET',
        path: '/approvals/{approvalId}',
        needs: 'reader',
        covers: 'each',
        summary: 'Show one request that waits, or waited, for a second person',
        answers: { 200: { description: 'Who asks for what, why, and until when.', schema: approvalView } },
        params,
        query: none,
      },
      (call) => show(deps, call),
    ),
    route(
      {
        id: 'approveRequest',
        method: 'POST',
        path: '/approvals/{approvalId}/approve',
        needs: 'operator',
        covers: 'each',
        summary: 'Approve a request of another person, which is done at once',
        description:
          'Takes the role that the request takes, and a person who is signed in with Entra and did not ask for it. The answer is that of the request; of any number who approve at the same moment one does it.',
        answers: {
          200: { description: 'As the request answers.', schema: z.record(z.string(), z.unknown()) },
          202: { description: 'Queued.', schema: z.union([rotationView, z.record(z.string(), z.unknown())]) },
        },
        params,
        query: none,
        body: none,
      },
      (call) => approve(deps, call),
    ),
  ];
}

async function list(deps: ApiDependencies, { sees }: Call<unknown, unknown, unknown>, all: boolean): Promise<Answer> {
  const now = deps.now();
  const found: Approval[] = [];
  for await (const one of deps.approvals.all()) {
    if (isFailure(one)) return failureProblem(one);
    if (sees(one.approval) && (all || stateOf(one.approval, now) === 'waiting')) found.push(one.approval);
  }
  found.sort((a, b) => a.at.getTime() - b.at.getTime());
  return ok({ approvals: found.map((one) => viewApproval(one, now)) });
}

type Found =
  | { readonly kind: 'found'; readonly approval: Approval }
  | { readonly kind: 'problem'; readonly answer: Answer };

/** Whoever may not see it is told that there is none. */
async function find(deps: ApiDependencies, { path, sees }: Call<Params, unknown, unknown>): Promise<Found> {
  const got = await deps.approvals.get(path.approvalId);
  if (isFailure(got)) return { kind: 'problem', answer: failureProblem(got) };
  const { approval } = got;
  if (approval === undefined || !sees(approval))
    return { kind: 'problem', answer: problem('approval-unknown', 'no request of that id is known') };
  return { kind: 'found', approval };
}

async function show(deps: ApiDependencies, call: Call<Params, unknown, unknown>): Promise<Answer> {
  const found = await find(deps, call);
  return found.kind === 'problem' ? found.answer : ok(viewApproval(found.approval, deps.now()));
}

type ApproveCall = Call<Params, unknown, unknown>;

async function approve(deps: ApiDependencies, call: ApproveCall): Promise<Answer> {
  const found = await find(deps, call);
  if (found.kind === 'problem') return found.answer;
  const { approval } = found;
  const { caller, log, demand } = call;
  const unfit = whyUnfit(caller, approval);
  if (unfit !== undefined) {
    log.warn('approval-refused', { id: approval.id, by: caller.name, detail: unfit });
    return problem('approver-unfit', unfit);
  }
  const role = roleOf({ action: approval.action, body: JSON.parse(approval.body) });
  // What a selector finds is looked at secret by secret, once it is known.
  const denied = approval.count === undefined ? demand(role, approval) : undefined;
  if (denied !== undefined) return denied;
  const over = whyOver(approval, caller, deps.now());
  if (over !== undefined) return problem('approval-over', over);
  const request = requestOf(deps, approval, call);
  const changed = await whatChanged(deps, approval, request, caller);
  if (changed !== undefined) return changed;
  const decided = await deps.approvals.decide(approval.id, { id: caller.id, name: caller.name, at: deps.now() });
  if (isFailure(decided)) return failureProblem(decided);
  if (decided.kind === 'unknown') return problem('approval-unknown', 'no request of that id is known');
  const late = whyOver(decided.approval, caller, deps.now());
  if (late !== undefined) return problem('approval-over', late);
  log.warn('approval-given', {
    id: approval.id,
    action: approval.action,
    asked: approval.requester.name,
    by: caller.name,
  });
  if (approval.count === undefined) await keepApproved(deps, approval, caller, log);
  return request.run();
}

function whyUnfit({ how, person, id: who }: Caller, { requester }: Approval): string | undefined {
  if (how === 'key') return 'a key can ask and never approve';
  if (!person) return 'an application can ask and never approve';
  return who === requester.id ? 'the person who asked cannot approve it' : undefined;
}

/** The one who approved it may send it again: it is the same rotation, and finds its work done. */
function whyOver(approval: Approval, { id: who }: Caller, now: Date): string | undefined {
  switch (stateOf(approval, now)) {
    case 'waiting':
      return undefined;
    case 'approved':
      return approval.approver?.id === who ? undefined : `${approval.approver?.name ?? 'somebody'} has approved it`;
    case 'expired':
      return `nobody approved it until ${approval.expiresAt.toISOString()}`;
  }
}

interface Request {
  readonly place: { readonly vault: string; readonly secret: string };
  readonly body: { readonly reason: string; readonly breakGlass: boolean };
  /** What a selector finds now; undefined where none was asked with. */
  readonly found?: () => ReturnType<typeof foundNow>;
  readonly run: () => Promise<Answer>;
}

/** The request as it was asked, of whoever asked it, in both names. */
function requestOf(deps: ApiDependencies, approval: Approval, call: ApproveCall): Request {
  const { id, at, action, vault, secret, requester } = approval;
  const caller: Caller = {
    ...{ kind: 'caller', id: requester.id, name: `${requester.name}, approved by ${call.caller.name}` },
    ...{ how: 'token', person: false, grants: requester.grants, consumers: [] },
  };
  const place =
    action === 'rotations' ? { vault, secret } : { vault: vaultName.parse(vault), secret: secretName.parse(secret) };
  const approved = { id, at };
  const common = { ...call, path: place, query: { wait: false }, caller, approved, demand: () => undefined };
  const json: unknown = JSON.parse(approval.body);
  switch (action) {
    case 'rotate': {
      const body = rotateBodies.rotate.parse(json);
      return { place, body, run: () => askFor.rotate(deps, { ...common, body }) };
    }
    case 'emergency': {
      const body = rotateBodies.emergency.parse(json);
      return { place, body, run: () => askFor.emergency(deps, { ...common, body }) };
    }
    case 'rollback': {
      const body = rotateBodies.rollback.parse(json);
      return { place, body, run: () => askFor.rollback(deps, { ...common, body }) };
    }
    case 'repair': {
      const body = rotateBodies.repair.parse(json);
      return { place, body, run: () => askFor.repair(deps, { ...common, body }) };
    }
    case 'retire': {
      const body = retireBody.parse(json);
      return { place, body, run: () => askRetire(deps, { ...common, body }) };
    }
    case 'rotations': {
      const body = manyBody.parse(json);
      const many = { ...common, body };
      return { place, body, found: () => foundNow(deps, many), run: () => rotateMany(deps, many) };
    }
  }
}

/** An approval covers what was asked, for the version and the tags it was asked for, and the secrets that were found then. */
async function whatChanged(
  deps: ApiDependencies,
  approval: Approval,
  { place, body, found }: Request,
  approver: Caller,
): Promise<Answer | undefined> {
  const done = await isDone(deps, approval);
  if (isFailure(done)) return failureProblem(done);
  if (done.marked) return undefined;
  const now: Awaited<ReturnType<typeof foundNow>> | undefined = await found?.();
  if (now !== undefined && isA(now)) return failureProblem(now);
  const beyond = now?.find((one) => !may(approver, 'operator', one));
  if (beyond !== undefined)
    return problem('role-missing', `this takes the role "operator" for ${beyond.vault}/${beyond.secret}`);
  const { action } = approval;
  const asked = { action, place, body, ...(now === undefined ? {} : { found: now }) };
  const print = await fingerprint(deps, asked, AbortSignal.timeout(60_000));
  return print.kind === 'problem' ? print.answer : whyUncovered(deps, approval, print.print);
}

function isA(outcome: Failure | readonly unknown[]): outcome is Failure {
  return 'code' in outcome;
}

/** The history names both; the rotation's own record follows. */
async function keepApproved(
  deps: ApiDependencies,
  { id: rotationId, action, vault, secret, reason, requester, at }: Approval,
  { name }: Caller,
  log: ApproveCall['log'],
): Promise<void> {
  const kept = await deps.history.record({
    ...{ rotationId, vault, secret, activity: action === 'retire' ? 'retirement' : 'rotation', reason },
    ...{ requestedBy: requester.name, startedAt: at, endedAt: deps.now(), steps: [], outcome: 'queued' },
    detail: `approved by ${name}`,
  });
  if (isFailure(kept)) log.warn('history-not-kept', { secret, code: kept.code });
}
