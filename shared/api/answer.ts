/** What the API answers, before it is put on the wire. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written as JSON; absent: no body. */
  readonly body?: unknown;
  /** In place of `body`: lines of JSON, sent as they are made. */
  readonly lines?: AsyncIterable<string>;
}

/** Headers of every answer. */
export const alwaysSent = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** The one place of a rotation, where its progress is shown. */
export function placeOf(rotationId: string): string {
  return `/api/v1/rotations/${rotationId}`;
}

/** Queued: look there again after that many seconds. */
export function accepted(body: unknown, place: string, retryAfterSeconds = 2): Answer {
  return { status: 202, headers: { location: place, 'retry-after': String(retryAfterSeconds) }, body };
}
