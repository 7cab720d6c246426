/** What happens after an attempt. Source: "Event Grid message delivery and retry". */

export type AttemptOutcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** No answer within the wait, or no connection. `reason` holds no address. */
  | { readonly kind: 'no-answer'; readonly reason: 'timed out' | 'connection failed' };

export type DeadLetterReason =
  | 'MaxDeliveryAttemptsExceeded'
  | 'TimeToLiveExceeded'
  /** An answer that is never tried again. */
  | 'UndeliverableDueToClientError';

export interface RetryPolicy {
  /** 1 to 30. */
  readonly maxDeliveryAttempts: number;
  /** In ms of real time; scaled by the delivery where it is scaled. */
  readonly timeToLiveMs: number;
}

export type NextStep =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason };

const delaysSeconds = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600] as const;
const everyHalfDaySeconds = 43_200;
/** Answers that make the service wait at least that long, in seconds. */
const longerSeconds: Readonly<Record<number, number>> = { 404: 300, 408: 120, 503: 30 };
const neverAgain: readonly number[] = [400, 401, 403, 413];

/** 200 to 204 are success; every other answer, redirects too, is none. */
export function isDelivered(outcome: AttemptOutcome): boolean {
  return outcome.kind === 'answered' && outcome.status >= 200 && outcome.status <= 204;
}

/** Decides after attempt number `attempts`, counted from 1. The time to live is looked at when the next attempt is due. */
export function nextStep(outcome: AttemptOutcome, attempts: number, policy: RetryPolicy): NextStep {
  if (isDelivered(outcome)) return { kind: 'done' };
  if (outcome.kind === 'answered' && neverAgain.includes(outcome.status)) {
    return { kind: 'dead-letter', reason: 'UndeliverableDueToClientError' };
  }
  if (attempts >= policy.maxDeliveryAttempts) return { kind: 'dead-letter', reason: 'MaxDeliveryAttemptsExceeded' };
  const scheduled = delaysSeconds[attempts - 1] ?? everyHalfDaySeconds;
  const least = outcome.kind === 'answered' ? (longerSeconds[outcome.status] ?? 0) : 0;
  return { kind: 'retry', afterMs: Math.max(scheduled, least) * 1000 };
}

/** The name the service gives an outcome in a dead letter. */
export function outcomeName(outcome: AttemptOutcome): string {
  if (outcome.kind === 'no-answer') return outcome.reason === 'timed out' ? 'TimedOut' : 'SocketError';
  const names: Readonly<Record<number, string>> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    408: 'TimedOut',
    413: 'RequestEntityTooLarge',
    429: 'Busy',
    503: 'Busy',
  };
  return names[outcome.status] ?? 'GenericError';
}
