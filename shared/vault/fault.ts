/** What went wrong on the wire to a vault, freed of everything secret. */
import { isRestError } from '@azure/core-rest-pipeline';
import * as z from 'zod';
import { type Failure, failure, rethrowBug } from '../errors.ts';
import { identityFault, isIdentityError } from '../http/identity.ts';

export interface VaultFault {
  /** `answer`: the vault said no. `no-answer`: nobody knows what it did. `no-token`: the identity was refused; nothing was sent. */
  readonly reason: 'answer' | 'no-answer' | 'no-token';
  readonly status?: number;
  /** The inner code of the error body, such as `SecretDisabled`; else its code. */
  readonly code?: string;
  /** Whether an Azure Policy of effect Deny stood against it: no role helps against that. */
  readonly byPolicy?: boolean;
  readonly retryAfterSeconds?: number;
  readonly detail: string;
  /**
   * Fresh, with words only. The client's own error carries the request and the response, and with them the token and the value, so it
   * must never leave this folder.
   */
  readonly cause: Error;
}

/** The last answer the pipeline saw during a call. */
export interface LastAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterSeconds?: number;
}

const errorBody = z.object({
  error: z.object({
    code: z.string().optional(),
    message: z.string().optional(),
    innererror: z.object({ code: z.string().optional() }).nullish(),
  }),
});

function readBody(body: string): { code?: string; message?: string } {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // A proxy or a gateway answered in the vault's place; its page is not worth showing.
    return {};
  }
  const parsed = errorBody.safeParse(json);
  if (!parsed.success) return {};
  const { code, message, innererror } = parsed.data.error;
  const innermost = innererror?.code ?? code;
  return {
    ...(innermost === undefined ? {} : { code: innermost }),
    ...(message === undefined ? {} : { message }),
  };
}

// The words of Azure Policy. `ForbiddenByPolicy` is none of them: that is the vault's own access policy.
const policyDenial = /disallowed by (azure )?policy|RequestDisallowedByPolicy/i;

/** Whether the client came no further than its identity: the vault asked for a token, and there was none to give. */
function isTokenError(error: unknown, last: LastAnswer | undefined): boolean {
  if (isIdentityError(error)) return true;
  if (!(error instanceof Error) || error.name === 'AbortError') return false;
  return last?.status === 401 && !(isRestError(error) && error.statusCode === 401);
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim().slice(0, 300);
}

/**
 * Describes what a call of the client threw. `hide` removes what must not be shown from texts of the other side. Throws on a mistake in
 * Keyturn: no vault is to blame for it.
 */
export function faultOf(error: unknown, last: LastAnswer | undefined, hide: (text: string) => string): VaultFault {
  rethrowBug(error);
  if (isTokenError(error, last)) {
    const fault = identityFault(error);
    const detail = hide(`no token: ${fault.detail}`);
    return { reason: fault.refused ? 'no-token' : 'no-answer', detail, cause: new Error(detail) };
  }
  if (last !== undefined && last.status >= 400) {
    const { code, message } = readBody(last.body);
    const detail = hide([`HTTP ${last.status}`, code, message && `"${firstLine(message)}"`].filter(Boolean).join(' '));
    return {
      reason: 'answer',
      status: last.status,
      detail,
      cause: new Error(detail),
      ...(code === undefined ? {} : { code }),
      ...(last.status === 403 && policyDenial.test(`${code} ${message}`) ? { byPolicy: true } : {}),
      ...(last.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: last.retryAfterSeconds }),
    };
  }
  const name = error instanceof Error ? error.name : 'unknown error';
  const code = isRestError(error) ? error.code : undefined;
  const words =
    name === 'AbortError' ? 'no answer in the time there was' : firstLine(error instanceof Error ? error.message : '');
  const detail = hide([code, words].filter(Boolean).join(': '));
  return { reason: 'no-answer', detail, cause: new Error(`${name}: ${detail}`) };
}

/** The failure of a fault that the operation has no outcome of its own for. */
export function failureOf(fault: VaultFault, secret: string, vault: string): Failure {
  const at = { secret, vault, detail: fault.detail };
  if (fault.reason === 'no-token') return failure('vault-forbidden', at, fault.cause);
  if (fault.reason === 'no-answer' || fault.status === undefined) return failure('vault-unreachable', at, fault.cause);
  switch (fault.status) {
    case 401:
    case 403:
      return failure(fault.byPolicy === true ? 'vault-refused' : 'vault-forbidden', at, fault.cause);
    case 404:
      return failure('secret-missing', { secret, vault }, fault.cause);
    case 409:
      return fault.code === 'ObjectIsDeletedButRecoverable'
        ? failure('secret-deleted', at, fault.cause)
        : failure('vault-busy', at, fault.cause);
    case 408:
      return failure('vault-unreachable', at, fault.cause);
    case 429: {
      const throttled = failure('vault-throttled', at, fault.cause);
      return fault.retryAfterSeconds === undefined
        ? throttled
        : { ...throttled, retryAfterSeconds: fault.retryAfterSeconds };
    }
    default:
      return fault.status >= 500
        ? failure('vault-unreachable', at, fault.cause)
        : failure('vault-refused', at, fault.cause);
  }
}
