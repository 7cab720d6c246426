/** Where to log in, as the fields around a password say. */
import type { Endpoint } from '../contract/rotator.ts';
import { parsePort } from './address.ts';
import { type Claim, type Claims, claimsOf, type Embedded } from './json-claims.ts';
import { areDifferent, closest, familyOfName, isDatabase } from './json-family.ts';
import { byRank, type FieldRole, hasRole, normalized } from './json-fields.ts';
import type { JsonNode, JsonObject } from './json-scan.ts';
import { publicOptions } from './options.ts';

/** Whose address is looked for. */
export interface Seeker {
  readonly family: string;
  readonly password: string;
  /** The object of the password and those around it, nearest first. */
  readonly scope: readonly JsonObject[];
  /** The endpoint of the connection string that holds the password, where it stands in one. */
  readonly own?: Endpoint;
}

export type EndpointOutcome =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint | undefined }
  | { readonly kind: 'unreadable'; readonly detail: string };

function scalar(node: JsonNode): string | undefined {
  if (node.kind === 'string') return node.value;
  return node.kind === 'literal' && node.text !== 'null' ? node.text : undefined;
}

/** The first text that `read` can use, the nearest object first and in it the name that counts most. */
function nearest<Value>(
  { scope, family }: Seeker,
  role: FieldRole,
  read: (text: string) => Value | undefined,
): Value | undefined {
  const order = byRank(role);
  for (const object of scope) {
    const members = object.members
      .filter(({ name }) => hasRole(name.value, role))
      .map(({ name, value }) => ({ name: name.value, value, family: familyOfName(name.value, role) }));
    for (const member of closest(members, family).toSorted((a, b) => order(a.name, b.name))) {
      const text = scalar(member.value);
      const value = text === undefined || text === '' ? undefined : read(text);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

/** A database's name; a whole connection string under that name is none. */
function databaseName(text: string): string | undefined {
  return /:\/\/|[=;@]/.test(text) ? undefined : text;
}

/** Whether the name is that of the host, or its short form. The long form of a short name could be anybody's. */
function isNameOf(host: string, name: string): boolean {
  return host === name || (!name.includes('.') && host.startsWith(`${name}.`));
}

/** What an object says of the address of the password. A string with another password belongs to another credential. */
function ownOf(object: JsonObject, { family, password }: Seeker, embedded: Embedded): Claims {
  const { claims, unreadable } = claimsOf(object, embedded);
  const free = claims.filter((claim) => claim.password === undefined || claim.password === password);
  const near = new Set<{ readonly family: string }>(closest([...free, ...unreadable], family));
  // A plain "url" beside DB_HOST is about the same server or about none.
  const isNear = (each: { readonly family: string }) => near.has(each) || (each.family === '' && isDatabase(family));
  return { claims: free.filter(isNear), unreadable: unreadable.filter(isNear) };
}

/** The fields' own words, completed by what a connection string beside them says of the same host. */
function merged(claims: readonly Claim[], seeker: Seeker): Endpoint | undefined {
  const order = byRank('host');
  const fields = claims.filter((claim) => claim.from === 'field').toSorted((a, b) => order(a.field, b.field));
  const first = seeker.own ?? fields[0]?.endpoint ?? claims[0]?.endpoint;
  if (first === undefined) return undefined;
  const string = claims.find((claim) => claim.from === 'string' && claim.endpoint.host === first.host)?.endpoint;
  const port = seeker.own === undefined ? nearest(seeker, 'port', parsePort) : undefined;
  const database = seeker.own?.database ?? nearest(seeker, 'database', databaseName);
  const named = claims.flatMap(({ endpoint }) => [endpoint.host, ...(endpoint.hosts ?? []).map((each) => each.host)]);
  const known = [first.host, ...(first.hosts ?? []).map((each) => each.host)];
  const others = [...new Set(named)].filter((host) => !known.some((each) => isNameOf(each, host)));
  return {
    ...string,
    ...first,
    ...(port === undefined ? {} : { port }),
    ...(database === undefined ? {} : { database }),
    ...(port === undefined || first.hosts === undefined
      ? {}
      : { hosts: first.hosts.map((each) => ({ port, ...each })) }),
    ...(others.length === 0 ? {} : { otherHosts: others }),
    options: { ...string?.options, ...first.options, ...(seeker.own === undefined ? optionsOf(seeker) : {}) },
  };
}

/** Only fields known to be harmless become options. */
function optionsOf({ scope, password, family }: Seeker): Endpoint['options'] {
  const options = scope.toReversed().flatMap((object) =>
    object.members.flatMap(({ name, value }): [string, string][] => {
      const text = hasRole(name.value, 'option') ? scalar(value) : undefined;
      const other = areDifferent(family, familyOfName(name.value, 'option'));
      return text === undefined || other ? [] : [[normalized(name.value), text]];
    }),
  );
  return publicOptions(options, password);
}

function cannotBeRead(field: string): EndpointOutcome {
  return { kind: 'unreadable', detail: `the field ${field} is an address that cannot be read` };
}

/** An address that stands nowhere near the password: it counts where it is the only one. */
function elsewhere({ claims, unreadable }: Claims, seeker: Seeker): EndpointOutcome {
  const free = claims.filter((claim) => claim.password === undefined && !claim.web);
  const [first, ...others] = free;
  if (others.some((claim) => claim.endpoint.host !== first?.endpoint.host)) {
    const detail =
      'it names several addresses, none of them beside the password; put the right one there, or name the password with the tag "field"';
    return { kind: 'unreadable', detail };
  }
  const [problem] = first === undefined ? unreadable : [];
  return problem === undefined ? { kind: 'endpoint', endpoint: merged(free, seeker) } : cannotBeRead(problem.field);
}

/** Where to log in. `all`: what the whole value says, in objects that hold no password of their own. */
export function findEndpoint(seeker: Seeker, embedded: Embedded, all: () => Claims): EndpointOutcome {
  for (const object of seeker.scope) {
    const { claims, unreadable } = ownOf(object, seeker, embedded);
    const [problem] = unreadable;
    if (problem !== undefined) return cannotBeRead(problem.field);
    const services = claims.filter((claim) => !claim.web);
    if (claims.length > 0) {
      return { kind: 'endpoint', endpoint: merged(services.length > 0 ? services : claims, seeker) };
    }
  }
  if (seeker.own !== undefined) return { kind: 'endpoint', endpoint: seeker.own };
  return elsewhere(all(), seeker);
}
