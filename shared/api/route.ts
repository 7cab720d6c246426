/** One route: what it takes, who may ask, what it answers. The router, the checks and the OpenAPI document all come from here. */
import * as z from 'zod';
import type { Role } from '../contract/access.ts';
import type { Log } from '../telemetry.ts';
import type { Answer } from './answer.ts';
import type { Caller, Place } from './caller.ts';
import { type FieldError, problem } from './problem.ts';

export type Method = 'GET' | 'POST' | 'PUT';

/** What a handler works with: everything in it has been checked. */
export interface Call<Path, Query, Body> {
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** The caller's `Idempotency-Key`. */
  readonly idempotencyKey: string | undefined;
  /** The caller's `If-None-Match`: the tags of what it has already. */
  readonly ifNoneMatch?: string | undefined;
  /**
   * Refuses, and writes down, where a field asks for more than the route does; undefined: go on. `where`: the secret that a body names; absent:
   * what the route itself is about.
   */
  readonly demand: (role: Role, where?: Place) => Answer | undefined;
  /** Whether the caller may read of a secret. What it may not is left out of what covers many. */
  readonly sees: (where: Place) => boolean;
  /** The request was approved by a second person: the id of its approval, and of its rotation, and when it was asked for. */
  readonly approved?: { readonly id: string; readonly at: Date };
  readonly log: Log;
  /** Aborts when the answer would come too late. */
  readonly signal: AbortSignal;
}

interface AnswerFacts {
  readonly description: string;
  readonly schema: z.ZodType;
  /** Media type, where it is no JSON. */
  readonly type?: 'text/html';
}

/** What every route says of itself. */
export interface RouteFacts {
  /** Name of the operation in generated clients: it stays as it is, whatever becomes of the path. */
  readonly id: string;
  readonly method: Method;
  /** Below `/api/v1`, with `{name}` for what varies. */
  readonly path: `/${string}`;
  /** Who may ask at least; `anybody` needs no credential. */
  readonly needs: Role | 'anybody';
  /**
   * What the role must hold for, where the path names no secret. `each`: the route looks at every secret that it tells of or works on. Absent:
   * it concerns all of them, so a role with bounds is not enough.
   */
  readonly covers?: 'each';
  /** For the document: one line, and more where one does not say it. */
  readonly summary: string;
  readonly description?: string;
  /** Answers besides problems, by status. */
  readonly answers: Readonly<Record<number, AnswerFacts>>;
  /** Whether `Idempotency-Key` is honoured. */
  readonly idempotent?: boolean;
  /** Whether the key may stand in the address as `code`, for callers that can send no header. */
  readonly keyInAddress?: boolean;
}

interface RouteOptions<Path, Query, Body> extends RouteFacts {
  readonly params: z.ZodType<Path>;
  readonly query: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
}

/** What came in, before it is checked. */
export interface RawCall extends Omit<Call<unknown, unknown, unknown>, 'body'> {
  /** Parsed JSON; undefined where the method takes none. */
  readonly body: unknown;
}

/** A route as the server sees it, whatever it takes. */
export interface Route extends RouteFacts {
  readonly schemas: { readonly params: z.ZodType; readonly query: z.ZodType; readonly body: z.ZodType | undefined };
  readonly run: (raw: RawCall) => Promise<Answer>;
}

/** Ties a handler to what its route takes: it never sees anything that was not checked. */
export function route<Path, Query, Body = undefined>(
  { params, query, body, ...facts }: RouteOptions<Path, Query, Body>,
  handle: (call: Call<Path, Query, Body>) => Promise<Answer>,
): Route {
  return {
    ...facts,
    schemas: { params, query, body },
    run: async (raw) => {
      const path = params.safeParse(raw.path);
      const asked = query.safeParse(raw.query);
      const sent = (body ?? nothing<Body>()).safeParse(raw.body);
      if (!path.success || !asked.success || !sent.success) {
        const errors = [
          ...fieldErrors('path', path.error),
          ...fieldErrors('query', asked.error),
          ...fieldErrors('body', sent.error),
        ];
        return invalid(errors);
      }
      return handle({ ...raw, path: path.data, query: asked.data, body: sent.data });
    },
  };
}

/** For routes without a body: whatever is there is left aside. */
function nothing<Body>(): z.ZodType<Body> {
  return z.custom<Body>(() => true);
}

export function invalid(errors: readonly FieldError[]): Answer {
  const detail = errors.map((error) => `${error.field}: ${error.detail}`).join('; ');
  return problem('request-invalid', detail.slice(0, 1000), { errors: [...errors] });
}

const longestFieldName = 64;

function fieldErrors(where: FieldError['in'], error: z.ZodError | undefined): FieldError[] {
  return (error?.issues ?? []).slice(0, 20).flatMap((issue) => {
    const path = issue.path.map(String);
    const allowed = issue.code === 'invalid_value' ? { allowed: issue.values.map(String) } : {};
    const names = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 20) : [undefined];
    return names.map((name) => {
      const field = [...path, ...(name === undefined ? [] : [name])].join('.').slice(0, longestFieldName);
      return { in: where, field: field === '' ? where : field, detail: issue.message, ...allowed };
    });
  });
}
