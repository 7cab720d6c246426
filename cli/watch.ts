/** Follows a rotation to its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { failureKinds } from '../shared/errors.ts';
import type { Answered, Api } from './api/client.ts';
import { type Attempt, type Rotation, rotation } from './api/views.ts';
import { paint } from './terminal/paint.ts';
import type { Terminal } from './terminal/terminal.ts';
import { padded, plain, wrapped } from './terminal/text.ts';
import { absolute, lengthOf, milliseconds } from './terminal/time.ts';

export type Watched =
  | { readonly kind: 'over'; readonly rotation: Rotation }
  | { readonly kind: 'late'; readonly rotation: Rotation }
  | Exclude<Answered<Rotation>, { readonly kind: 'answer' }>;

export interface Watching {
  readonly api: Api;
  readonly signal: AbortSignal;
  /** By a clock that nobody sets, in ms. */
  readonly deadlineMs: number;
  /** Called with each answer. */
  readonly seen: (rotation: Rotation) => void;
}

const finalStates: ReadonlySet<string> = new Set(['rotated', 'skipped', 'failed']);

/** How often it is looked at, in ms: often at first, because most rotations take a second or two. */
const leastPauseMs = 250;
const mostPauseMs = 2_000;

/** The history may be slower than the answer that named the rotation. */
const mostUnknown = 8;

/** Looks until the rotation is over or the time is. A broken connection ends nothing: the rotation goes on without us. */
export async function watch(start: Rotation, { api, signal, deadlineMs, seen }: Watching): Promise<Watched> {
  let known = start;
  let unknown = 0;
  let pauseMs = leastPauseMs;
  seen(known);
  while (!finalStates.has(known.state)) {
    if (performance.now() >= deadlineMs) return { kind: 'late', rotation: known };
    await sleep(pauseMs, undefined, { signal });
    pauseMs = Math.min(mostPauseMs, pauseMs * 1.2);
    const answer = await api.ask({ path: ['rotations', known.rotationId], schema: rotation });
    if (answer.kind === 'answer') {
      known = answer.value;
      seen(known);
    } else if (answer.code === 'rotation-unknown' && unknown < mostUnknown) unknown += 1;
    else if (answer.exit !== 'unreachable' && answer.exit !== 'failed') return answer;
  }
  return { kind: 'over', rotation: known };
}

/** Writes each step of one rotation as it ends. */
export class StepWriter {
  readonly #terminal: Terminal;
  readonly #now: () => Date;
  readonly #startedMs = performance.now();
  #attempt = '';
  #written = 0;
  #told = '';

  constructor(terminal: Terminal, now: () => Date) {
    this.#terminal = terminal;
    this.#now = now;
  }

  see(rotation: Rotation): void {
    const attempt = rotation.attempts.find(
      ({ outcome }) => !['queued', 'awaiting-approval', 'retired'].includes(outcome),
    );
    if (attempt !== undefined) this.#write(attempt);
    if (rotation.state === 'retrying') this.#tellWhy(rotation);
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const since = seconds < 2 ? '' : ` for ${lengthOf(seconds)}`;
    this.#terminal.live(finalStates.has(rotation.state) ? '' : `  ${rotation.state}${since} …`);
  }

  /** Once for each try: what stands in the way, and when it is tried again. */
  #tellWhy({ failure, nextTryAt }: Rotation): void {
    const cause = failure === undefined ? '' : `${failure.code}: ${failure.message}`;
    const next = nextTryAt === undefined ? '' : `next try ${absolute(nextTryAt, this.#now())}`;
    const text = [cause, next].filter((part) => part !== '').join('; ');
    if (text === '' || `${cause}${nextTryAt ?? ''}` === this.#told) return;
    this.#told = `${cause}${nextTryAt ?? ''}`;
    this.#terminal.err(wrapped(`not done yet: ${plain(text)}`, this.#terminal.columns, '  '));
  }

  #write(attempt: Attempt): void {
    if (attempt.startedAt !== this.#attempt) {
      if (this.#attempt !== '') this.#terminal.err('  tried again:');
      this.#attempt = attempt.startedAt;
      this.#written = 0;
    }
    for (const step of attempt.steps.slice(this.#written)) {
      const failed = Object.hasOwn(failureKinds, step.outcome);
      const mark = paint(failed ? '✗' : '✓', failed ? 'red' : 'green', this.#terminal.colour.err);
      const took = padded('', 9 - milliseconds(step.ms).length) + milliseconds(step.ms);
      this.#terminal.err(`  ${mark} ${padded(plain(step.name), 14)} ${took}  ${plain(step.outcome)}`);
    }
    this.#written = attempt.steps.length;
  }
}
