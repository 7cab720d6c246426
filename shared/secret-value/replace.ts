/** Writes another credential into a text that was read. */
import { fieldNames } from './json-fields.ts';
import { type Hint, type Read, read } from './read.ts';
import { applyEdits, type Edit, type Encoded, type Place, passwordOf, type Reading, usernameOf } from './reading.ts';
import { remains } from './remains.ts';

export type Replaced =
  | { readonly kind: 'replaced'; readonly text: string }
  | { readonly kind: 'unreplaceable'; readonly detail: string };

function unreplaceable(detail: string): Replaced & { readonly kind: 'unreplaceable' } {
  return { kind: 'unreplaceable', detail };
}

/** The edits of the places that hold the credential; those that hold the right text already are left as they are written. */
function slotEdits(reading: Reading, username: string | undefined, password: string): readonly Edit[] | Replaced {
  if (username !== undefined && username !== (usernameOf(reading) ?? '') && reading.usernames.length === 0) {
    return unreplaceable('the value has no place for a username');
  }
  const login = username ?? usernameOf(reading) ?? '';
  const changed = password !== passwordOf(reading) || login !== (usernameOf(reading) ?? '');
  const wanted: (Place & { readonly next: Encoded })[] = [
    ...reading.passwords
      .filter((slot) => slot.value !== password)
      .map((slot) => ({ ...slot, next: slot.encode(password) })),
    ...reading.usernames
      .filter((slot) => username !== undefined && slot.value !== username)
      .map((slot) => ({ ...slot, next: slot.encode(login) })),
    ...(changed ? (reading.copies ?? []) : []).map((copy) => ({ ...copy, next: copy.encode(login, password) })),
  ];
  const edits: Edit[] = [];
  for (const { start, end, next } of wanted) {
    if (next.kind === 'unencodable') return unreplaceable(next.detail);
    edits.push({ start, end, text: next.text });
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

/** A credential in the clear, on its way into a text. */
export interface PlainCredential {
  readonly username: string | undefined;
  readonly password: string;
  readonly parts: ReadonlyMap<string, string>;
}

/** Whether the next reader of the new text finds what was written, and the same target as before. */
function readsBack(text: string, hint: Hint, before: Read, next: PlainCredential): boolean {
  const after = read(text, hint);
  if (after.kind !== 'read' || after.format !== before.format) return false;
  return (
    passwordOf(after.reading) === next.password &&
    (usernameOf(after.reading) ?? '') === (next.username ?? usernameOf(before.reading) ?? '') &&
    [...next.parts].every(([name, part]) => (after.reading.parts?.read(name) ?? '') === part) &&
    targetOf(after.reading) === targetOf(before.reading)
  );
}

function targetOf({ endpoint }: Reading): string {
  return JSON.stringify([endpoint?.host, endpoint?.port, endpoint?.database, endpoint?.hosts, endpoint?.otherHosts]);
}

function liesIn(place: Place, others: readonly Place[]): boolean {
  return others.some((other) => other.start <= place.start && place.end <= other.end);
}

/** What stays of the text when the credential is taken out, with the further parts that are written; not `previous`, which keeps the old one. */
function restOf(text: string, reading: Reading, next: PlainCredential): string | Replaced {
  const written = new Map([...next.parts].filter(([name]) => name !== 'previous'));
  const parts = partEdits(reading, written);
  if (isRefusal(parts)) return parts;
  const holes = [
    ...[...reading.passwords, ...reading.usernames, ...(reading.copies ?? []), ...(reading.labels ?? [])],
    ...(reading.parts?.places('previous') ?? []),
  ];
  const free = holes.filter((hole) => !liesIn(hole, parts)).map(({ start, end }) => ({ start, end, text: '\0' }));
  return applyEdits(text, [...free, ...parts]);
}

/** Why the old password would stay in the value; undefined when it does not. */
function keepsOld(text: string, { reading }: Read, next: PlainCredential): string | undefined {
  const old = passwordOf(reading);
  if (next.password === old) return undefined;
  if (reading.kept !== undefined) return `${reading.kept}, which would keep the old one`;
  const rest = restOf(text, reading, next);
  if (typeof rest !== 'string') return undefined;
  const { host = '', database = '', options = {} } = reading.endpoint ?? {};
  const words = [
    usernameOf(reading) ?? '',
    host,
    database,
    ...Object.keys(options),
    ...Object.values(options),
    ...fieldNames,
  ];
  return remains(rest, old, words)
    ? 'the old password would stay in another place of the value, as it is or in another encoding; take it out there'
    : undefined;
}

/** The text with another credential, every other byte as it was; or why it cannot hold it. */
export function replaceIn(text: string, hint: Hint, before: Read, next: PlainCredential): Replaced {
  const parts = partEdits(before.reading, next.parts);
  if (isRefusal(parts)) return parts;
  const slots = slotEdits(before.reading, next.username, next.password);
  if (isRefusal(slots)) return slots;
  // A part that is itself a connection string around the new key says what stands in its field.
  const free = slots.filter((slot) => !liesIn(slot, parts));
  const old = keepsOld(text, before, next);
  if (old !== undefined) return unreplaceable(old);
  const result = applyEdits(text, [...free, ...parts]);
  if (!result.isWellFormed()) return unreplaceable('the value cannot hold half of a surrogate pair');
  if (!readsBack(result, hint, before, next)) {
    return unreplaceable(
      `a value of the format ${before.format} cannot hold this credential: it would be read as another`,
    );
  }
  return { kind: 'replaced', text: result };
}
