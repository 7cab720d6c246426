/** Waiting and trying again, inside the client's pipeline: there it holds for every page of a listing too. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PipelinePolicy, PipelineRequest, PipelineResponse, SendRequest } from '@azure/core-rest-pipeline';
import { retryAfterSeconds } from '../http/retry-after.ts';
import type { LastAnswer } from './fault.ts';
import { nextOf } from './listing.ts';

/** One call of the client: what it may take, and what was seen of it. The client passes no signal on to later pages, so it goes this way. */
export class VaultCall {
  readonly signal: AbortSignal;
  /** The vault's clock at its last answer. */
  readAt: Date | undefined;
  last: LastAnswer | undefined;
  /** Where the next page of a listing begins, if that was asked for: the client keeps it to itself. */
  next: string | undefined;
  readonly #wantsNext: boolean;

  constructor(signal: AbortSignal, wantsNext = false) {
    this.signal = signal;
    this.#wantsNext = wantsNext;
  }

  note(response: PipelineResponse): void {
    const { status, bodyAsText: body } = response;
    if (this.#wantsNext && status === 200 && body) this.next = nextOf(body);
  }
}

/** Waits; ends early, without an error, when the signal aborts. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export interface CallPolicyOptions {
  readonly pause: Pause;
  /** From 0 up to 1. */
  readonly random: () => number;
}

// The service's own advice: 1, 2, 4, 8, 16 s. Full jitter, because many workers were throttled by the same burst.
const backOffSeconds = [1, 2, 4, 8, 16] as const;
// Longer than this the work goes back to the queue instead of holding a lease.
const longestWaitSeconds = 60;
const readTries = 3;

// A GET changes nothing, and PATCH says what shall be rather than what to add: both may be sent again after a lost answer. Each PUT
// makes a version, so a PUT whose answer was lost is never sent again: the engine looks first.
function maySendAgain(request: PipelineRequest): boolean {
  return request.method === 'GET' || request.method === 'PATCH';
}

function note(call: VaultCall, response: PipelineResponse): void {
  call.note(response);
  const date = response.headers.get('date');
  const readAt = date === undefined ? Number.NaN : Date.parse(date);
  call.readAt = Number.isNaN(readAt) ? undefined : new Date(readAt);
  const wait = retryAfterSeconds(response.headers.get('retry-after'), call.readAt ?? new Date());
  call.last = {
    status: response.status,
    // Only an error's body is kept: that of a success holds the value.
    body: response.status >= 400 ? (response.bodyAsText ?? '') : '',
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  };
}

/** Throttling is waited out for any method: a request that was refused for it was not processed. */
export class CallPolicy implements PipelinePolicy {
  readonly name = 'keyturnCallPolicy';
  readonly #calls = new AsyncLocalStorage<VaultCall>();
  readonly #options: CallPolicyOptions;

  constructor(options: CallPolicyOptions) {
    this.#options = options;
  }

  run<T>(call: VaultCall, work: () => Promise<T>): Promise<T> {
    return this.#calls.run(call, work);
  }

  async sendRequest(request: PipelineRequest, next: SendRequest): Promise<PipelineResponse> {
    const call = this.#calls.getStore();
    if (call === undefined) return next(request);
    request.abortSignal ??= call.signal;
    let throttled = 0;
    for (let tries = 1; ; ) {
      const outcome = await this.#once(call, request, next);
      const waitMs =
        outcome.kind === 'throttled'
          ? this.#throttleWaitMs(throttled++, call.last?.retryAfterSeconds)
          : outcome.kind === 'failed' && maySendAgain(request) && tries++ < readTries
            ? this.#options.random() * 500 * tries
            : undefined;
      if (waitMs === undefined || call.signal.aborted) return settle(outcome);
      await this.#options.pause(waitMs, call.signal);
      if (call.signal.aborted) return settle(outcome);
    }
  }

  async #once(call: VaultCall, request: PipelineRequest, next: SendRequest): Promise<SendOutcome> {
    call.last = undefined;
    try {
      const response = await next(request);
      note(call, response);
      if (response.status === 429) return { kind: 'throttled', response };
      return response.status >= 500 ? { kind: 'failed', response } : { kind: 'answered', response };
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  #throttleWaitMs(waits: number, askedSeconds: number | undefined): number | undefined {
    const backOff = backOffSeconds[waits];
    if (backOff === undefined) return undefined;
    if (askedSeconds === undefined) return this.#options.random() * backOff * 1000;
    // Everybody was told the same second; a little more spreads them.
    return askedSeconds > longestWaitSeconds ? undefined : askedSeconds * 1000 + this.#options.random() * 500;
  }
}

type SendOutcome =
  | { readonly kind: 'answered' | 'throttled'; readonly response: PipelineResponse }
  | { readonly kind: 'failed'; readonly response: PipelineResponse }
  | { readonly kind: 'failed'; readonly error: unknown };

function settle(outcome: SendOutcome): PipelineResponse {
  if ('response' in outcome) return outcome.response;
  throw outcome.error;
}
