/** A secret leaves Keyturn. */
import * as z from 'zod';
import { type Failure, isFailure } from '../../errors.ts';
import { recordPause } from '../../operations/pause.ts';
import { planRelease, type Released, type ReleasePlan, release } from '../../operations/release.ts';
import { type Answer, ok } from '../answer.ts';
import { askerOf } from '../ask.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, reason, secretName, time, vaultName } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';

const params = fields({ vault: vaultName, secret: secretName });
const releaseBody = fields({ reason });

const view = z.object({
  vault: z.string(),
  secret: z.string(),
  state: z.enum(['planned', 'released', 'waiting']),
  overlapEndsAt: time.optional().describe('An old credential works still; it is ended first, if nobody uses it.'),
  retired: z.array(z.string()).describe('Logins, slots or key ids that were ended now.'),
  sessions: z.array(z.string()).describe('While waiting: who is seen on the old credential.'),
  consumers: z.array(z.string()).describe('While waiting: who has not acknowledged the new version.'),
  versions: z
    .array(z.object({ version: z.string(), tags: z.array(z.string()) }))
    .describe('Names of the tags that are taken away, by version, newest first.'),
  left: z.record(z.string(), z.string()).describe('The tags that stay on the current version.'),
});

type ReleaseCall = Call<z.infer<typeof params>, unknown, z.infer<typeof releaseBody>>;

export function releaseRoutes(deps: ApiDependencies): readonly Route[] {
  const path = '/vaults/{vault}/secrets/{secret}/release';
  return [
    route(
      {
        ...{ id: 'planRelease', method: 'GET', path, needs: 'reader', params, query: fields({}) },
        summary: 'What taking a secret out of Keyturn would do; changes nothing',
        answers: { 200: { description: 'The plan.', schema: view } },
      },
      async ({ path: { vault, secret }, signal }) => {
        const found = vaultOf(deps, vault);
        if (found.kind === 'problem') return found.answer;
        const planned = await planRelease(deps, found.vault, secret, signal);
        if (planned.kind !== 'plan') return refused(planned, secret);
        return ok({ vault, secret, state: 'planned', ...nobody, retired: [], ...viewPlan(planned) });
      },
    ),
    route(
      {
        ...{
          id: 'releaseSecret',
          method: 'POST',
          path,
          needs: 'operator',
          params,
          query: fields({}),
          body: releaseBody,
        },
        summary: 'Take a secret out of Keyturn: end the overlap, take the tags away',
        description:
          'The current credential goes on working, and nobody rotates it any more. While somebody uses the old credential, who is said and nothing is changed.',
        answers: { 200: { description: 'Released, or who is in the way.', schema: view } },
      },
      (call) => askRelease(deps, call),
    ),
  ];
}

async function askRelease(deps: ApiDependencies, call: ReleaseCall): Promise<Answer> {
  const { path, body, caller, log, signal } = call;
  const { vault, secret } = path;
  const found = vaultOf(deps, vault);
  if (found.kind === 'problem') return found.answer;
  const asker = { ...askerOf(caller), reason: body.reason };
  log.info('release-asked', { vault, secret, by: caller.name, reason: body.reason });
  const outcome = await release({ ...deps, log }, found.vault, secret, asker, signal);
  if (outcome.kind === 'waiting') return waiting(outcome);
  if (outcome.kind !== 'released') return refused(outcome, secret);
  const about = { vault, secret, requestedBy: asker.requestedBy, reason: body.reason };
  await recordPause({ ...deps, log }, about, 'paused', 'it was released: its tags were taken away');
  log.info('released', { vault, secret, by: caller.name, versions: outcome.plan.versions.length });
  const { retired, plan } = outcome;
  return ok({ vault, secret, state: 'released', ...nobody, retired: [...retired], ...viewPlan(plan) });
}

const nobody = { sessions: [], consumers: [] };

function viewPlan({ overlap, versions, left }: ReleasePlan) {
  return {
    ...(overlap === undefined ? {} : { overlapEndsAt: overlap.retireBy.toISOString() }),
    versions: versions.map(({ version, taken }) => ({ version, tags: [...taken] })),
    left: { ...left },
  };
}

function waiting({ result }: Extract<Released, { kind: 'waiting' }>): Answer {
  const { vault, secret, retireBy, holding } = result;
  const held = { sessions: [...holding.sessions], consumers: [...holding.consumers] };
  const overlapEndsAt = retireBy.toISOString();
  return ok({ vault, secret, state: 'waiting', overlapEndsAt, ...held, retired: [], versions: [], left: {} });
}

function refused(outcome: Extract<Released, { kind: 'nothing' | 'held' | 'busy' }> | Failure, secret: string): Answer {
  if (isFailure(outcome)) return failureProblem(outcome);
  switch (outcome.kind) {
    case 'nothing':
      return problem('not-managed', `${secret} has no tag of Keyturn's`);
    case 'held':
      return problem('not-now', outcome.detail, { reason: 'unfinished' });
    case 'busy': {
      const headers = { 'retry-after': '10' };
      return problem('not-now', 'a worker is at the secret just now; send it again', { reason: 'busy', headers });
    }
  }
}
