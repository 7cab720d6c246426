/** The API, asked with the cookie of App Service authentication, or with a key that is kept in memory and nowhere else. */
import type * as z from 'zod/mini';
import { problem } from '../model/shapes.ts';

export interface Problem {
  readonly kind: 'problem';
  /** 0: the app gave no answer. */
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
}

export interface SignedOut {
  readonly kind: 'signed-out';
  /** Where a person signs in; absent: with a key only. */
  readonly signIn?: string;
  readonly detail: string;
}

export type Answered<Value> =
  | { readonly kind: 'ok'; readonly value: Value; readonly etag: string | undefined }
  | { readonly kind: 'unchanged' }
  | SignedOut
  | Problem;

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly body?: unknown;
  /** What is there already. */
  readonly etag?: string | undefined;
  /** The same for the same request, so that sending it again asks once. */
  readonly idempotencyKey?: string;
}

export interface Client {
  /** Undefined: none, the cookie decides. */
  useKey(key: string | undefined): void;
  hasKey(): boolean;
  ask<Value>(path: string, shape: z.ZodMiniType<Value>, asked?: Asked): Promise<Answered<Value>>;
  /** The answer itself, for what is read as it comes. */
  open(
    path: string,
    etag: string | undefined,
  ): Promise<Response | SignedOut | Problem | { readonly kind: 'unchanged' }>;
}

/** `signedOut` is called whenever the app does not know the caller any more. */
export function makeClient(signedOut: (how: SignedOut) => void): Client {
  let key: string | undefined;

  async function send(path: string, asked: Asked): Promise<Response | SignedOut | Problem> {
    const { method = 'GET', body, etag, idempotencyKey } = asked;
    const headers = new Headers();
    if (key !== undefined) headers.set('x-keyturn-key', key);
    if (etag !== undefined) headers.set('if-none-match', etag);
    if (idempotencyKey !== undefined) headers.set('idempotency-key', idempotencyKey);
    if (method !== 'GET') headers.set('content-type', 'application/json');
    const sent = method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) };
    try {
      // A redirect could only lead to a sign-in page, which the page itself goes to.
      const answer = await fetch(`/api/v1${path}`, { method, headers, redirect: 'error', cache: 'no-store', ...sent });
      return answer.ok || answer.status === 304 ? answer : await refused(answer, signedOut);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return noAnswer();
    }
  }

  return {
    useKey(given) {
      key = given;
    },
    hasKey: () => key !== undefined,
    async ask(path, shape, asked = {}) {
      const answer = await send(path, asked);
      if (!(answer instanceof Response)) return answer;
      if (answer.status === 304) return { kind: 'unchanged' };
      const parsed = shape.safeParse(await jsonOf(answer));
      if (!parsed.success) return unreadable(answer.status);
      return { kind: 'ok', value: parsed.data, etag: answer.headers.get('etag') ?? undefined };
    },
    async open(path, etag) {
      const answer = await send(path, { etag });
      return answer instanceof Response && answer.status === 304 ? { kind: 'unchanged' } : answer;
    },
  };
}

async function refused(answer: Response, signedOut: (how: SignedOut) => void): Promise<SignedOut | Problem> {
  const { status } = answer;
  const parsed = problem.safeParse(await jsonOf(answer));
  if (!parsed.success) return unreadable(status);
  const { title, detail, hint, signIn } = parsed.data;
  if (status !== 401) return { kind: 'problem', status, title, detail, hint };
  const out: SignedOut = { kind: 'signed-out', detail, ...(signIn === undefined ? {} : { signIn }) };
  signedOut(out);
  return out;
}

/** Undefined where it is none, which no shape takes. */
async function jsonOf(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof DOMException) return undefined;
    throw error;
  }
}

function noAnswer(): Problem {
  const hint = 'Look at your connection, and at the page docs/on-call/app-down.md.';
  return {
    kind: 'problem',
    status: 0,
    title: 'The app gave no answer',
    detail: 'The request did not get through.',
    hint,
  };
}

function unreadable(status: number): Problem {
  const detail = `The answer (HTTP ${status}) is none of this version of the dashboard.`;
  return { kind: 'problem', status, title: 'The answer cannot be read', detail, hint: 'Load the page again.' };
}
