/** The end of an old credential, now. */
import * as z from 'zod';
import { afterLeaseMs } from '../../contract/ports.ts';
import { nextStepOf } from '../../engine/policy/next-step.ts';
import { readStamp } from '../../engine/policy/stamp.ts';
import type { RetirementResult } from '../../engine/retirement/result.ts';
import { isFailure } from '../../errors.ts';
import { performRetirement } from '../../operations/perform.ts';
import { retirementsQueue } from '../../operations/queues.ts';
import { type Answer, ok } from '../answer.ts';
import { askerOf } from '../ask.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { breakGlass, fields, reason, secretName, time, vaultName } from '../fields.ts';
import { withFourEyes } from '../four-eyes.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { approvalView } from '../views/approval.ts';
import { stepView } from '../views/rotation.ts';
import { versionsOf } from './inspect.ts';

const params = fields({ vault: vaultName, secret: secretName });

export const retireBody = fields({ reason, force: z.boolean('takes true or false').default(false), breakGlass });

const retired = z.object({
  rotationId: z.string(),
  vault: z.string(),
  secret: z.string(),
  state: z.enum(['retired', 'waiting', 'awaiting-approval']),
  evidence: z.string().optional().describe('What allowed it: free, asked, deadline or emergency.'),
  sessions: z.array(z.string()).describe('Who was cut; while waiting: who is seen on the old credential.'),
  consumers: z.array(z.string()).describe('Consumers that have not acknowledged the new version.'),
  logins: z.array(z.string()).describe('Logins, slots or key ids that are dead now.'),
  sessionsEnded: z.int().optional(),
  sessionsGoOn: z.int().optional().describe('Sessions that go on although the old credential is refused.'),
  proofs: z
    .array(z.string())
    .optional()
    .describe(
      'How it is known that the old credential is refused, where no login was tried because a failed one is punished.',
    ),
  retireBy: time.optional(),
  approval: approvalView.optional().describe('With awaiting-approval: what waits, and until when.'),
  steps: z.array(stepView),
});

type RetireCall = Call<z.infer<typeof params>, unknown, z.infer<typeof retireBody>>;

export function retireRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'retireCredential',
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/retire',
        needs: 'operator',
        summary: 'End the old credential now, if nobody is seen using it',
        description:
          'While it is in use, the answer says by whom and nothing is changed. `force` ends it and its sessions all the same, and needs the role emergency.',
        answers: {
          200: { description: 'Retired and proven refused, or who is in the way.', schema: retired },
          202: { description: 'It waits for a second person.', schema: retired },
        },
        params,
        query: fields({}),
        body: retireBody,
      },
      (call) => askRetire(deps, call),
    ),
  ];
}

/** Ends the old credential now; with `force` it waits for a second person where the settings say so. */
export async function askRetire(deps: ApiDependencies, call: RetireCall): Promise<Answer> {
  const { path, body } = call;
  const denied = body.force ? call.demand('emergency') : undefined;
  if (denied !== undefined) return denied;
  return withFourEyes(
    deps,
    call,
    // It ends sessions at once, as an emergency does.
    { action: 'retire', kinds: body.force ? ['force', 'emergency'] : [], place: path, body },
    (allowed) => retireNow(deps, allowed),
    (approval) => ({
      ...{ rotationId: approval.approvalId, ...path, state: 'awaiting-approval', approval },
      ...{ sessions: [], consumers: [], logins: [], steps: [] },
    }),
  );
}

async function retireNow(deps: ApiDependencies, { path, body, caller, log, signal }: RetireCall): Promise<Answer> {
  const found = vaultOf(deps, path.vault);
  if (found.kind === 'problem') return found.answer;
  const versions = await versionsOf(found.vault, path.secret, signal);
  if (isFailure(versions)) return failureProblem(versions);
  const stamp = readStamp(versions.newest.tags);
  if (stamp === undefined)
    return problem('not-now', 'the current version was not made by Keyturn, so no old credential is known', {
      hint: `Nothing to do here: end the old credential at the target, or run "keyturn rotate ${path.secret}" to have one that Keyturn ends.`,
    });
  const { vault, secret } = { vault: path.vault, secret: path.secret };
  const mode = body.force ? ('emergency' as const) : ('asked' as const);
  const asker = { ...askerOf(caller), reason: body.reason };
  const request = { vault, secret, rotationId: stamp.rotationId, mode, ...asker };
  log.info('retirement-asked', { vault, secret, by: caller.name, reason: body.reason, force: body.force });
  // Sessions are cut while this runs: a crash in between must not leave the credential alive until its deadline.
  const queued = body.force
    ? await deps.queues.enqueue(retirementsQueue, request, { secret, delayMs: afterLeaseMs })
    : undefined;
  if (queued !== undefined && isFailure(queued)) return failureProblem(queued);
  const result = await performRetirement({ ...deps, log }, request);
  // What is not over comes back with the message that waits in the queue.
  if (result.tryAgainMs === undefined) await queued?.withdraw?.();
  return answerOf(result);
}

function answerOf(result: RetirementResult): Answer {
  const { rotationId, vault, secret } = result;
  const steps = result.steps.map((step) => ({ ...step }));
  const about = { rotationId, vault, secret, steps };
  switch (result.kind) {
    case 'retired': {
      const { evidence, cut, sessionsEnded, sessionsGoOn } = result;
      const held = { sessions: [...cut.sessions], consumers: [...cut.consumers] };
      const lists = { logins: [...result.logins], proofs: [...result.proofs] };
      return ok({ ...about, state: 'retired', evidence, ...held, ...lists, sessionsEnded, sessionsGoOn });
    }
    case 'waiting': {
      const held = { sessions: [...result.holding.sessions], consumers: [...result.holding.consumers] };
      return ok({ ...about, state: 'waiting', ...held, logins: [], retireBy: result.retireBy.toISOString() });
    }
    case 'skipped':
      return problem('not-now', result.detail, {
        ...{ reason: result.reason, rotationId, steps },
        hint: nextStepOf(result.reason, result.secret),
      });
    case 'failed':
      return failureProblem(result.failure, { rotationId, steps });
  }
}
