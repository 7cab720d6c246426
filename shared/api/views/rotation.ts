/** A rotation as people see it: who asked, why, each attempt with its steps, and how it stands. */
import * as z from 'zod';
import { type Delivery, deliveryStates } from '../../contract/deliveries.ts';
import { noticeTypes } from '../../contract/notice-types.ts';
import type { RotationRecord } from '../../contract/ports.ts';
import { strategies } from '../../contract/strategy.ts';
import type { Rotated } from '../../engine/rotation/result.ts';
import { type FailureClass, failureKinds } from '../../errors.ts';
import { time } from '../fields.ts';

export const rotationStates = ['queued', 'running', 'retrying', 'rotated', 'skipped', 'failed'] as const;

export const stepView = z.object({ name: z.string(), ms: z.number(), outcome: z.string() }).meta({ id: 'Step' });

const failureView = z
  .object({ code: z.string(), message: z.string(), hint: z.string(), page: z.string() })
  .meta({ id: 'FailureShown' });

export const attemptView = z
  .object({
    rotationId: z.string(),
    outcome: z.enum(['queued', 'running', 'rotated', 'skipped', 'failed', 'retired']),
    reason: z.string(),
    requestedBy: z.string(),
    startedAt: time,
    endedAt: time.optional(),
    from: z.string().optional(),
    to: z.string().optional(),
    failure: failureView.optional(),
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
      .describe('rotated, skipped and failed are final; retrying: it failed and is tried again by itself.'),
    requestedBy: z.string(),
    reason: z.string(),
    from: z.string().optional(),
    to: z.string().optional(),
    login: z.string().optional(),
    strategy: z.enum(strategies).optional(),
    retireBy: time.optional(),
    expiresAt: time.optional(),
    retired: z.boolean().describe('Whether the credential before was proven refused.'),
    failure: failureView.optional(),
    warnings: z.array(z.string()),
    attempts: z.array(attemptView).describe('Newest first.'),
    deliveries: z
      .array(deliveryView)
      .optional()
      .describe('How far its news are with each channel, oldest first. Only where one rotation is shown.'),
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
  const { rotationId, outcome, reason, requestedBy, startedAt, endedAt, from, to, failure, steps } = record;
  return {
    rotationId,
    outcome,
    reason,
    requestedBy,
    startedAt: startedAt.toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(failure === undefined ? {} : { failure: { ...failure, page: `docs/errors/${failure.code}.md` } }),
    steps: steps.map((step) => ({ ...step })),
  };
}

/** As often as the platform delivers a message before it is put aside. */
const mostDeliveries = 5;

/** What all attempts of one rotation say together; undefined where there is none. `records`: newest first. Pure. */
export function viewRotation(records: readonly RotationRecord[]): RotationView | undefined {
  const asked = records.at(-1);
  if (asked === undefined) return undefined;
  const rotations = records.filter((record) => record.outcome !== 'retired' && !isBusy(record));
  const done = rotations.find((record) => record.outcome === 'rotated');
  const newest = done ?? rotations[0] ?? asked;
  const { rotationId, vault, secret, from, to, failure } = newest;
  return {
    rotationId,
    vault,
    secret,
    state: stateOf(newest, rotations),
    requestedBy: asked.requestedBy,
    reason: asked.reason,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    retired: records.some(endedTheOld),
    ...(failure === undefined ? {} : { failure: { ...failure, page: `docs/errors/${failure.code}.md` } }),
    warnings: [],
    attempts: records.map(viewAttempt),
  };
}

/** By itself, or as the last steps of an emergency. */
function endedTheOld(record: RotationRecord): boolean {
  if (record.outcome === 'retired') return true;
  return (
    record.outcome === 'rotated' && record.steps.some((step) => step.name === 'mark' && step.outcome === 'written')
  );
}

/** An attempt that met another at work says nothing of the rotation. */
function isBusy(record: RotationRecord): boolean {
  return record.outcome === 'skipped' && record.reason.startsWith('busy:');
}

const classes: ReadonlyMap<string, FailureClass> = new Map(
  Object.entries(failureKinds).map(([code, kind]) => [code, kind.class]),
);

function stateOf(newest: RotationRecord, rotations: readonly RotationRecord[]): RotationView['state'] {
  switch (newest.outcome) {
    case 'failed': {
      const failed = rotations.filter((record) => record.outcome === 'failed').length;
      const code = newest.failure?.code ?? '';
      const again = (classes.get(code) === 'retry' || code === 'lease-lost') && failed < mostDeliveries;
      return again ? 'retrying' : 'failed';
    }
    case 'retired':
      return 'rotated';
    case 'queued':
    case 'running':
    case 'rotated':
    case 'skipped':
      return newest.outcome;
  }
}

/** What the one who waited is told besides what history has. */
export function viewRotated(known: RotationView, result: Rotated): RotationView {
  const { from, to, login, strategy, retireBy, expiresAt, warnings } = result;
  return {
    ...known,
    ...{ state: 'rotated', from, to, login, strategy, warnings: [...warnings] },
    ...(retireBy === undefined ? {} : { retireBy: retireBy.toISOString() }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
  };
}
