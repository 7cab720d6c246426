/**
 * Finds the credential inside a secret's value and replaces it in place: nothing else of the value changes by a byte.
 *
 * Formats: `raw` (the value is the password), `json`, `uri`, `libpq` (key/value), `ado-net`, `stackexchange-redis`. The rules and an
 * example of each are in docs/secret-values.md.
 */
import type { Credential } from '../contract/credential.ts';
import type { Endpoint } from '../contract/rotator.ts';
import { SecretText } from '../contract/secret-text.ts';
import { connectionStringReaders } from './connection-string.ts';
import { detectFormat, formatOfContentType } from './detect.ts';
import type { Format } from './format.ts';
import { readJson } from './json.ts';
import { readRaw } from './raw.ts';
import { applyEdits, type Edit, malformed, passwordOf, type Reading, type Unreadable, usernameOf } from './reading.ts';

export { type Format, formats } from './format.ts';

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

interface Hint {
  readonly format?: Format;
  readonly contentType?: string;
}

interface Read {
  readonly kind: 'read';
  readonly format: Format;
  readonly reading: Reading;
}

const readers: Readonly<Record<Format, (text: string) => Reading | Unreadable>> = {
  ...connectionStringReaders,
  raw: readRaw,
  json: readJson,
};

function formatOf(text: string, hint: Hint): Format | Unreadable {
  const content = formatOfContentType(hint.contentType);
  if (content.kind === 'unreadable') return content;
  if (content.kind === 'json' && hint.format !== undefined && hint.format !== 'json') {
    return malformed(`the tag "format" says ${hint.format}, the content type says JSON; correct one of them`);
  }
  if (hint.format !== undefined) return hint.format;
  return content.kind === 'json' ? 'json' : detectFormat(text);
}

function read(text: string, hint: Hint): Read | Unreadable {
  if (text.trim() === '') return malformed('it is empty');
  const format = formatOf(text, hint);
  if (typeof format !== 'string') return format;
  const reading = readers[format](text);
  if (reading.kind === 'reading') return { kind: 'read', format, reading };
  const told = hint.format === undefined ? '' : `the tag "format" says ${hint.format}, but `;
  return { ...reading, detail: `${told}${reading.detail}` };
}

type Replaced =
  | { readonly kind: 'replaced'; readonly text: string }
  | { readonly kind: 'unreplaceable'; readonly detail: string };

function unreplaceable(detail: string): Replaced & { readonly kind: 'unreplaceable' } {
  return { kind: 'unreplaceable', detail };
}

/** The edits of the username and password; places that hold the right text already are left as they are written. */
function slotEdits(reading: Reading, username: string | undefined, password: string): readonly Edit[] | Replaced {
  if (username !== undefined && username !== (usernameOf(reading) ?? '') && reading.usernames.length === 0) {
    return unreplaceable('the value has no place for a username');
  }
  const wanted = [
    ...reading.passwords.map((slot) => ({ slot, next: password })),
    ...reading.usernames.map((slot) => ({ slot, next: username ?? slot.value })),
  ];
  const edits: Edit[] = [];
  for (const { slot, next } of wanted) {
    if (slot.value === next) continue;
    const text = slot.encode(next);
    if (text.kind === 'unencodable') return unreplaceable(text.detail);
    edits.push({ start: slot.start, end: slot.end, text: text.text });
  }
  return edits;
}

function partEdits(reading: Reading, parts: ReadonlyMap<string, string>): readonly Edit[] | Replaced {
  if (reading.parts === undefined) {
    const missing = [...parts].some(([, part]) => part !== '');
    return missing ? unreplaceable('only a JSON object has a place for further parts of a credential') : [];
  }
  const outcome = reading.parts.edits(parts);
  return outcome.kind === 'edits' ? outcome.edits : unreplaceable(outcome.detail);
}

function isRefusal(edits: readonly Edit[] | Replaced): edits is Replaced {
  return 'kind' in edits;
}

interface PlainCredential {
  readonly username: string | undefined;
  readonly password: string;
  readonly parts: ReadonlyMap<string, string>;
}

/** Whether the next reader of the new text finds what was written, and the same target as before. */
function readsBack(text: string, hint: Hint, before: Read, next: PlainCredential): boolean {
  const after = read(text, hint);
  if (after.kind !== 'read' || after.format !== before.format) return false;
  const [was, is] = [before.reading.endpoint, after.reading.endpoint];
  return (
    passwordOf(after.reading) === next.password &&
    (usernameOf(after.reading) ?? '') === (next.username ?? usernameOf(before.reading) ?? '') &&
    [...next.parts].every(([name, part]) => (after.reading.parts?.read(name) ?? '') === part) &&
    was?.host === is?.host &&
    was?.port === is?.port &&
    was?.database === is?.database
  );
}

function replaceIn(text: string, hint: Hint, before: Read, next: PlainCredential): Replaced {
  const parts = partEdits(before.reading, next.parts);
  if (isRefusal(parts)) return parts;
  const slots = slotEdits(before.reading, next.username, next.password);
  if (isRefusal(slots)) return slots;
  // A part that is itself a connection string around the new key says what stands in its field.
  const free = slots.filter((slot) => !parts.some((part) => part.start <= slot.start && slot.end <= part.end));
  const result = applyEdits(text, [...free, ...parts]);
  if (!result.isWellFormed()) return unreplaceable('the value cannot hold half of a surrogate pair');
  if (!readsBack(result, hint, before, next)) {
    return unreplaceable(
      `a value of the format ${before.format} cannot hold this credential: it would be read as another`,
    );
  }
  return { kind: 'replaced', text: result };
}

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

/**
 * Reads a secret's value. `format` is the tag of that name; without it the content type and then the text itself decide. Never throws
 * for what a value holds, and takes time in proportion to its length.
 */
export function parseSecretValue(
  value: SecretText,
  hint: { readonly format?: Format; readonly contentType?: string },
): ParseOutcome {
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
        return { kind: 'replaced', value: new SecretText(mark + replaced.text) };
      },
    },
  };
}
