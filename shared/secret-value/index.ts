/**
 * Finds the credential inside a secret's value and replaces it in place: nothing else of the value changes by a byte.
 *
 * Formats: `raw` (the value is the password), `json`, `uri`, `libpq` (key/value), `ado-net`, `stackexchange-redis`. The rules and an
 * example of each are in docs/secret-values.md.
 */
import type { Credential } from '../contract/credential.ts';
import type { Endpoint } from '../contract/rotator.ts';
import { SecretText } from '../contract/secret-text.ts';
import type { Format } from './format.ts';
import { type Hint, read } from './read.ts';
import { passwordOf, type Reading, usernameOf } from './reading.ts';
import { type PlainCredential, replaceIn } from './replace.ts';

export { type Format, formats } from './format.ts';
export { jsonPointer } from './json-pointer.ts';
export type { Hint } from './read.ts';

/** A value that was read. */
export interface SecretValue {
  readonly format: Format;
  /** `username` is absent where the value names none. `parts` has `previous` where JSON keeps one beside the password. */
  readonly credential: Credential;
  /** Absent where the value names no host. Host names are lower case; port only where the value says one. */
  readonly endpoint?: Endpoint;
  /**
   * The same value with another credential, every other byte kept. Fails (with a sentence) when the value has no place for it. An
   * absent username leaves the one in the value. Each of `parts` is written to the JSON field of its name beside the password: added
   * when missing, removed when the part is empty. May be called again; it always starts from the value that was read.
   */
  replace(
    next: Credential,
  ):
    | { readonly kind: 'replaced'; readonly value: SecretText }
    | { readonly kind: 'unreplaceable'; readonly detail: string };
}

export type ParseOutcome =
  | { readonly kind: 'parsed'; readonly value: SecretValue }
  /** `detail` says what is wrong, and where, without quoting any of the value. */
  | { readonly kind: 'unreadable'; readonly detail: string };

function plain(credential: Credential): PlainCredential {
  const parts = Object.entries(credential.parts ?? {}).map(([name, part]): [string, string] => [name, part.reveal()]);
  return { username: credential.username, password: credential.password.reveal(), parts: new Map(parts) };
}

function credentialOf(reading: Reading): Credential {
  const username = usernameOf(reading);
  const previous = reading.parts?.read('previous');
  return {
    password: new SecretText(passwordOf(reading)),
    ...(username === undefined ? {} : { username }),
    ...(previous === undefined ? {} : { parts: { previous: new SecretText(previous) } }),
  };
}

/** What was made of a text the last time: the steps of a rotation look at one value again and again. Goes with the text. */
const parsed = new WeakMap<SecretText, { readonly hint: Hint; readonly outcome: ParseOutcome }>();

/**
 * Reads a secret's value. Without the tag `format` the content type and then the text itself decide how it is written. Never throws for
 * what a value holds, and takes time in proportion to its length.
 */
export function parseSecretValue(value: SecretText, hint: Hint): ParseOutcome {
  const known = parsed.get(value);
  if (known !== undefined && isSameHint(known.hint, hint)) return known.outcome;
  const outcome = parse(value, hint);
  parsed.set(value, { hint, outcome });
  return outcome;
}

function isSameHint(one: Hint, other: Hint): boolean {
  const { format, contentType, field, leads } = one;
  const isSameFormat = format === other.format && contentType === other.contentType;
  return isSameFormat && field === other.field && leads === other.leads;
}

function parse(value: SecretText, hint: Hint): ParseOutcome {
  const whole = value.reveal();
  // A byte order mark belongs to the file the value came from.
  const mark = whole.startsWith('\ufeff') ? '\ufeff' : '';
  const text = whole.slice(mark.length);
  const outcome = read(text, hint);
  if (outcome.kind === 'unreadable') return { kind: 'unreadable', detail: outcome.detail };
  const { format, reading } = outcome;
  return {
    kind: 'parsed',
    value: {
      format,
      credential: credentialOf(reading),
      ...(reading.endpoint === undefined ? {} : { endpoint: reading.endpoint }),
      replace: (next) => {
        const replaced = replaceIn(text, hint, outcome, plain(next));
        if (replaced.kind === 'unreplaceable') return replaced;
        if (mark === '' && replaced.text.startsWith('\ufeff')) {
          return {
            kind: 'unreplaceable',
            detail: 'the value would begin with a byte order mark, which readers leave out',
          };
        }
        return { kind: 'replaced', value: new SecretText(mark + replaced.text) };
      },
    },
  };
}
