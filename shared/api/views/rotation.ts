/** A rotation as people see it: who asked, why, each attempt with its steps, and how it stands. */
import * as z from 'zod';
import { type Delivery, deliveryStates } from '../../contract/deliveries.ts';
import { noticeTypes } from '../../contract/notice-types.ts';
import { type RotationRecord, recordOutcomes } from '../../contract/ports.ts';
import { strategies } from '../../contract/strategy.ts';
import { skipReasons } from '../../engine/policy/due.ts';
import { nextStepOf } from '../../engine/policy/next-step.ts';
import type { Rotated } from '../../engine/rotation/result.ts';
import { time } from '../fields.ts';
import { approvalView } from './approval.ts';

export const rotationStates = [
  'awaiting-approval',
  'queued',
  'running',
  'retrying',
  'rotated',
  'skipped',
  'failed',
] as const;

export const stepView = z.object({ name: z.string(), ms: z.number(), outcome: z.string() }).meta({ id: 'Step' });

const failureView = z
  .object({ code: z.string(), message: z.string(), hint: z.string(), page: z.string() })
  .meta({ id: 'FailureShown' });

export const attemptView = z
  .object({
    rotationId: z.string(),
    activity: z.enum(['rotation', 'retirement']),
    outcome: z.enum(recordOutcomes).describe('awaiting-approval, queued, running and retrying are not final.'),
    reason: z.string().describe('Why: the reason that was given, or what made it due.'),
    detail: z.string().optional().describe('What became of it, in a sentence.'),
    hint: z.string().optional().describe('What to do next, where nothing was changed.'),
    requestedBy: z.string(),
    startedAt: time,
    endedAt: time.optional(),
    from: z.string().optional(),
    to: z.string().optional(),
    login: z.string().optional().describe('Login, slot or key id of the version that it made.'),
    failure: failureView.optional(),
    nextTryAt: time.optional(),
    warnings: z.array(z.string()).optional(),
    steps: z.array(stepView),
  })
  .meta({ id: 'Attempt' });
export type AttemptView = z.infer<typeof attemptView>;

export const deliveryView = z
  .object({
    channel: z.string(),
    type: z.enum(noticeTypes),
    state: z.enum(deliveryStates),
    attempts: z.int(),
    firstAt: time,
    lastAt: time.optional(),
    nextAt: time.optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'Delivery' });

export const rotationView = z
  .object({
    rotationId: z.string(),
    vault: z.string(),
    secret: z.string(),
    state: z
      .enum(rotationStates)
      .describe(
        'rotated, skipped and failed are final; retrying: it failed or met another worker, and is tried again; awaiting-approval: nothing is done until a second person approves it.',
      ),
    requestedBy: z.string(),
    reason: z.string(),
    detail: z.string().optional().describe('What became of it, in a sentence; of one that failed: how far it came.'),
    hint: z.string().optional().describe('What to do next, where nothing was changed.'),
    from: z.string().optional(),
    to: z.string().optional().describe('The new version; with failed: it is current, and what comes after it failed.'),
    nextTryAt: time.optional(),
    login: z.string().optional(),
    strategy: z.enum(strategies).optional(),
    retireBy: time.optional(),
    expiresAt: time.optional(),
    retired: z.boolean().describe('Whether the previous credential was proven refused.'),
    failure: failureView.optional(),
    warnings: z.array(z.string()),
    approval: approvalView.optional().describe('With awaiting-approval: what waits, and until when.'),
    attempts: z.array(attemptView).describe('Newest first.'),
    deliveries: z
      .array(deliveryView)
      .optional()
      .describe('The messages to each channel and their state, oldest first. Only where one rotation is shown.'),
  })
  .meta({ id: 'Rotation' });
export type RotationView = z.infer<typeof rotationView>;

export function viewDelivery(delivery: Delivery): z.infer<typeof deliveryView> {
  const { channel, type, state, attempts, firstAt, lastAt, nextAt, detail } = delivery;
  return {
    ...{ channel, type, state, attempts, firstAt: firstAt.toISOString() },
    ...(lastAt === undefined ? {} : { lastAt: lastAt.toISOString() }),
    ...(nextAt === undefined ? {} : { nextAt: nextAt.toISOString() }),
    ...(detail === undefined ? {} : { detail }),
  };
}

export function viewAttempt(record: RotationRecord): AttemptView {
  const { rotationId, activity, outcome, reason, requestedBy, startedAt, endedAt, failure, warnings, steps } = record;
  return {
    ...{ rotationId, activity, outcome, reason, requestedBy, startedAt: startedAt.toISOString() },
    ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
    ...becameOf(record),
    ...(failure === undefined ? {} : { failure: viewFailure(failure) }),
    ...(warnings === undefined ? {} : { warnings: [...warnings] }),
    steps: steps.map((step) => ({ ...step })),
  };
}

function becameOf(record: RotationRecord) {
  const { detail, from, to, login, nextTryAt } = record;
  return {
    ...(detail === undefined ? {} : { detail }),
    ...hintField(record),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(login === undefined ? {} : { login }),
    ...(nextTryAt === undefined ? {} : { nextTryAt: nextTryAt.toISOString() }),
  };
}

/** The detail of what was left begins with the reason. */
function hintField({ outcome, detail = '', secret }: RotationRecord): { readonly hint?: string } {
  const reason = outcome === 'skipped' ? skipReasons.find((one) => detail.startsWith(`${one}:`)) : undefined;
  return reason === undefined ? {} : { hint: nextStepOf(reason, secret) };
}

function viewFailure(failure: NonNullable<RotationRecord['failure']>): z.infer<typeof failureView> {
  return { ...failure, page: `docs/errors/${failure.code}.md` };
}

/** What all attempts of one rotation say together; undefined where there is none. `records`: newest first. Pure. */
export function viewRotation(records: readonly RotationRecord[]): RotationView | undefined {
  const asked = records.at(-1);
  if (asked === undefined) return undefined;
  const rotations = records.filter((record) => record.activity === 'rotation' && !isBusy(record));
  const done = rotations.find((record) => record.outcome === 'rotated');
  const newest = done ?? rotations[0] ?? asked;
  const { rotationId, vault, secret, failure, warnings = [] } = newest;
  return {
    ...{ rotationId, vault, secret, state: stateOf(newest) },
    ...{ requestedBy: asked.requestedBy, reason: asked.reason },
    ...becameOf(newest),
    retired: records.some(endedTheOld),
    ...(failure === undefined ? {} : { failure: viewFailure(failure) }),
    warnings: [...warnings],
    attempts: records.map(viewAttempt),
  };
}

/** By itself, or as the last steps of an emergency. */
function endedTheOld({ outcome, steps }: RotationRecord): boolean {
  if (outcome === 'retired') return true;
  return outcome === 'rotated' && steps.some((step) => step.name === 'mark' && step.outcome === 'written');
}

/** An attempt that met another at work says nothing of the rotation. */
function isBusy({ outcome, detail = '' }: RotationRecord): boolean {
  return outcome === 'retrying' && detail.startsWith('busy:');
}

function stateOf({ outcome }: RotationRecord): RotationView['state'] {
  switch (outcome) {
    // Of an old rotation only the end of what it replaced may be left.
    case 'waiting':
    case 'retired':
    case 'paused':
    case 'resumed':
    case 'tagged':
    case 'rehearsed':
      return 'rotated';
    default:
      return outcome;
  }
}

/** What the one who waited is told besides what history has. */
export function viewRotated(known: RotationView, result: Rotated): RotationView {
  const { from, to, login, strategy, retireBy, expiresAt, warnings } = result;
  return {
    ...known,
    ...{ state: 'rotated', from, to, strategy, warnings: [...warnings] },
    ...(login === undefined ? {} : { login }),
    ...(retireBy === undefined ? {} : { retireBy: retireBy.toISOString() }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
  };
}
