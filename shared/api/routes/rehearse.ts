/** Trying a rotation on a throw-away twin. */
import * as z from 'zod';
import { performRehearsal } from '../../operations/rehearse.ts';
import { type Answer, ok } from '../answer.ts';
import { askerOf } from '../ask.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, reason, secretName, vaultName } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { stepView } from '../views/rotation.ts';

const params = fields({ vault: vaultName, secret: secretName });
const body = fields({ reason });

const rehearsed = z.object({
  vault: z.string(),
  secret: z.string(),
  how: z.enum(['twin', 'looked']).describe('twin: made, proven, revoked, removed. looked: only rights were looked at.'),
  detail: z.string(),
  checks: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['passed', 'failed', 'unknown']),
      detail: z.string(),
      fix: z.string().optional(),
    }),
  ),
  steps: z.array(stepView),
});

type RehearseCall = Call<z.infer<typeof params>, unknown, z.infer<typeof body>>;

export function rehearseRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'rehearseRotation',
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/rehearse',
        needs: 'operator',
        summary: 'Try a rotation on a throw-away twin at the real target',
        description:
          'Makes a login or key of its own, proves it, compares its rights, revokes it, proves the refusal and removes it. Touches neither the live login nor the published version. Where there can be no twin it says so, and looks at the rights.',
        answers: { 200: { description: 'A rotation would succeed.', schema: rehearsed } },
        params,
        query: fields({}),
        body,
      },
      (call) => answer(deps, call),
    ),
  ];
}

async function answer(deps: ApiDependencies, { path, body: asked, caller, log }: RehearseCall): Promise<Answer> {
  const found = vaultOf(deps, path.vault);
  if (found.kind === 'problem') return found.answer;
  const about = { ...path, requestedBy: askerOf(caller).requestedBy, reason: asked.reason, automatic: false };
  const result = await performRehearsal({ ...deps, log }, about);
  const { vault, secret } = path;
  switch (result.kind) {
    case 'rehearsed': {
      const { how, detail, checks, steps } = result;
      log.info('rehearsed', { vault, secret, how, by: caller.name });
      return ok({ vault, secret, how, detail, checks: checks.map((one) => ({ ...one })), steps: [...steps] });
    }
    case 'skipped': {
      const { reason: why, detail } = result;
      return problem(why === 'opted-out' ? 'not-managed' : 'not-now', `${secret}: ${detail}`, { reason: why });
    }
    case 'failed': {
      const { failure, steps } = result;
      log.warn('rehearsal-failed', { vault, secret, code: failure.code, detail: failure.message, hint: failure.hint });
      return failureProblem(failure, { steps: steps.map((one) => ({ ...one })) });
    }
  }
}
