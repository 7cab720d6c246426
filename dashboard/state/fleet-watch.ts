/**
 * Keeps the list of all secrets current: asks now and then while somebody can see the page, and gets 304 while nothing has changed
 * (docs/decisions/17-live-dashboard.md says why this and no open connection).
 */
import { type Indexed, indexed } from '../model/filters.ts';
import { type Freeze, type OverviewLine, overviewLine, type Row } from '../model/shapes.ts';
import { byUrgency } from '../model/urgency.ts';
import type { Client, Problem } from './client.ts';
import { makeStore, type Store } from './store.ts';

export interface Fleet {
  /** In the order in which they are shown. */
  readonly all: readonly Indexed[];
  readonly vaults: readonly string[];
  /** `unread`: whether it is frozen is not known, which counts as frozen. */
  readonly freeze: Freeze | 'unread' | undefined;
  readonly version: string;
  /** Every vault was listed to its end. */
  readonly complete: boolean;
  readonly failed: readonly Extract<OverviewLine, { kind: 'vault-failed' }>[];
  readonly warnings: readonly string[];
  /** How far the vault's clock is before the browser's. */
  readonly aheadMs: number;
  /** When the app said last that this is how it is, by the browser's clock; 0: not yet. */
  readonly lookedAtMs: number;
  /** Why the last look failed. What is shown is older then. */
  readonly problem: Problem | undefined;
}

const nothing: Fleet = {
  ...{ all: [], vaults: [], freeze: undefined, version: '', complete: false, failed: [], warnings: [] },
  ...{ aheadMs: 0, lookedAtMs: 0, problem: undefined },
};

export interface FleetWatch {
  readonly fleet: Store<Fleet>;
  start(): void;
  /** Forgets everything, when somebody else signs in. */
  stop(): void;
  /** Asks now: something was done. */
  look(): void;
  /** What is known of one secret by a look at it alone, which is newer than the list. */
  renew(row: Row): void;
}

/** Between two looks, in ms: while the page is used, and while nobody has touched it for an hour. */
const paceMs = 15_000;
const idlePaceMs = 60_000;
const idleAfterMs = 60 * 60_000;
const longestPaceMs = 120_000;
/** How often a list that is still coming is drawn, in ms. */
const drawEveryMs = 200;

export function watchFleet(client: Client): FleetWatch {
  const fleet = makeStore<Fleet>(nothing);
  let etag: string | undefined;
  let failures = 0;
  let timer: number | undefined;
  let running = false;
  let again = false;
  let on = false;
  const untouchedMs = watchTouches();

  function plan(): void {
    window.clearTimeout(timer);
    if (!on || document.hidden) return;
    const pace = untouchedMs() > idleAfterMs ? idlePaceMs : paceMs;
    timer = window.setTimeout(() => void look(), Math.min(longestPaceMs, pace * 2 ** failures));
  }

  async function look(): Promise<void> {
    // Something was done while a look was under way, which may not have seen it.
    if (running) again = true;
    if (running || !on) return;
    running = true;
    again = false;
    window.clearTimeout(timer);
    const problem = await lookOnce();
    running = false;
    if (!on) return;
    failures = problem === undefined ? 0 : Math.min(failures + 1, 3);
    const known = fleet.get();
    fleet.set({ ...known, problem, lookedAtMs: problem === undefined ? Date.now() : known.lookedAtMs });
    if (again) void look();
    else plan();
  }

  async function lookOnce(): Promise<Problem | undefined> {
    const answer = await client.open('/overview', etag);
    if (!(answer instanceof Response)) return answer.kind === 'problem' ? answer : undefined;
    const read = await readList(answer, fleet, () => on);
    if (read === 'broken off' && on) return brokenList;
    if (read !== 'broken off') ({ etag } = read);
    return undefined;
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? window.clearTimeout(timer) : void look()));
  return {
    fleet,
    start() {
      if (on) return;
      on = true;
      void look();
    },
    stop() {
      on = false;
      etag = undefined;
      window.clearTimeout(timer);
      fleet.set(nothing);
    },
    look: () => void look(),
    renew(row) {
      const all = withNewer(fleet.get().all, row);
      if (all === undefined) return;
      // What the list says of it is older, so the next one is taken whatever its tag says.
      etag = undefined;
      fleet.set({ ...fleet.get(), all });
    },
  };
}

/** For how long nobody has pressed anything. */
function watchTouches(): () => number {
  let atMs = performance.now();
  const touched = (): void => {
    atMs = performance.now();
  };
  for (const touch of ['pointerdown', 'keydown']) document.addEventListener(touch, touched);
  return () => performance.now() - atMs;
}

/** Undefined where the list says the same of it, or does not have it. */
function withNewer(all: readonly Indexed[], row: Row): readonly Indexed[] | undefined {
  const isSame = (one: Indexed) => one.row.vault === row.vault && one.row.secret === row.secret;
  const known = all.find(isSame);
  if (known === undefined || known.row.state === row.state) return undefined;
  return sorted([...all.filter((one) => !isSame(one)), indexed(row)]);
}

const brokenList: Problem = {
  ...{ kind: 'problem', status: 0, title: 'The list is not whole' },
  ...{ detail: 'The answer broke off in the middle.', hint: 'It is asked for again.' },
};

/** Puts the list into the store. The first one is drawn as it comes; a later one takes the place of the one before at once, so that nothing jumps. */
async function readList(
  answer: Response,
  fleet: Store<Fleet>,
  isOn: () => boolean,
): Promise<{ readonly etag: string } | 'broken off'> {
  const reading = new Reading(fleet.get());
  for await (const line of linesOf(answer)) {
    if (!isOn()) return 'broken off';
    if (line.kind === 'end') {
      fleet.set(reading.done(line.warnings));
      return { etag: line.etag };
    }
    reading.take(line);
    if (!fleet.get().complete && reading.drawDue()) fleet.set(reading.soFar());
  }
  return 'broken off';
}

/** One list as it comes in. */
class Reading {
  readonly #before: Fleet;
  readonly #all: Indexed[] = [];
  #about: Pick<Fleet, 'vaults' | 'freeze' | 'version'>;
  #failed: Fleet['failed'] = [];
  #aheadMs: number;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(before: Fleet) {
    this.#before = before;
    this.#about = before;
    this.#aheadMs = before.aheadMs;
  }

  take(line: Exclude<OverviewLine, { kind: 'end' }>): void {
    switch (line.kind) {
      case 'about': {
        const { vaults, freeze = 'unread', version } = line;
        this.#about = { vaults, freeze, version };
        return;
      }
      case 'rows':
        this.#aheadMs = Date.parse(line.at) - Date.now();
        for (const row of line.rows) this.#all.push(indexed(row));
        return;
      case 'vault-failed':
        this.#failed = [...this.#failed, line];
    }
  }

  drawDue(): boolean {
    const now = performance.now();
    if (this.#all.length === 0 || now - this.#drawnAtMs < drawEveryMs) return false;
    this.#drawnAtMs = now;
    return true;
  }

  soFar(): Fleet {
    const { vaults, freeze, version } = this.#about;
    const read = { vaults, freeze, version, failed: this.#failed, aheadMs: this.#aheadMs };
    return { ...this.#before, ...read, all: sorted([...this.#all]) };
  }

  done(warnings: readonly string[]): Fleet {
    return { ...this.soFar(), warnings, complete: true };
  }
}

function sorted(all: Indexed[]): readonly Indexed[] {
  return all.sort((a, b) => byUrgency(a.row, b.row));
}

/** What is broken off in the middle, or is no line of ours, ends it. */
async function* linesOf(answer: Response): AsyncGenerator<OverviewLine> {
  if (answer.body === null) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const read = await reader.read().catch(brokenOff);
    if (read.done) return;
    const parts = (rest + read.value).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const line = overviewLine.safeParse(JSON.parse(part));
      if (!line.success) return;
      yield line.data;
    }
  }
}

function brokenOff(): { readonly done: true; readonly value: undefined } {
  return { done: true, value: undefined };
}
