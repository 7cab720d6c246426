/**
 * What a rotation did at its target, in the order in which it was done, so that a straight script can do the same with a login of its
 * own. Kept at the drivers: nothing has to be said twice when a rotator asks something new.
 */

/** A connection of a driver that does what another one did. */
export interface Player {
  open(): Promise<unknown>;
  send(args: unknown): Promise<unknown>;
  close(): unknown;
}

export type Rename = (text: string) => string;

export interface Act {
  readonly session: number;
  readonly kind: 'open' | 'send' | 'close';
  readonly args: unknown;
  /** Makes the connection anew. Of `open` only. */
  readonly player?: (rename: Rename) => Player;
  /** Acts whose answers were there when it began: those that it may have needed. */
  readonly after: readonly number[];
  /** Whether it was refused, as some are meant to be. */
  refused: boolean;
}

export class Tape {
  readonly acts: Act[] = [];
  /** How many acts there were when the rotation began to write: what comes before only looks at the published credential. */
  looked: number | undefined;
  readonly #answered = new Set<number>();

  add(act: Omit<Act, 'after' | 'refused'>): (refused: boolean) => void {
    const at = this.acts.length;
    const kept: Act = { ...act, after: [...this.#answered], refused: false };
    this.acts.push(kept);
    return (refused) => {
      kept.refused = refused;
      this.#answered.add(at);
    };
  }

  get connections(): number {
    return this.acts.filter(({ kind }) => kind === 'open').length;
  }

  get statements(): number {
    return this.acts.filter(({ kind }) => kind === 'send').length;
  }
}

/** Does again what is on the tape from one act to another. Keeps its connections between two calls. */
export function playerOf(tape: Tape, rename: Rename): (from: number, to: number) => Promise<void> {
  const players = new Map<number, Player>();
  const done: Promise<void>[] = [];
  const perform = async (act: Act): Promise<void> => {
    await Promise.all(act.after.map((at) => done[at]));
    const player = players.get(act.session) ?? act.player?.(rename);
    if (player === undefined) throw new Error('the tape uses a connection that nobody opened');
    players.set(act.session, player);
    try {
      if (act.kind === 'open') await player.open();
      else if (act.kind === 'send') await player.send(renamed(act.args, rename));
      else await player.close();
    } catch (error) {
      if (!act.refused) throw error;
    }
  };
  return async (from, to) => {
    for (let at = from; at < to; at++) {
      const act = tape.acts[at];
      if (act !== undefined) done[at] = perform(act);
    }
    await Promise.all(done);
  };
}

/** With other names in every text that is in it. */
export function renamed(value: unknown, rename: Rename): unknown {
  if (typeof value === 'string') return rename(value);
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, renamed(item, rename)]));
}
