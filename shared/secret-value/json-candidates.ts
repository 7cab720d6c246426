/** Every place of a JSON text that may hold the credential. */
import type { Endpoint } from '../contract/rotator.ts';
import { connectionStringReaders, detectConnectionString } from './connection-string.ts';
import type { Embedded } from './json-claims.ts';
import { areDifferent, closest, familyOfName, familyOfScheme } from './json-family.ts';
import { hasRole, knownPrefix, shownName } from './json-fields.ts';
import { partsBeside } from './json-parts.ts';
import { type JsonMember, type JsonNode, type JsonObject, type JsonString, stringLayer } from './json-scan.ts';
import { lift, liftSlot } from './layer.ts';
import { type Encoded, encoded, type Parts, type Reading, type Slot, type Unreadable } from './reading.ts';

/** The password fields of one object that belong together, or one connection string. */
export interface Candidate {
  readonly kind: 'fields' | 'connection-string';
  readonly path: string;
  readonly depth: number;
  readonly family: string;
  /** Known by the name of its field, so that it may be the credential itself and not only a copy of it. */
  readonly named: boolean;
  readonly passwords: readonly [Slot, ...Slot[]];
  readonly usernames: readonly Slot[];
  readonly scope: readonly JsonObject[];
  /** Of the connection string that holds the password. */
  readonly own?: Endpoint;
  readonly parts?: Parts;
  /** Path of another password field of the same object that holds something else. */
  readonly rival?: string;
}

/** A connection string that names a login and no password: the password stands elsewhere. */
export interface Passwordless {
  readonly family: string;
  readonly path: string;
  readonly object: JsonObject | undefined;
  readonly usernames: readonly Slot[];
}

/** A field that should be readable and is not. It counts when no password is found further out. */
interface Problem {
  readonly depth: number;
  readonly detail: string;
}

export interface Found {
  readonly candidates: Candidate[];
  readonly problems: Problem[];
  readonly passwordless: Passwordless[];
  /** All objects, and all strings that are no names. */
  readonly objects: JsonObject[];
  readonly strings: JsonString[];
  readonly embedded: Embedded;
  /** Where each string and object stands. */
  readonly places: Map<JsonNode, Standing>;
}

/** A node of the text, and the member that it is the value of; items of a list have none. */
export interface Standing {
  readonly place: Place;
  readonly owner?: Owner;
}

interface Owner {
  readonly object: JsonObject;
  readonly member: JsonMember;
}

export interface Place {
  readonly path: string;
  readonly depth: number;
  /** The object itself and those around it, nearest first. */
  readonly scope: readonly JsonObject[];
  /** Of the nearest object that names one for the family. The same list for the same question. */
  readonly usernames: (family: string) => readonly Slot[];
}

/** The whole of a JSON string, between its quotes. */
export function plainSlot({ start, end, value }: JsonString): Slot {
  const encode = (next: string): Encoded => encoded(JSON.stringify(next).slice(1, -1));
  return { start: start + 1, end: end - 1, value, encode };
}

/** The connection string in a JSON string; undefined when it is none. */
export function readEmbedded(text: string, node: JsonString): Reading | Unreadable | undefined {
  const format = detectConnectionString(node.value);
  const reading = typeof format === 'string' ? connectionStringReaders[format](node.value) : format;
  if (reading === undefined) return undefined;
  const layer = stringLayer(text, node);
  if (reading.kind === 'reading') return lift(layer, reading);
  const { login } = reading;
  if (login === undefined) return reading;
  return { ...reading, login: { ...login, usernames: login.usernames.map((slot) => liftSlot(layer, slot)) } };
}

export interface StringMember {
  readonly member: JsonMember;
  readonly value: JsonString;
}

export function stringMembers(object: JsonObject): readonly StringMember[] {
  return object.members.flatMap((member) => (member.value.kind === 'string' ? [{ member, value: member.value }] : []));
}

function pathTo(place: Place, member: JsonMember): string {
  return `${place.path}.${shownName(member.name.value)}`;
}

/** Fields that hold one password each, as one candidate; the first is the one that a message names. */
export function candidateOf(
  text: string,
  fields: readonly [StringMember, ...StringMember[]],
  place: Place,
  family: string,
): Candidate {
  const [first, ...others] = fields;
  const rival = others.find((other) => other.value.value !== first.value.value);
  const object = place.scope[0];
  return {
    kind: 'fields',
    path: pathTo(place, first.member),
    depth: place.depth,
    family,
    named: true,
    passwords: [plainSlot(first.value), ...others.map((other) => plainSlot(other.value))],
    usernames: place.usernames(family),
    scope: place.scope,
    ...(object === undefined ? {} : { parts: partsBeside(text, object, first.member) }),
    ...(rival === undefined ? {} : { rival: pathTo(place, rival.member) }),
  };
}

/** The password fields of an object, those together that belong together. */
function fieldCandidates(text: string, object: JsonObject, place: Place): readonly Candidate[] {
  const groups = new Map<string, [StringMember, ...StringMember[]]>();
  for (const field of stringMembers(object)) {
    const name = field.member.name.value;
    if (!hasRole(name, 'password')) continue;
    const family = familyOfName(name, 'password');
    const known = [...groups.keys()].find((other) => !areDifferent(other, family));
    const group = known === undefined ? undefined : groups.get(known);
    if (group === undefined) groups.set(family, [field]);
    else group.push(field);
  }
  return [...groups].map(([family, fields]) => candidateOf(text, fields, place, family));
}

/** The candidate of one string that holds a connection string with a password. */
export function stringCandidate(text: string, reading: Reading, place: Place, owner: Owner | undefined): Candidate {
  const { passwords, usernames, endpoint } = reading;
  const name = owner?.member.name.value ?? '';
  return {
    kind: 'connection-string',
    path: owner === undefined ? place.path : pathTo(place, owner.member),
    depth: place.depth,
    family: familyOfString(name, endpoint),
    named: owner !== undefined && hasRole(name, 'connection-string'),
    passwords,
    usernames,
    scope: place.scope,
    ...(endpoint === undefined ? {} : { own: endpoint }),
    ...(owner === undefined ? {} : { parts: partsBeside(text, owner.object, owner.member) }),
  };
}

function familyOfString(name: string, endpoint: Endpoint | undefined): string {
  const known = knownPrefix(name, 'connection-string');
  if (known !== undefined) return familyOfName(name, 'connection-string');
  return familyOfScheme(endpoint?.options['scheme']) ?? '';
}

function visitString(text: string, value: JsonString, place: Place, owner: Owner | undefined, found: Found): void {
  found.strings.push(value);
  found.places.set(value, { place, ...(owner === undefined ? {} : { owner }) });
  const name = owner?.member.name.value ?? '';
  if (hasRole(name, 'password') || hasRole(name, 'username')) return;
  const reading = found.embedded(value);
  if (reading === undefined) return;
  const path = owner === undefined ? place.path : pathTo(place, owner.member);
  if (reading.kind === 'reading') {
    found.candidates.push(stringCandidate(text, reading, place, owner));
  } else if (reading.login !== undefined) {
    const { usernames, endpoint } = reading.login;
    found.passwordless.push({ family: familyOfString(name, endpoint), path, object: owner?.object, usernames });
  } else if (!reading.noPassword && hasRole(name, 'connection-string')) {
    const detail = `the field ${path} is no readable connection string: ${reading.detail}`;
    found.problems.push({ depth: place.depth, detail });
  }
}

/** The usernames beside a password: those of its own family, else those that belong to it. */
function usernamesIn(object: JsonObject, outside: Place['usernames']): Place['usernames'] {
  const own = stringMembers(object)
    .filter(({ member }) => hasRole(member.name.value, 'username'))
    .map(({ member, value }) => ({ family: familyOfName(member.name.value, 'username'), slot: plainSlot(value) }));
  const answers = new Map<string, readonly Slot[]>();
  return (family) => {
    const known = answers.get(family);
    if (known !== undefined) return known;
    const near = closest(own, family);
    const answer = near.length > 0 ? near.map((each) => each.slot) : outside(family);
    answers.set(family, answer);
    return answer;
  };
}

function visitObject(text: string, object: JsonObject, outside: Place, found: Found): void {
  const place: Place = {
    path: outside.path,
    depth: outside.depth + 1,
    scope: [object, ...outside.scope],
    usernames: usernamesIn(object, outside.usernames),
  };
  found.objects.push(object);
  found.candidates.push(...fieldCandidates(text, object, place));
  for (const member of object.members) {
    const { name, value } = member;
    const isPassword = hasRole(name.value, 'password');
    if (value.kind === 'string') {
      visitString(text, value, place, { object, member }, found);
    } else if (value.kind === 'literal') {
      if (!isPassword || value.text === 'null') continue;
      // It matters only when nothing else holds a password: a "token": true is a setting like any other.
      found.problems.push({
        depth: Number.POSITIVE_INFINITY,
        detail: `the field ${pathTo(place, member)} is no string`,
      });
    } else {
      visit(text, value, { ...place, path: pathTo(place, member) }, found);
    }
  }
}

function visit(text: string, node: JsonNode, place: Place, found: Found): void {
  if (node.kind === 'object') visitObject(text, node, place, found);
  if (node.kind !== 'array') return;
  for (const [index, item] of node.items.entries()) {
    const inside = { ...place, depth: place.depth + 1, path: `${place.path}[${index}]` };
    if (item.kind === 'string') {
      visitString(text, item, inside, undefined, found);
    } else {
      visit(text, item, inside, found);
    }
  }
}

const root: Place = { path: '$', depth: 0, scope: [], usernames: () => [] };

/** Reads each string once, however often it is asked for. */
function remembered(text: string): Embedded {
  const known = new Map<JsonString, Reading | Unreadable | undefined>();
  return (node) => {
    if (!known.has(node)) known.set(node, readEmbedded(text, node));
    return known.get(node);
  };
}

export function findCandidates(text: string, node: JsonNode): Found {
  const found: Found = {
    candidates: [],
    problems: [],
    passwordless: [],
    objects: [],
    strings: [],
    embedded: remembered(text),
    places: new Map(),
  };
  visit(text, node, root, found);
  return found;
}
