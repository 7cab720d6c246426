/** The order of the list: what needs a person most comes first, and what is nearest comes first among equals. */
import { type Row, type State, states } from './shapes.ts';

const rank = new Map<State, number>(states.map((state, index) => [state, index]));

/** What happens next with it, and when. */
export interface Next {
  readonly what: 'next try' | 'paused until' | 'old one ends' | 'due' | 'expires';
  readonly at: string;
}

/** Undefined where nothing is planned: somebody has to look. Pure. */
export function nextOf(row: Row): Next | undefined {
  if (row.nextTryAt !== undefined) return { what: 'next try', at: row.nextTryAt };
  if (row.pausedUntil !== undefined) return { what: 'paused until', at: row.pausedUntil };
  if (row.state === 'overlap' && row.retireBy !== undefined) return { what: 'old one ends', at: row.retireBy };
  if (row.state === 'paused' || row.state === 'failing' || row.state === 'drifted') return undefined;
  if (row.dueAt !== undefined) return { what: 'due', at: row.dueAt };
  return row.expiresAt === undefined ? undefined : { what: 'expires', at: row.expiresAt };
}

/** Times are all written alike, in UTC, so that their text sorts. Pure. */
export function byUrgency(a: Row, b: Row): number {
  const states = (rank.get(a.state) ?? 0) - (rank.get(b.state) ?? 0);
  if (states !== 0) return states;
  // A pause that a person wanted needs nobody; one after failures may.
  const wanted = Number(a.pausedBy !== undefined) - Number(b.pausedBy !== undefined);
  if (wanted !== 0) return wanted;
  return compare(keyOf(a), keyOf(b)) || compare(a.secret, b.secret) || compare(a.vault, b.vault);
}

/** Of what is wrong, the oldest first; of what is planned, the nearest. */
function keyOf(row: Row): string {
  const isWrong = (rank.get(row.state) ?? 0) < (rank.get('in-flight') ?? 0);
  return (isWrong ? row.since : (nextOf(row)?.at ?? row.since)) ?? '9';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** It goes wrong, and nothing happens any more until somebody looks. Pure. */
export function needsPerson(row: Row): boolean {
  const isStuck = row.state === 'paused' || row.state === 'failing' || row.state === 'drifted';
  return isStuck && row.pausedBy === undefined && row.nextTryAt === undefined;
}

export type Tone = 'bad' | 'warn' | 'busy' | 'good' | 'none';

interface StateWords {
  readonly label: string;
  readonly tone: Tone;
  /** Said by a sign too, so that no state is told by colour alone. */
  readonly sign: string;
  /** For somebody who sees the word for the first time. */
  readonly means: string;
}

export const stateWords: Readonly<Record<State, StateWords>> = {
  drifted: { label: 'Drifted', tone: 'bad', sign: '✕', means: 'The target refuses the current credential.' },
  failing: { label: 'Failing', tone: 'bad', sign: '!', means: 'Its rotation, retirement or check fails.' },
  paused: { label: 'Paused', tone: 'warn', sign: 'Ⅱ', means: 'No automatic rotation until it is resumed.' },
  invalid: { label: 'Invalid', tone: 'bad', sign: '?', means: 'Its tags cannot be used as they are.' },
  shared: { label: 'Shared', tone: 'warn', sign: '∩', means: 'Another secret publishes the same login.' },
  'opted-out': { label: 'Opted out', tone: 'warn', sign: '–', means: 'It was managed, and its newest version is not.' },
  retrying: { label: 'Retrying', tone: 'warn', sign: '↻', means: 'Something failed in a way that passes by itself.' },
  'in-flight': { label: 'In flight', tone: 'busy', sign: '→', means: 'A worker is at it.' },
  due: { label: 'Due', tone: 'busy', sign: '○', means: 'It is to be rotated.' },
  overlap: { label: 'Overlap', tone: 'busy', sign: '◑', means: 'Rotated; the old credential still works.' },
  healthy: { label: 'Healthy', tone: 'good', sign: '✓', means: 'Nothing to do.' },
  copy: { label: 'Copy', tone: 'none', sign: '=', means: 'It is renewed with its source.' },
  unmanaged: { label: 'Unmanaged', tone: 'none', sign: '·', means: 'It did not opt in.' },
};
