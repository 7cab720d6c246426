/** Every problem the API itself can answer with, as RFC 9457 says. docs/api.md has the same table for people; a test compares them. */
import * as z from 'zod';
import type { Failure } from '../errors.ts';
import type { Answer } from './answer.ts';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What to do, as an order. */
  readonly hint: string;
}

export const problemKinds = {
  'not-authenticated': {
    status: 401,
    title: 'Nobody was proven to be calling',
    hint: 'Send a bearer token of the configured tenant, or a key in the header x-keyturn-key.',
  },
  'credential-refused': {
    status: 401,
    title: 'The credential was refused',
    hint: 'Get a new token for the audience of this app, or use a key that is in KEYTURN_API_KEYS.',
  },
  'access-not-configured': {
    status: 401,
    title: 'No access is configured',
    hint: 'Set KEYTURN_API_KEYS, or KEYTURN_TENANT_ID and KEYTURN_API_AUDIENCE, or switch App Service authentication on.',
  },
  'role-missing': {
    status: 403,
    title: 'The role for this is missing',
    hint: 'Ask for the role named in "detail", or call with a credential that has it.',
  },
  'not-a-consumer': {
    status: 403,
    title: 'The caller is not named as a consumer of this secret',
    hint: 'Acknowledge with the credential of a consumer that the tag "consumers" names, or add the caller to the tag.',
  },
  'route-unknown': { status: 404, title: 'There is no such route', hint: 'Look at /api/v1/openapi.json.' },
  'vault-not-served': {
    status: 404,
    title: 'The vault is not one of this app',
    hint: 'Use one of the vaults that /api/v1/health/details lists.',
  },
  'version-unknown': {
    status: 404,
    title: 'The secret has no such version',
    hint: 'Take the version that the vault gave together with the value.',
  },
  'rotation-unknown': {
    status: 404,
    title: 'No rotation of that id is known',
    hint: 'Look at the history of the secret; history that was lost with the storage account does not come back.',
  },
  'approval-unknown': {
    status: 404,
    title: 'No request of that id waits',
    hint: 'Look at what waits with "keyturn approvals"; what was lost with the storage account has to be asked for again.',
  },
  'approver-unfit': {
    status: 403,
    title: 'The caller cannot approve this request',
    hint: 'Let another person of the tenant approve it, signed in with Entra: not the one who asked, not a key, not an application.',
  },
  'approval-over': {
    status: 409,
    title: 'The request does not wait any more',
    hint: 'Look at "detail" for who approved it, or ask again if its time was over.',
  },
  'approval-void': {
    status: 409,
    title: 'What was asked for has changed since',
    hint: 'Look at the secret and at who changed it, then ask again.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The route takes another method',
    hint: 'Use a method of the header Allow.',
  },
  'body-too-large': { status: 413, title: 'The body is too large', hint: 'Send 64 KB at most.' },
  'content-type': {
    status: 415,
    title: 'The body is not JSON',
    hint: 'Send the header content-type: application/json.',
  },
  'request-invalid': {
    status: 400,
    title: 'The request cannot be used as it is',
    hint: 'Correct the fields in "errors"; each says what is allowed.',
  },
  'count-differs': {
    status: 409,
    title: 'The selector matches another number of secrets than was confirmed',
    hint: 'Look at what matches, then send the same selector with that number as "confirm".',
  },
  'key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    hint: 'Take a new key for a new request.',
  },
  'key-in-work': {
    status: 409,
    title: 'A request with this Idempotency-Key is being taken in just now',
    hint: 'Send the same request again after the time in Retry-After.',
  },
  'not-managed': {
    status: 409,
    title: 'The secret did not opt in',
    hint: 'Set the tag "rotator" on it; without it Keyturn leaves the secret alone.',
  },
  'not-now': {
    status: 409,
    title: 'Nothing was changed',
    hint: 'Read "detail" for what stands in the way and until when.',
  },
  'alert-unusable': {
    status: 422,
    title: 'The alert does not name a secret to rotate',
    hint: 'Give the alert rule the custom properties vault, secret and action (rotate or emergency).',
  },
  'keys-unreachable': {
    status: 503,
    title: 'The signing keys of the tenant cannot be fetched',
    hint: 'Try again; meanwhile a key in the header x-keyturn-key works without them.',
  },
  'settings-wrong': {
    status: 503,
    title: 'The settings of the app are wrong',
    hint: 'Correct the settings named in "detail" with "az functionapp config appsettings set"; the app starts again by itself.',
  },
  unexpected: {
    status: 500,
    title: 'A mistake in Keyturn',
    hint: 'Report it with the time and the invocation id of the log.',
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemCode = keyof typeof problemKinds;

/** One field of a request that cannot be used. */
export const fieldError = z
  .object({
    in: z.enum(['body', 'query', 'path', 'header']),
    field: z.string(),
    detail: z.string(),
    allowed: z.array(z.string()).optional(),
  })
  .meta({ id: 'FieldError' });
export type FieldError = z.infer<typeof fieldError>;

export const problemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    hint: z.string(),
    page: z.string(),
    errors: z.array(fieldError).optional(),
    rotationId: z.string().optional(),
    signIn: z.string().optional().describe('With 401: where a person signs in with a browser.'),
    reason: z.string().optional(),
    matched: z.int().optional(),
    secrets: z.array(z.object({ vault: z.string(), secret: z.string() })).optional(),
    published: z
      .object({ from: z.string(), to: z.string() })
      .optional()
      .describe('Half done: this version is current, and what comes after it failed.'),
    steps: z.array(z.object({ name: z.string(), ms: z.number(), outcome: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
type ProblemBody = z.infer<typeof problemBody>;

/** More that a problem says, besides what its code says. */
export interface More extends Partial<Omit<ProblemBody, 'type' | 'title' | 'status' | 'detail' | 'code' | 'page'>> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** `detail`: what happened this time, as a sentence without anything secret. */
export function problem(code: ProblemCode, detail: string, { headers = {}, ...more }: More = {}): Answer {
  const { status, title, hint } = problemKinds[code];
  const body = { type: `urn:keyturn:problem:${code}`, title, status, detail, code, hint, page: `docs/api.md#${code}` };
  return asProblem(status, { ...body, ...more }, headers);
}

/** A failure of the engine as a problem: what mends itself is told as such, with the time to wait. */
export function failureProblem(failure: Failure, more: More = {}): Answer {
  const { code, message, hint, page } = failure;
  const { headers: given, ...rest } = more;
  const status = statusOf(failure);
  const headers = status === 503 ? { 'retry-after': String(failure.retryAfterSeconds ?? 10) } : {};
  const type = `urn:keyturn:failure:${code}`;
  const body = { type, title: titles[failure.class], status, detail: message, code, hint, page };
  return asProblem(status, { ...body, ...rest }, { ...headers, ...given });
}

const titles: Readonly<Record<Failure['class'], string>> = {
  retry: 'Temporary failure',
  blocked: 'A person has to fix something',
  refused: 'The target refused the new credential',
  superseded: 'Another request was faster',
  config: 'A tag, a value or a setting must be corrected',
};

function statusOf(failure: Failure): number {
  if (failure.code === 'secret-missing' || failure.code === 'vault-unknown') return 404;
  switch (failure.class) {
    case 'retry':
      return 503;
    case 'blocked':
    case 'refused':
    case 'superseded':
      return 409;
    case 'config':
      return 422;
  }
}

function asProblem(status: number, body: ProblemBody, headers: Readonly<Record<string, string>>): Answer {
  return { status, headers: { ...headers, 'content-type': 'application/problem+json' }, body };
}
