/** The HTTP API as the CLI uses it. Never throws for what the other side does: it is told as a trouble. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { parseJson } from '../../shared/json.ts';
import type { Trouble } from '../trouble.ts';
import { misunderstood, readProblem, unreachable } from './problem.ts';

export interface Access {
  /** Ends with the version of the API, without a slash. */
  readonly url: string;
  /** Headers that say who calls. Asked for each request, because a token runs out. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

export interface Ask<Value> {
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** Segments, not yet escaped. */
  readonly path: readonly string[];
  readonly query?: readonly (readonly [string, string])[];
  readonly body?: unknown;
  readonly schema: z.ZodType<Value>;
  /** Sent again it is the same request: so a lost answer is asked for again. */
  readonly idempotencyKey?: string;
  /** Longest time for the answer, in ms. */
  readonly withinMs?: number;
}

export type Answered<Value> =
  | { readonly kind: 'answer'; readonly value: Value; readonly status: number; readonly retryAfterSeconds?: number }
  | Trouble;

export interface Api {
  readonly url: string;
  ask<Value>(request: Ask<Value>): Promise<Answered<Value>>;
}

/** Pauses before the same request is sent again, in ms. */
const pausesMs = [300, 1_000, 3_000];

const usualMs = 30_000;

/** `signal`: ended by the person. */
export function apiClient(access: Access, signal: AbortSignal): Api {
  return {
    url: access.url,
    ask: async (request) => {
      const again = (request.method ?? 'GET') === 'GET' || request.idempotencyKey !== undefined;
      for (const pauseMs of again ? pausesMs : []) {
        const answer = await once(access, request, signal);
        if (answer.kind === 'answer' || !mayPass(answer)) return answer;
        await sleep(pauseMs, undefined, { signal });
      }
      return once(access, request, signal);
    },
  };
}

/** What may be gone at the next try: a connection that broke, or the same request being taken in just now. */
function mayPass({ code }: Trouble): boolean {
  return code === 'connection-broken' || code === 'key-in-work';
}

async function once<Value>(access: Access, request: Ask<Value>, signal: AbortSignal): Promise<Answered<Value>> {
  const { method = 'GET', path, query = [], body, idempotencyKey, withinMs = usualMs } = request;
  const url = new URL(`${access.url}/${path.map(encodeURIComponent).join('/')}`);
  for (const [name, value] of query) url.searchParams.append(name, value);
  const headers = {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    ...(await access.headers()),
  };
  const timeout = AbortSignal.timeout(withinMs);
  try {
    const response = await fetch(url, {
      method,
      headers,
      // A redirect would take the credential to a place that nobody named.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return read(request, response, await response.text(), access.url);
  } catch (error) {
    if (signal.aborted) throw error;
    return unreachable(access.url, error, timeout.aborted ? withinMs : undefined);
  }
}

function read<Value>(request: Ask<Value>, response: Response, text: string, url: string): Answered<Value> {
  const { status } = response;
  const json = parseJson(text);
  if (!response.ok) return readProblem(status, json, url);
  const value = request.schema.safeParse(json);
  if (!value.success) return misunderstood(status, url);
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return {
    kind: 'answer',
    value: value.data,
    status,
    ...(Number.isFinite(seconds) && seconds >= 0 ? { retryAfterSeconds: seconds } : {}),
  };
}
