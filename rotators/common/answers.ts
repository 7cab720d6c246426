/** One reading of HTTP answers for all providers: what each status means for a rotation. */
import type { VerifyOutcome } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import type { Answer, Answered } from '../../shared/http/client.ts';
import { dateOf, retryAfterSeconds } from '../../shared/http/retry-after.ts';
import { parseJson } from '../../shared/json.ts';
import { quoted } from './scrub.ts';

/** What a failure has to name. */
export interface Asked {
  /** Name of the vault secret. */
  readonly secret: string;
  /** Host that was asked. */
  readonly target: string;
  /** Whose rights were used: an admin secret's name or `managed-identity`. */
  readonly admin: string;
  /** The right that the request needs, as the provider names it. */
  readonly permission: string;
  /** Values to cut out of anything the other side says. */
  readonly secrets: readonly (SecretText | undefined)[];
}

/** The failure for an answer that is not the expected one. */
export function answerFailure(asked: Asked, answer: Answer): Failure {
  const { secret, target, admin, permission } = asked;
  switch (answer.kind) {
    case 'no-answer':
    case 'cut-off':
      return failure('target-unreachable', { secret, target, detail: answer.detail });
    case 'untrusted':
      return failure('target-tls', { secret, target, detail: answer.detail });
    case 'oversized':
      return failure('target-refused', { secret, target, detail: answer.detail });
    case 'answered':
      break;
  }
  const detail = describeAnswer(answer, asked.secrets);
  const at = { secret, target, detail };
  if (answer.status === 401) return failure('admin-refused', { ...at, admin });
  if (answer.status === 403) return failure('permission-missing', { ...at, permission });
  if (answer.status === 404) return failure('target-missing', at);
  if ([408, 409, 423, 425, 429].includes(answer.status) || answer.status >= 500) {
    const retryAfterSeconds = readRetryAfter(answer);
    const busy = failure('target-busy', at);
    return retryAfterSeconds === undefined ? busy : { ...busy, retryAfterSeconds };
  }
  return failure('target-refused', at);
}

/** The same answer where a login was tried and what came back proves nothing about the credential. */
export function unclear(answer: Answer, secrets: readonly (SecretText | undefined)[]): VerifyOutcome {
  const detail = answer.kind === 'answered' ? describeAnswer(answer, secrets) : answer.detail;
  return { kind: 'unreachable', detail };
}

/** Status and, where the body has one in a usual place, the provider's code and sentence. Never the body itself. */
export function describeAnswer(answer: Answered, secrets: readonly (SecretText | undefined)[]): string {
  if (answer.status >= 300 && answer.status < 400) return `HTTP ${answer.status}: redirects are not followed`;
  const said = answer.status >= 400 ? sayings(parseJson(answer.body)) : [];
  const parts = said.map((part) => quoted(part, secrets)).filter((part) => part.length > 0);
  return [`HTTP ${answer.status}`, ...parts].join(' ');
}

/** The wait that the answer asks for, in s: `Retry-After` as seconds or, against the answer's own clock, as a date. */
export function readRetryAfter({ header }: Answered): number | undefined {
  return retryAfterSeconds(header('retry-after'), dateOf(header('date')));
}

const places = ['code', 'message', 'error', 'error_description', 'title', 'detail', 'errors'] as const;

function sayings(body: unknown, depth = 0): string[] {
  if (typeof body === 'string') return [body];
  if (typeof body === 'number') return [String(body)];
  if (depth > 2 || typeof body !== 'object' || body === null) return [];
  if (Array.isArray(body)) return body.length > 0 ? sayings(body[0], depth + 1) : [];
  const fields = new Map(Object.entries(body));
  return places.flatMap((place) => (fields.has(place) ? sayings(fields.get(place), depth + 1) : [])).slice(0, 2);
}
