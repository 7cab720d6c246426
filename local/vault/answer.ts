/** What is sent back to a request. */
export interface Answer {
  readonly status: number;
  /** Sent as JSON; absent: an empty body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
