/** Every place of a JSON text that may hold the credential. */
import type { Endpoint } from '../contract/rotator.ts';
import { connectionStringReaders, detectConnectionString } from './connection-string.ts';
import { endpointOfFields } from './json-endpoint.ts';
import { hasRole, shownName } from './json-fields.ts';
import { partsBeside } from './json-parts.ts';
import { type JsonMember, type JsonNode, type JsonObject, type JsonString, sourcePositions } from './json-scan.ts';
import { type Encoded, encoded, type Parts, type Reading, type Slot, type Unreadable } from './reading.ts';

/** The password fields of one object, or one connection string. */
export interface Candidate {
  readonly kind: 'fields' | 'connection-string';
  readonly path: string;
  readonly depth: number;
  /** Known by the name of its field, so that it may be the credential itself and not only a copy of it. */
  readonly named: boolean;
  readonly passwords: readonly [Slot, ...Slot[]];
  readonly usernames: readonly Slot[];
  readonly endpoint: () => Endpoint | undefined;
  readonly parts?: Parts;
  /** Path of another password field of the same object that holds something else. */
  readonly rival?: string;
}

export interface Found {
  readonly candidates: Candidate[];
  readonly problems: Problem[];
}

/** A field that should be readable and is not. It counts when no password is found further out. */
interface Problem {
  readonly depth: number;
  readonly detail: string;
}

interface Place {
  readonly path: string;
  readonly depth: number;
  /** The object itself and those around it, nearest first. */
  readonly scope: readonly JsonObject[];
  /** Of the nearest object that names one. */
  readonly usernames: readonly Slot[];
}

function escaped(inner: Encoded): Encoded {
  return inner.kind === 'encoded' ? encoded(JSON.stringify(inner.text).slice(1, -1)) : inner;
}

/** The whole of a JSON string, between its quotes. */
export function plainSlot({ start, end, value }: JsonString): Slot {
  return { start: start + 1, end: end - 1, value, encode: (next) => escaped(encoded(next)) };
}

/** The slots of a text inside a JSON string, moved to where they stand in the JSON text. */
function embed(text: string, node: JsonString, reading: Reading): Reading {
  const positions = sourcePositions(text, node);
  const moved = (slot: Slot): Slot => ({
    start: positions[slot.start] ?? node.end - 1,
    end: positions[slot.end] ?? node.end - 1,
    value: slot.value,
    encode: (next) => escaped(slot.encode(next)),
  });
  const [first, ...others] = reading.passwords;
  return { ...reading, passwords: [moved(first), ...others.map(moved)], usernames: reading.usernames.map(moved) };
}

/** The connection string in a JSON string; undefined when it is none. */
export function readEmbedded(text: string, node: JsonString): Reading | Unreadable | undefined {
  const format = detectConnectionString(node.value);
  if (format === undefined || typeof format !== 'string') return format;
  const reading = connectionStringReaders[format](node.value);
  return reading.kind === 'reading' ? embed(text, node, reading) : reading;
}

interface StringMember {
  readonly member: JsonMember;
  readonly value: JsonString;
}

function stringMembers(object: JsonObject): readonly StringMember[] {
  return object.members.flatMap((member) => (member.value.kind === 'string' ? [{ member, value: member.value }] : []));
}

function pathTo(place: Place, member: JsonMember): string {
  return `${place.path}.${shownName(member.name.value)}`;
}

function fieldsCandidate(text: string, object: JsonObject, place: Place): Candidate | undefined {
  const fields = stringMembers(object).filter(({ member }) => hasRole(member.name.value, 'password'));
  const [first, ...others] = fields;
  if (first === undefined) return undefined;
  const rival = others.find((other) => other.value.value !== first.value.value);
  return {
    kind: 'fields',
    path: pathTo(place, first.member),
    depth: place.depth,
    named: true,
    passwords: [plainSlot(first.value), ...others.map((other) => plainSlot(other.value))],
    usernames: place.usernames,
    endpoint: () => endpointOfFields(place.scope, first.value.value),
    parts: partsBeside(text, object, first.member),
    ...(rival === undefined ? {} : { rival: pathTo(place, rival.member) }),
  };
}

function visitConnectionString(
  text: string,
  object: JsonObject,
  field: StringMember,
  place: Place,
  found: Found,
): void {
  const { member, value } = field;
  const named = hasRole(member.name.value, 'connection-string');
  const path = pathTo(place, member);
  const reading = readEmbedded(text, value);
  if (reading?.kind === 'reading') {
    const { passwords, usernames, endpoint } = reading;
    const parts = partsBeside(text, object, member);
    const { depth } = place;
    found.candidates.push({
      ...{ kind: 'connection-string', path, depth, named, passwords, usernames, parts },
      endpoint: () => endpoint,
    });
  } else if (reading !== undefined && named && !reading.noPassword) {
    found.problems.push({
      depth: place.depth,
      detail: `the field ${path} is no readable connection string: ${reading.detail}`,
    });
  }
}

function visitObject(text: string, object: JsonObject, outside: Place, found: Found): void {
  const own = stringMembers(object).filter(({ member }) => hasRole(member.name.value, 'username'));
  const place: Place = {
    path: outside.path,
    depth: outside.depth + 1,
    scope: [object, ...outside.scope],
    usernames: own.length > 0 ? own.map(({ value }) => plainSlot(value)) : outside.usernames,
  };
  const candidate = fieldsCandidate(text, object, place);
  if (candidate !== undefined) found.candidates.push(candidate);
  for (const member of object.members) {
    const { name, value } = member;
    const isPassword = hasRole(name.value, 'password');
    if (value.kind === 'string') {
      if (isPassword || hasRole(name.value, 'username')) continue;
      visitConnectionString(text, object, { member, value }, place, found);
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
    visit(text, item, { ...place, depth: place.depth + 1, path: `${place.path}[${index}]` }, found);
  }
}

export function findCandidates(text: string, root: JsonNode): Found {
  const found: Found = { candidates: [], problems: [] };
  visit(text, root, { path: '$', depth: 0, scope: [], usernames: [] }, found);
  return found;
}
