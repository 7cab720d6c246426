/** A log that remembers its lines. */
import type { Log } from '../../shared/telemetry.ts';
import { holdsNoSecret, must } from './target.ts';

export interface Heard {
  readonly log: Log;
  /** Throws where a line holds the canary, or tells of a mistake in Keyturn. */
  check(): void;
}

export function hear(): Heard {
  const lines: string[] = [];
  const write: Log['info'] = (event, fields = {}) => void lines.push(JSON.stringify({ event, ...fields }));
  return {
    log: { info: write, warn: write, error: write },
    check() {
      for (const line of lines) {
        holdsNoSecret('the log', line);
        must(!line.startsWith('{"event":"bug"'), `no input is told as a mistake in Keyturn: ${line}`);
        must(line.length < 16_384, 'a line of the log is bounded');
      }
    },
  };
}
