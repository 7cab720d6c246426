/**
 * What a format's reader gives back: where in the text the credential stands, and how to write another one there.
 *
 * Positions are UTF-16 indices. Details are sentences that never quote any of the value.
 */
import type { Endpoint } from '../contract/rotator.ts';
import { Bug } from '../errors.ts';
import { isReference } from './shape.ts';

export interface Place {
  readonly start: number;
  readonly end: number;
}

/** The text of the place becomes `text`. */
export interface Edit extends Place {
  readonly text: string;
}

export type Encoded =
  | { readonly kind: 'encoded'; readonly text: string }
  | { readonly kind: 'unencodable'; readonly detail: string };

/** One place that holds a part of the credential, quotes included. */
export interface Slot extends Place {
  /** Decoded. */
  readonly value: string;
  /** The text that stands for `next` in this place. */
  readonly encode: (next: string) => Encoded;
}

/** A place that holds the password in other words, alone or with its username (base64 of `user:password`). */
export interface Copy extends Place {
  readonly encode: (username: string, password: string) => Encoded;
}

/** Fields beside the password that are written with it; only JSON has them. */
export interface Parts {
  read(name: string): string | undefined;
  /** Where the values of the field stand. */
  places(name: string): readonly Place[];
  /** An empty part removes its field. */
  edits(
    parts: ReadonlyMap<string, string>,
  ):
    | { readonly kind: 'edits'; readonly edits: readonly Edit[] }
    | { readonly kind: 'unencodable'; readonly detail: string };
}

/** Who logs in, and where. */
export interface Login {
  /** All hold the same username, or nothing. */
  readonly usernames: readonly Slot[];
  readonly endpoint?: Endpoint;
}

export interface Reading extends Login {
  readonly kind: 'reading';
  /** All hold the same password. */
  readonly passwords: readonly [Slot, ...Slot[]];
  readonly copies?: readonly Copy[];
  /** Names of fields: nothing in them is secret. */
  readonly labels?: readonly Place[];
  /** Why another password cannot be written although this one was read: what would keep the old one. */
  readonly kept?: string;
  readonly parts?: Parts;
}

export interface Unreadable {
  readonly kind: 'unreadable';
  readonly detail: string;
  /** The text is well formed but holds no password. */
  readonly noPassword: boolean;
  /** What it holds instead, where that could be read. */
  readonly login?: Login;
}

/** How much a text is like a format that it was not said to be in. */
export type Looks = 'with-password' | 'without-password' | 'other';

export function malformed(detail: string): Unreadable {
  return { kind: 'unreadable', detail, noPassword: false };
}

export function noPassword(detail: string, login?: Login): Unreadable {
  return { kind: 'unreadable', detail, noPassword: true, ...(login === undefined ? {} : { login }) };
}

export function encoded(text: string): Encoded {
  return { kind: 'encoded', text };
}

export function unencodable(detail: string): Encoded {
  return { kind: 'unencodable', detail };
}

export function passwordOf(reading: Reading): string {
  return reading.passwords[0].value;
}

/** Undefined where the value names none. */
export function usernameOf(login: Login): string | undefined {
  return login.usernames.find((slot) => slot.value !== '')?.value;
}

/** Whether more than one value stands in the places. Empty places name nothing and agree with everything when `ignoreEmpty`. */
export function differ(slots: readonly Slot[], ignoreEmpty: boolean): boolean {
  return new Set(slots.map((slot) => slot.value).filter((value) => !ignoreEmpty || value !== '')).size > 1;
}

/**
 * A reading of a text that names each part once or repeats it. Parsers disagree on which of two different ones counts, so a text
 * that contradicts itself is refused instead of guessed at. `without`: what to say when there is no password.
 */
export function settle(
  found: {
    readonly passwords: readonly Slot[];
    readonly usernames: readonly Slot[];
    readonly endpoint: Endpoint | undefined;
  },
  without: string,
): Reading | Unreadable {
  const login: Login = {
    usernames: found.usernames,
    ...(found.endpoint === undefined ? {} : { endpoint: found.endpoint }),
  };
  const [first, ...others] = found.passwords;
  if (differ(found.usernames, true)) return malformed('it holds two usernames that differ; keep one');
  if (first === undefined) return noPassword(without, login);
  if (differ(found.passwords, false)) return malformed('it holds two passwords that differ; keep one');
  if (isReference(first.value)) return malformed('its password is a reference to a secret that is kept elsewhere');
  return { kind: 'reading', passwords: [first, ...others], ...login };
}

/** Applies edits that do not overlap. Edits at the same place are kept in their order. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const pieces: string[] = [];
  let position = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    if (edit.start < position) throw new Bug('two edits of a secret value overlap');
    pieces.push(text.slice(position, edit.start), edit.text);
    position = edit.end;
  }
  pieces.push(text.slice(position));
  return pieces.join('');
}
