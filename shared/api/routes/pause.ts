/** No automatic work on one secret, and its end. */
import * as z from 'zod';
import { parseDuration } from '../../config/duration.ts';
import type { Vault } from '../../contract/ports.ts';
import { activities, type Trouble } from '../../contract/state.ts';
import type { Pause } from '../../engine/policy/requested.ts';
import { isRetirementOpen, readStamp } from '../../engine/policy/stamp.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { type Changed, changeRequested, recordPause } from '../../operations/pause.ts';
import { retirementsQueue, rotationsQueue } from '../../operations/queues.ts';
import { healed } from '../../operations/settle.ts';
import { type Answer, ok } from '../answer.ts';
import { askerOf } from '../ask.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, reason, secretName, time, vaultName } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Call, invalid, type Route, route } from '../route.ts';

const params = fields({ vault: vaultName, secret: secretName });

const takes = 'takes a time like 2026-03-01T06:00:00Z or a duration like PT12H or P3D';

/** A time, or how long from now. */
const until = z
  .string({ error: takes })
  .transform((text, context): { readonly at: Date } | { readonly afterMs: number } => {
    const at = z.iso.datetime({ offset: true }).safeParse(text);
    if (at.success) return { at: new Date(at.data) };
    const duration = parseDuration(text);
    if (duration.kind === 'duration' && duration.ms > 0) return { afterMs: duration.ms };
    context.addIssue({ code: 'custom', message: takes });
    return z.NEVER;
  });

const paused = z.object({
  vault: z.string(),
  secret: z.string(),
  pausedBy: z.string(),
  pausedUntil: time.optional().describe('Absent: until somebody resumes it.'),
});

const resumed = z.object({
  vault: z.string(),
  secret: z.string(),
  wasPaused: z.boolean().describe('Whether a person had paused it.'),
  failuresBefore: z.int().describe('Failures that are forgotten now.'),
});

const pauseBody = fields({ reason, until: until.optional() });
const resumeBody = fields({ reason });

type PauseCall = Call<z.infer<typeof params>, unknown, z.infer<typeof pauseBody>>;
type ResumeCall = Call<z.infer<typeof params>, unknown, z.infer<typeof resumeBody>>;

export function pauseRoutes(deps: ApiDependencies): readonly Route[] {
  const common = { method: 'POST', needs: 'operator', params, query: fields({}) } as const;
  return [
    route(
      {
        ...common,
        id: 'pauseSecret',
        path: '/vaults/{vault}/secrets/{secret}/pause',
        summary: 'Start no automatic rotation of one secret, until it is resumed or a time has come',
        description:
          'The pause stands as a tag on the secret. What a person asks for is still done, what stopped halfway is finished, and old credentials still end at their deadline.',
        answers: { 200: { description: 'Paused.', schema: paused } },
        body: pauseBody,
      },
      (call) => pause(deps, call),
    ),
    route(
      {
        ...common,
        id: 'resumeSecret',
        path: '/vaults/{vault}/secrets/{secret}/resume',
        summary: 'End a pause, forget failures, and have the secret looked at again',
        answers: { 200: { description: 'It is rotated if it is due.', schema: resumed } },
        body: resumeBody,
      },
      (call) => resume(deps, call),
    ),
  ];
}

async function pause(deps: ApiDependencies, { path, body, caller, log, signal }: PauseCall): Promise<Answer> {
  const found = vaultOf(deps, path.vault);
  if (found.kind === 'problem') return found.answer;
  const { vault, secret } = path;
  const at = deps.now();
  const end = endOf(body.until, at);
  if (end !== undefined && end <= at)
    return invalid([{ in: 'body', field: 'until', detail: `lies in the past; ${takes}` }]);
  const standing: Pause = { by: caller.id, at, ...(end === undefined ? {} : { until: end }) };
  const changed = await change(deps, found.vault, secret, standing, signal);
  if (changed.kind !== 'changed') return refused(changed, secret);
  const pausedUntil = end?.toISOString();
  const about = { vault, secret, requestedBy: askerOf(caller).requestedBy, reason: body.reason };
  await recordPause({ ...deps, log }, about, 'paused', pausedUntil === undefined ? '' : `until ${pausedUntil}`);
  log.info('paused', { vault, secret, by: caller.name, reason: body.reason, until: pausedUntil });
  return ok({ vault, secret, pausedBy: caller.id, ...(pausedUntil === undefined ? {} : { pausedUntil }) });
}

function endOf(given: z.infer<typeof until> | undefined, now: Date): Date | undefined {
  if (given === undefined) return undefined;
  return 'at' in given ? given.at : new Date(now.getTime() + given.afterMs);
}

/** `paused` undefined: none is to stand. An emergency that stands stays. */
function change(
  deps: ApiDependencies,
  vault: Vault,
  secret: string,
  paused: Pause | undefined,
  signal: AbortSignal,
): Promise<Changed> {
  const standing = paused === undefined ? {} : { paused };
  return changeRequested(deps, vault, secret, ({ paused: _before, ...rest }) => ({ ...rest, ...standing }), signal);
}

function refused(changed: Exclude<Changed, { kind: 'changed' }>, secret: string): Answer {
  switch (changed.kind) {
    case 'failed':
      return failureProblem(changed);
    case 'opted-out':
      return problem('not-managed', `${secret} has no tag "rotator"`);
    case 'busy': {
      const headers = { 'retry-after': '10' };
      return problem('not-now', 'a worker is at the secret just now; send it again', {
        reason: 'busy',
        headers,
        hint: 'Send the same request again after the time in Retry-After.',
      });
    }
  }
}

async function resume(deps: ApiDependencies, { path, body, caller, log, signal }: ResumeCall): Promise<Answer> {
  const found = vaultOf(deps, path.vault);
  if (found.kind === 'problem') return found.answer;
  const { vault, secret } = path;
  const changed = await change(deps, found.vault, secret, undefined, signal);
  if (changed.kind !== 'changed') return refused(changed, secret);
  const trouble = await deps.attention.of(vault, secret);
  if (isFailure(trouble)) return failureProblem(trouble);
  await healed({ ...deps, log }, path, trouble, activities);
  const asker = { ...askerOf(caller), reason: body.reason };
  const untold = await lookAgain(deps, path, changed, asker);
  if (untold !== undefined) return failureProblem(untold);
  const failuresBefore = failuresOf(trouble);
  const wasPaused = changed.before.paused !== undefined;
  const about = { vault, secret, requestedBy: asker.requestedBy, reason: body.reason };
  await recordPause({ ...deps, log }, about, 'resumed', `${failuresBefore} failures forgotten`);
  log.info('resumed', { vault, secret, by: caller.name, reason: body.reason });
  return ok({ vault, secret, wasPaused, failuresBefore });
}

function failuresOf(trouble: Trouble): number {
  return activities.reduce((sum, activity) => sum + (trouble[activity]?.failures ?? 0), 0);
}

/** What waited goes on now and not with the next sweep. */
async function lookAgain(
  deps: ApiDependencies,
  { vault, secret }: z.infer<typeof params>,
  { current }: Extract<Changed, { kind: 'changed' }>,
  asker: { readonly requestedBy: string; readonly requestedById: string; readonly reason: string },
): Promise<Failure | undefined> {
  const about = { vault, secret, mode: 'scheduled' as const, ...asker };
  const looked = await deps.queues.enqueue(rotationsQueue, about, { secret });
  if (isFailure(looked)) return looked;
  const stamp = readStamp(current.tags);
  if (!isRetirementOpen(stamp) || deps.now() < stamp.retireBy) return undefined;
  const ended = await deps.queues.enqueue(retirementsQueue, { ...about, rotationId: stamp.rotationId }, { secret });
  return isFailure(ended) ? ended : undefined;
}
