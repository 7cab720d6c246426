/**
 * Structured log lines. Fields are plain values, so that a SecretText cannot be given to one; everything that is logged is safe to be
 * read by whoever may read the app's logs.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** What a function's invocation offers for logging. */
export interface LogSink {
  info(...args: readonly unknown[]): void;
  warn(...args: readonly unknown[]): void;
  error(...args: readonly unknown[]): void;
}

/** One line of JSON for each event: `{"event": …, …fields}`. */
export function logTo(sink: LogSink): Log {
  const line = (event: string, fields: LogFields = {}): string => JSON.stringify({ event, ...fields });
  return {
    info: (event, fields) => sink.info(line(event, fields)),
    warn: (event, fields) => sink.warn(line(event, fields)),
    error: (event, fields) => sink.error(line(event, fields)),
  };
}
