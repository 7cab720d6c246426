/** What stands in the way, from an answer of the API (RFC 9457) or from the lack of one. */
import * as z from 'zod';
import type { Exit } from '../exit-codes.ts';
import type { Trouble } from '../trouble.ts';

const problem = z.looseObject({
  code: z.string(),
  detail: z.string(),
  hint: z.string(),
  page: z.string().optional(),
  rotationId: z.string().optional(),
  matched: z.number().optional(),
  errors: z.array(z.looseObject({ in: z.string(), field: z.string(), detail: z.string() })).optional(),
});

const notNow: ReadonlySet<string> = new Set(['not-now', 'not-managed', 'count-differs', 'key-in-work']);

function exitOf(status: number, code: string): Exit {
  if (notNow.has(code)) return 'not-now';
  if (status === 401 || status === 403) return 'refused';
  if (status === 404) return 'not-found';
  return status === 400 || status === 413 || status === 415 ? 'usage' : 'failed';
}

export function readProblem(status: number, json: unknown, url: string): Trouble {
  const read = problem.safeParse(json);
  if (!read.success) return misunderstood(status, url);
  const { code, detail, hint, page, errors = [], rotationId, matched } = read.data;
  return {
    kind: 'trouble',
    exit: exitOf(status, code),
    code,
    message: detail,
    hint,
    ...(page === undefined ? {} : { page }),
    ...(errors.length === 0 ? {} : { more: errors.map((one) => `${one.field} (${one.in}): ${one.detail}`) }),
    ...(rotationId === undefined ? {} : { rotationId }),
    ...(matched === undefined ? {} : { matched }),
  };
}

/** Somebody answered, and it was not Keyturn's API. */
export function misunderstood(status: number, url: string): Trouble {
  const starting = status === 500 || status === 502 || status === 503 || status === 504;
  return {
    kind: 'trouble',
    exit: 'unreachable',
    code: 'not-keyturn',
    message: `${url} answered with status ${status}, and not as Keyturn does`,
    hint: starting
      ? 'The function app does not run as it should: look at its log; docs/on-call/app-down.md says how to go on without it.'
      : 'Check the address: it is that of the function app, like https://keyturn-app.azurewebsites.net.',
    page: 'docs/on-call/app-down.md',
  };
}

/** Node says what went wrong in the cause of the error, or in the first of several where it tried several addresses. */
function reasonOf(error: unknown): { readonly code: string; readonly text: string } {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; depth += 1) {
    if ('code' in at && typeof at.code === 'string') return { code: at.code, text: at.message || at.code };
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return { code: '', text: error instanceof Error ? error.message : 'no answer' };
}

/** Nobody answered. `withinMs`: how long was waited, where that is the reason. */
export function unreachable(url: string, error: unknown, withinMs: number | undefined): Trouble {
  const { code, text } = reasonOf(error);
  const broken = ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'].includes(code);
  const detail = withinMs === undefined ? text : `nothing within ${withinMs / 1000} s`;
  return {
    kind: 'trouble',
    exit: 'unreachable',
    code: broken ? 'connection-broken' : 'api-unreachable',
    message: `${url} gave no answer: ${detail}`,
    hint: 'Check the address and that the function app runs; docs/on-call/app-down.md says how to go on without it.',
    page: 'docs/on-call/app-down.md',
  };
}
