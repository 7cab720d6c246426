/** Putting a secret back under management that lost its tags. */
import * as z from 'zod';
import { isFailure } from '../../errors.ts';
import { adopt } from '../../operations/adopt.ts';
import { recordPause } from '../../operations/pause.ts';
import { ok } from '../answer.ts';
import { askerOf } from '../ask.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, reason, secretName, vaultName } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Route, route } from '../route.ts';

const adopted = z.object({
  vault: z.string(),
  secret: z.string(),
  version: z.string(),
  tags: z.record(z.string(), z.string()).describe('The tags that the version has now.'),
});

export function adoptRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'adoptSecret',
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/adopt',
        needs: 'operator',
        summary: 'Put the tags back on a secret whose newest version lost them',
        description:
          'Takes the tags of the last version that had the tag "rotator". The credential of the newest version is proven by a login first.',
        answers: { 200: { description: 'It is managed again.', schema: adopted } },
        params: fields({ vault: vaultName, secret: secretName }),
        query: fields({}),
        body: fields({ reason }),
      },
      async ({ path, body, caller, log, signal }) => {
        const found = vaultOf(deps, path.vault);
        if (found.kind === 'problem') return found.answer;
        const { vault, secret } = path;
        const outcome = await adopt(deps.engine, found.vault, secret, signal);
        if (isFailure(outcome)) return failureProblem(outcome);
        if (outcome.kind === 'nothing')
          return problem('not-managed', `${secret} is managed already, or no version of it ever had the tag "rotator"`);
        if (outcome.kind === 'busy') {
          const headers = { 'retry-after': '10' };
          return problem('not-now', 'a worker is at the secret just now; send it again', {
            reason: 'busy',
            headers,
            hint: 'Send the same request again after the time in Retry-After.',
          });
        }
        const { version, tags } = outcome;
        const kept = await deps.irregularities.change(path, ({ optedOut: _before, ...rest }) => rest);
        if (isFailure(kept)) log.warn('irregularity-not-kept', { secret, code: kept.code });
        const about = { vault, secret, requestedBy: askerOf(caller).requestedBy, reason: body.reason };
        await recordPause({ ...deps, log }, about, 'resumed', 'its tags were put back');
        log.info('adopted', { vault, secret, version, by: caller.name, reason: body.reason });
        return ok({ vault, secret, version, tags: { ...tags } });
      },
    ),
  ];
}
