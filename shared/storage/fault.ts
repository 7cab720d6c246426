/** What the storage clients throw, freed of everything secret. */
import { type Failure, failure, rethrowBug } from '../errors.ts';

export interface StorageFault {
  readonly status: number | undefined;
  /** The service's error code, such as `LeaseAlreadyPresent`. */
  readonly code: string | undefined;
  readonly detail: string;
  /** Fresh, with words only: the client's own error carries the request with its signature. */
  readonly cause: Error;
}

function text(of: unknown, key: string): string | undefined {
  if (typeof of !== 'object' || of === null || !(key in of)) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(of, key)?.value;
  return typeof value === 'string' ? value : undefined;
}

// Blobs and queues put the code of the body on `code`; tables leave it in `details.odataError.code`.
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const details: unknown = 'details' in error ? error.details : undefined;
  const odata: unknown =
    typeof details === 'object' && details !== null && 'odataError' in details ? details.odataError : undefined;
  return text(odata, 'code') ?? text(details, 'errorCode') ?? text(error, 'code');
}

/** Describes what a client threw. Throws on a mistake in Keyturn: no service is to blame for it. */
export function storageFault(error: unknown): StorageFault {
  rethrowBug(error);
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : undefined;
  const code = codeOf(error);
  // With an answer, its code says enough; the message would repeat the request's id and time. Without one, the message says why.
  const words = error instanceof Error ? (error.message.split('\n')[0] ?? '').slice(0, 200) : 'unknown error';
  const silent = error instanceof Error && error.name === 'AbortError';
  const detail =
    status === undefined
      ? silent
        ? 'no answer in time'
        : [code, words].filter(Boolean).join(': ')
      : [`HTTP ${status}`, code].filter(Boolean).join(' ');
  return { status, code, detail, cause: new Error(detail) };
}

export function storageFailure(fault: StorageFault, service: 'blob' | 'queue' | 'table', secret: string): Failure {
  return failure('storage-unreachable', { secret, detail: `${service} service: ${fault.detail}` }, fault.cause);
}
