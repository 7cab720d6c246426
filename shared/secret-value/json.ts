/**
 * Credentials in JSON. The outermost level that holds a password counts, or what the tag "field" points at; all that it holds must be of
 * one mind. The same credential deeper down, in base64, or inside a connection string anywhere, is replaced along with it.
 */
import { type Candidate, type Found, findCandidates, plainSlot, readEmbedded } from './json-candidates.ts';
import { choose } from './json-choice.ts';
import { type Claims, claimsOf } from './json-claims.ts';
import { copiesOf } from './json-copies.ts';
import { findEndpoint } from './json-endpoint.ts';
import { areDifferent, closest } from './json-family.ts';
import { hasRole } from './json-fields.ts';
import { type JsonString, scanJson } from './json-scan.ts';
import { malformed, noPassword, type Reading, type Slot, type Unreadable } from './reading.ts';
import { otherThanPassword } from './shape.ts';

export interface JsonHint {
  /** A JSON pointer to the password, to a connection string, or to the object that holds the credential. */
  readonly field?: string;
  /** Whether a credential is sent to the address that the value names, so that it must be readable. */
  readonly hasAddress: boolean;
}

function passwordIn(candidate: Candidate): string {
  return candidate.passwords[0].value;
}

function usernameIn(candidate: Candidate): string | undefined {
  return candidate.usernames.find((slot) => slot.value !== '')?.value;
}

/** The slots without repetitions: candidates of one object share those of the username. */
function together(lists: readonly (readonly Slot[])[]): readonly Slot[] {
  const slots = [...new Set(lists)].flat();
  return [...new Map(slots.map((slot) => [slot.start, slot])).values()];
}

/** Whether a candidate of another place is a copy of the credential; one without a username goes with any. */
function isCopy(candidate: Candidate, username: string | undefined, first: Candidate): boolean {
  const other = usernameIn(candidate);
  if (candidate.rival !== undefined || areDifferent(candidate.family, first.family)) return false;
  return username === undefined || other === undefined || other === username;
}

/** The places of the username in connection strings that name no password. */
function loginsElsewhere(found: Found, level: readonly Candidate[], username: string | undefined): readonly Slot[] {
  const [first] = level;
  if (first === undefined) return [];
  const filled = found.passwordless.map((each) => ({
    ...each,
    usernames: each.usernames.filter((slot) => slot.value !== ''),
  }));
  const near = new Set(closest(filled, first.family));
  return filled.flatMap((each) => {
    const beside = each.object !== undefined && each.object === first.scope[0] && near.has(each);
    return each.usernames.filter((slot) => beside || slot.value === username);
  });
}

/** What the objects say that hold no password of their own. */
function allClaims(found: Found): Claims {
  const free = found.objects.filter(
    ({ members }) => !members.some(({ name, value }) => value.kind === 'string' && hasRole(name.value, 'password')),
  );
  const all = free.map((object) => claimsOf(object, found.embedded));
  return { claims: all.flatMap((each) => each.claims), unreadable: all.flatMap((each) => each.unreadable) };
}

function endpointOf(found: Found, level: readonly Candidate[], first: Candidate, hint: JsonHint) {
  const fields = level.find((candidate) => candidate.kind === 'fields');
  const { family, scope, own } = fields ?? first;
  const seeker = { family, scope, password: passwordIn(first), ...(own === undefined ? {} : { own }) };
  const outcome = findEndpoint(seeker, found.embedded, () => allClaims(found));
  if (outcome.kind === 'endpoint') return outcome.endpoint;
  return hint.hasAddress ? malformed(outcome.detail) : undefined;
}

function settleLevel(found: Found, level: readonly [Candidate, ...Candidate[]], hint: JsonHint): Reading | Unreadable {
  const [first] = level;
  const chosen = new Set<Candidate>(level);
  const named = level.map(usernameIn).find((name) => name !== undefined);
  const same = found.candidates.filter(
    (other) => !chosen.has(other) && passwordIn(first) !== '' && passwordIn(other) === passwordIn(first),
  );
  const all = [...level, ...same.filter((other) => isCopy(other, named, first))];
  const usernames = together([...all.map((each) => each.usernames), loginsElsewhere(found, level, named)]);
  const names = new Set(usernames.map((slot) => slot.value).filter((value) => value !== ''));
  if (names.size > 1) return malformed('the JSON holds two usernames that differ beside its password; keep one');
  const endpoint = endpointOf(found, level, first, hint);
  if (endpoint !== undefined && 'kind' in endpoint) return endpoint;
  const [password, ...passwords] = together(all.map((candidate) => candidate.passwords));
  const slots: [Slot, ...Slot[]] = [password ?? first.passwords[0], ...passwords];
  const taken = new Set([...slots, ...usernames].map((slot) => slot.start));
  const copies = copiesOf(found.strings, [...names][0] ?? '', passwordIn(first));
  const stranger = same.find((other) => !all.includes(other));
  return {
    ...{ kind: 'reading', passwords: slots, usernames },
    copies: copies.filter((copy) => !taken.has(copy.start)),
    labels: found.objects.flatMap(({ members }) => members.map(({ name }) => name)),
    ...(stranger === undefined
      ? {}
      : { kept: `the field ${stranger.path} holds the same password for something else` }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(first.parts === undefined ? {} : { parts: first.parts }),
  };
}

/** A JSON text that is one string: a connection string or the password itself. */
function readWholeString(text: string, node: JsonString): Reading | Unreadable {
  const embedded = readEmbedded(text, node);
  if (embedded !== undefined) return embedded;
  if (node.value === '') return noPassword('it is empty');
  const other = otherThanPassword(node.value);
  if (other !== undefined) return malformed(`the text in its quotes ${other}`);
  return { kind: 'reading', passwords: [plainSlot(node)], usernames: [] };
}

export function readJson(text: string, hint: JsonHint): Reading | Unreadable {
  const root = scanJson(text);
  if (root.kind === 'unreadable') return root;
  if (root.kind === 'string' && hint.field === undefined) return readWholeString(text, root);
  const found = findCandidates(text, root);
  const level = choose(text, root, found, hint.field);
  return 'kind' in level ? level : settleLevel(found, level, hint);
}
