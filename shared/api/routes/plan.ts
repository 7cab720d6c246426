/** A dry run: what would happen and why, every check with its result. Changes nothing. */
import * as z from 'zod';
import { calm } from '../../contract/trouble.ts';
import { holdOnScheduled, holdText } from '../../engine/policy/hold.ts';
import { type Known, lookAt, secretStates } from '../../engine/sweep/standing.ts';
import { isFailure } from '../../errors.ts';
import { type Plan, plan } from '../../operations/inspect.ts';
import { ok } from '../answer.ts';
import { besideOne } from '../beside.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, secretName, time, vaultName } from '../fields.ts';
import { linkedProblem } from '../linked.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Route, route } from '../route.ts';

const mode = z.enum(['scheduled', 'asked', 'forced', 'emergency', 'roll-back', 'repair']);

const checkView = z.object({
  name: z.string(),
  state: z.enum(['passed', 'failed', 'unknown']),
  detail: z.string(),
  fix: z.string().optional(),
});

const planView = z.object({
  vault: z.string(),
  secret: z.string(),
  version: z.string(),
  mode,
  state: z.enum(secretStates).describe('How the secret stands now.'),
  outcome: z.enum(['would-rotate', 'would-skip', 'would-fail']),
  reason: z.string().describe('Why it is due, or why it is left.'),
  detail: z.string(),
  dueAt: time,
  expiresAt: time.optional(),
  rotator: z.string(),
  strategy: z.string(),
  admin: z.string().describe('`self`, `managed-identity`, or the name of the admin secret.'),
  target: z.string(),
  login: z.string().optional(),
  overlapSeconds: z.number(),
  validForSeconds: z.number(),
  consumers: z.array(z.string()),
  checks: z.array(checkView),
});

/** Longest time the checks may take. */
const planWithinMs = 60_000;

export function planRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'planRotation',
        method: 'GET',
        path: '/vaults/{vault}/secrets/{secret}/plan',
        needs: 'reader',
        summary: 'What a rotation would do and why; changes nothing',
        description:
          'Logs in at the target to look: that it is reachable and trusted, that the admin may do what is needed, that the strategy is possible.',
        answers: { 200: { description: 'The plan.', schema: planView } },
        params: fields({ vault: vaultName, secret: secretName }),
        query: fields({ mode: mode.default('asked') }),
      },
      async ({ path, query, sees, signal }) => {
        const found = vaultOf(deps, path.vault);
        if (found.kind === 'problem') return found.answer;
        const within = AbortSignal.any([signal, AbortSignal.timeout(planWithinMs)]);
        const made = await plan(deps.engine, found.vault, { secret: path.secret, mode: query.mode }, within);
        if (isFailure(made)) return failureProblem(made);
        if (made.kind === 'opted-out') return problem('not-managed', `${path.secret} has no tag "rotator"`);
        if (made.kind === 'linked') return linkedProblem(deps, found.vault, made, sees, signal);
        const { known, trouble } = await besideOne(deps, found.vault, path.secret, within);
        if (isFailure(trouble)) return failureProblem(trouble);
        return ok(viewPlan(deps, path.vault, query.mode, made, known));
      },
    ),
  ];
}

/** What holds back everything automatic, whatever the calendar says. A person who asks is not held back. */
function heldBack(
  asked: z.infer<typeof mode>,
  { secret, current: { requested } }: Plan,
  { freeze, trouble = calm }: Known,
): { readonly reason: string; readonly detail: string } | undefined {
  const frozen = freeze === 'unreadable' ? undefined : freeze;
  const facts = { freeze: frozen, requested, trouble, now: secret.readAt };
  const hold = asked === 'scheduled' ? holdOnScheduled(facts) : undefined;
  if (hold === undefined) return undefined;
  return { reason: hold.by === 'freeze' ? 'frozen' : 'paused', detail: holdText(hold) };
}

function viewPlan(
  deps: ApiDependencies,
  vault: string,
  asked: z.infer<typeof mode>,
  made: Plan,
  known: Known,
): z.infer<typeof planView> {
  const { secret, current, decision, dueAt, target, login, checks } = made;
  const held = heldBack(asked, made, known);
  const { policy } = current;
  const wouldFail = checks.some((check) => check.state === 'failed');
  const goesOn = held === undefined && decision.kind === 'due';
  const { reason, detail } = held ?? decision;
  return {
    vault,
    secret: secret.name,
    version: secret.version,
    mode: asked,
    state: lookAt(deps.engine, secret, known, secret.readAt).standing.state,
    outcome: goesOn ? (wouldFail ? 'would-fail' : 'would-rotate') : 'would-skip',
    reason,
    detail,
    dueAt: dueAt.toISOString(),
    ...(secret.expiresAt === undefined ? {} : { expiresAt: secret.expiresAt.toISOString() }),
    rotator: policy.rotator.name,
    strategy: policy.strategy,
    admin: adminOf(policy.admin),
    target,
    ...(login === undefined ? {} : { login }),
    overlapSeconds: policy.overlapMs / 1000,
    validForSeconds: policy.validForMs / 1000,
    consumers: [...policy.consumers],
    checks: checks.map((check) => ({ ...check })),
  };
}

function adminOf(admin: Plan['current']['policy']['admin']): string {
  switch (admin.kind) {
    case 'self':
      return 'self';
    case 'identity':
      return 'managed-identity';
    case 'secret':
      return admin.name;
  }
}
