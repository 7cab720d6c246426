/** What opting a secret in would come to. */
import * as z from 'zod';
import { isFailure } from '../../errors.ts';
import { type Proposal, proposeOnboarding } from '../../operations/onboarding.ts';
import { type Answer, ok } from '../answer.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, secretName, vaultName } from '../fields.ts';
import { failureProblem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { tagChange } from './tags.ts';

const params = fields({ vault: vaultName, secret: secretName });
// Asked for by name, so that nothing is read of a secret by an empty request.
const body = fields({ set: tagChange.set.unwrap(), remove: tagChange.remove });
const tags = z.record(z.string(), z.string());

const proposal = z.object({
  vault: z.string(),
  secret: z.string(),
  guess: z
    .object({ rotator: z.string().optional(), what: z.string(), because: z.string(), sure: z.boolean() })
    .describe('What it is probably for. Holds nothing of the value.'),
  set: tags.describe('Tags that would be set.'),
  remove: z.array(z.string()),
  before: tags,
  tags,
  target: z.string().optional(),
  login: z.string().optional(),
  strategy: z.string().optional(),
  checks: z
    .array(
      z.object({
        name: z.string(),
        state: z.enum(['passed', 'failed', 'unknown']),
        detail: z.string(),
        fix: z.string().optional(),
      }),
    )
    .describe('The plan of a rotation, as if it had the tags.'),
  problem: z
    .object({ code: z.string(), message: z.string(), hint: z.string(), page: z.string() })
    .optional()
    .describe('Why there is no plan; absent with no checks: no rotator fits.'),
});

/** Longest time the checks may take. */
const withinMs = 60_000;

type OnboardingCall = Call<z.infer<typeof params>, unknown, z.infer<typeof body>>;

export function onboardingRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'lookAtOnboarding',
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/onboarding',
        needs: 'operator',
        summary: 'What opting a secret in would come to: tags that fit, and the plan with them; changes nothing',
        description:
          'Reads the value to tell what it is for, and logs in at the target to look. To set the tags: POST …/tags with "set" and "remove" of the answer.',
        answers: {
          200: { description: 'Also where it cannot be managed: read "problem" and "checks".', schema: proposal },
        },
        params,
        query: fields({}),
        body,
      },
      (call) => propose(deps, call),
    ),
  ];
}

async function propose(deps: ApiDependencies, { path, body: asked, signal }: OnboardingCall): Promise<Answer> {
  const found = vaultOf(deps, path.vault);
  if (found.kind === 'problem') return found.answer;
  const within = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  const made = await proposeOnboarding(deps.engine, found.vault, { secret: path.secret, asked }, within);
  return isFailure(made) ? failureProblem(made) : ok(viewProposal(path, made));
}

function viewProposal(path: z.infer<typeof params>, made: Proposal): z.infer<typeof proposal> {
  const { guess, change, before, plan } = made;
  const { rotator, ...said } = guess;
  return {
    ...path,
    guess: { ...said, ...(rotator === undefined ? {} : { rotator }) },
    ...{ set: { ...change.set }, remove: [...change.remove], before: { ...before }, tags: { ...made.tags } },
    ...planned(plan),
  };
}

function planned(plan: Proposal['plan']): Pick<z.infer<typeof proposal>, 'checks' | 'problem' | 'target' | 'login'> {
  if (plan === undefined) return { checks: [] };
  if (plan.kind === 'failed') {
    const { code, message, hint, page } = plan;
    return { checks: [], problem: { code, message, hint, page } };
  }
  const { target, login, checks, current } = plan;
  const strategy = { strategy: current.policy.strategy };
  return { target, ...strategy, ...(login === undefined ? {} : { login }), checks: checks.map((one) => ({ ...one })) };
}
