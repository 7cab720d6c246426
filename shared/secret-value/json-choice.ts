/** Which of the places that may hold a credential counts. */

import { detectConnectionString } from './connection-string.ts';
import { type Candidate, candidateOf, type Found, stringCandidate } from './json-candidates.ts';
import { familyOfName } from './json-family.ts';
import { follow } from './json-pointer.ts';
import type { JsonNode, JsonString } from './json-scan.ts';
import { malformed, noPassword, type Unreadable } from './reading.ts';
import { surelyNoPassword } from './shape.ts';

type Level = readonly [Candidate, ...Candidate[]];

function usernameIn(candidate: Candidate): string | undefined {
  return candidate.usernames.find((slot) => slot.value !== '')?.value;
}

const keepOne = 'keep one, or name it with the tag "field" (a JSON pointer)';

/** Why the candidates of one level are not of one mind. */
function disagreement(level: Level): string | undefined {
  const [first] = level;
  const named = level.find((candidate) => usernameIn(candidate) !== undefined);
  for (const candidate of level) {
    const { path, rival } = candidate;
    if (rival !== undefined) return `the fields ${path} and ${rival} could each be the password and differ; ${keepOne}`;
    if (first.passwords[0].value !== candidate.passwords[0].value) {
      return `the fields ${first.path} and ${path} could each be the password and differ; ${keepOne}`;
    }
    const username = usernameIn(candidate);
    if (named !== undefined && username !== undefined && username !== usernameIn(named)) {
      return `the fields ${named.path} and ${path} belong to different usernames on the same level; ${keepOne}`;
    }
  }
  return undefined;
}

/** What stands in the field instead of a password. A rotation would replace the whole of it. */
function wrongPassword({ kind, path, passwords }: Candidate): string | undefined {
  if (kind !== 'fields') return undefined;
  const { value } = passwords[0];
  const other = surelyNoPassword(value);
  if (other !== undefined) return `the text of the field ${path} ${other}`;
  const isUri = /^(?:jdbc:|r2dbc:|[a-z][a-z0-9+.-]{1,30}:\/\/)/i.test(value.trim());
  const detected = detectConnectionString(value);
  const isString = typeof detected === 'string' && detected !== 'uri';
  return isUri || isString ? `the field ${path} holds a connection string, and its name says a password` : undefined;
}

/** The outermost ones, those known by their names before all others. */
function outermost(pool: readonly Candidate[], found: Found): Level | Unreadable {
  const named = pool.filter((candidate) => candidate.named);
  const best = named.length > 0 ? named : pool;
  const depth = best.reduce((least, candidate) => Math.min(least, candidate.depth), Number.POSITIVE_INFINITY);
  const problem = found.problems.find((each) => each.depth <= depth);
  if (problem !== undefined) return malformed(problem.detail);
  const [first, ...others] = best.filter((candidate) => candidate.depth === depth);
  if (first === undefined) return noPassword('the JSON has no field that is known to hold a password');
  const level: Level = [first, ...others];
  const wrong = disagreement(level) ?? wrongPassword(first);
  return wrong === undefined ? level : malformed(wrong);
}

function ofString(text: string, node: JsonString, found: Found): Level | Unreadable {
  const standing = found.places.get(node);
  const reading = found.embedded(node);
  if (standing !== undefined && reading?.kind === 'reading') {
    return [stringCandidate(text, reading, standing.place, standing.owner)];
  }
  const owner = standing?.owner;
  if (standing === undefined || owner === undefined) return malformed('the tag "field" points at no field');
  if (node.value === '') return noPassword('the field that the tag "field" points at is empty');
  if (reading?.kind === 'unreadable')
    return malformed(`of the field that the tag "field" points at: ${reading.detail}`);
  const family = familyOfName(owner.member.name.value, 'password');
  const candidate = candidateOf(text, [{ member: owner.member, value: node }], standing.place, family);
  const wrong = wrongPassword(candidate);
  return wrong === undefined ? [candidate] : malformed(wrong);
}

/** The candidates that count, or why none does. `field` points at one of them, or at an object around it. */
export function choose(text: string, root: JsonNode, found: Found, field: string | undefined): Level | Unreadable {
  if (field === undefined) return outermost(found.candidates, found);
  const node = follow(root, field);
  if (node === undefined) return malformed('the tag "field" points at nothing in the JSON');
  if (node.kind === 'literal') return malformed('the tag "field" points at something that is no text');
  if (node.kind === 'string') return ofString(text, node, found);
  const inside = ({ start }: { readonly start: number }) => node.start < start && start < node.end;
  return outermost(
    found.candidates.filter((candidate) => inside(candidate.passwords[0])),
    { ...found, problems: [] },
  );
}
