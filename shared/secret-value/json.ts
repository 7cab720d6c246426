/**
 * Credentials in JSON. The outermost level that holds a password counts; what it holds must be of one mind. The same credential deeper
 * down, or inside a connection string anywhere, is replaced along with it.
 */
import type { Endpoint } from '../contract/rotator.ts';
import { type Candidate, type Found, findCandidates, plainSlot, readEmbedded } from './json-candidates.ts';
import { type JsonString, scanJson } from './json-scan.ts';
import { malformed, noPassword, type Reading, type Slot, type Unreadable } from './reading.ts';

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

/** Why the candidates of one level are not of one mind. */
function disagreement(level: readonly Candidate[]): string | undefined {
  const first = level[0];
  const named = level.find((candidate) => usernameIn(candidate) !== undefined);
  for (const candidate of level) {
    const { path, rival } = candidate;
    if (rival !== undefined) return `the fields ${path} and ${rival} could each be the password and differ; keep one`;
    if (first !== undefined && passwordIn(first) !== passwordIn(candidate)) {
      return `the fields ${first.path} and ${path} could each be the password and differ; keep one`;
    }
    const username = usernameIn(candidate);
    if (named !== undefined && username !== undefined && username !== usernameIn(named)) {
      return `the fields ${named.path} and ${path} belong to different usernames on the same level; keep one`;
    }
  }
  return undefined;
}

/** Whether a candidate of another level is a copy of the credential; one without a username goes with any. */
function isCopy(candidate: Candidate, username: string | undefined, password: string): boolean {
  const other = usernameIn(candidate);
  if (candidate.rival !== undefined || password === '' || passwordIn(candidate) !== password) return false;
  return username === undefined || other === undefined || other === username;
}

function settleCandidates({ candidates, problems }: Found): Reading | Unreadable {
  const named = candidates.filter((candidate) => candidate.named);
  const pool = named.length > 0 ? named : candidates;
  const depth = pool.reduce((least, candidate) => Math.min(least, candidate.depth), Number.POSITIVE_INFINITY);
  const problem = problems.find((each) => each.depth <= depth);
  if (problem !== undefined) return malformed(problem.detail);
  const level = pool.filter((candidate) => candidate.depth === depth);
  const [first] = level;
  if (first === undefined) return noPassword('the JSON has no field that is known to hold a password');
  const contradiction = disagreement(level);
  if (contradiction !== undefined) return malformed(contradiction);
  const chosen = new Set(level);
  const username = level.map(usernameIn).find((name) => name !== undefined);
  const copies = candidates.filter((other) => !chosen.has(other) && isCopy(other, username, passwordIn(first)));
  const all = [...level, ...copies];
  const [password, ...passwords] = together(all.map((candidate) => candidate.passwords));
  const usernames = together(all.map((candidate) => candidate.usernames));
  if (new Set(usernames.map((slot) => slot.value).filter((value) => value !== '')).size > 1) {
    return malformed('the JSON holds two usernames that differ beside its password; keep one');
  }
  const endpoint = endpointOf(level);
  return {
    kind: 'reading',
    passwords: [password ?? first.passwords[0], ...passwords],
    usernames,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(first.parts === undefined ? {} : { parts: first.parts }),
  };
}

/** What the fields say of the target, completed by what a connection string beside them says of the same host. */
function endpointOf(level: readonly Candidate[]): Endpoint | undefined {
  const fields = level.find((candidate) => candidate.kind === 'fields')?.endpoint();
  const string = level.find((candidate) => candidate.kind === 'connection-string')?.endpoint();
  if (fields === undefined || string === undefined) return fields ?? string;
  if (fields.host !== string.host) return fields;
  return { ...string, ...fields, options: { ...string.options, ...fields.options } };
}

/** A JSON text that is one string: a connection string or the password itself. */
function readWholeString(text: string, node: JsonString): Reading | Unreadable {
  const embedded = readEmbedded(text, node);
  if (embedded !== undefined && (embedded.kind === 'reading' || !embedded.noPassword)) return embedded;
  if (node.value === '') return noPassword('it is empty');
  return { kind: 'reading', passwords: [plainSlot(node)], usernames: [] };
}

export function readJson(text: string): Reading | Unreadable {
  const root = scanJson(text);
  if (root.kind === 'unreadable') return root;
  return root.kind === 'string' ? readWholeString(text, root) : settleCandidates(findCandidates(text, root));
}
