/** What the fields of JSON say of an address: each field that names one, however it is spelled, and each that should and cannot be read. */
import type { Endpoint } from '../contract/rotator.ts';
import { type Address, parseServers, placesOf } from './address.ts';
import { endsAsHost, familyOfName, familyOfScheme } from './json-family.ts';
import { type FieldRole, hasRole, knownPrefix, shownName } from './json-fields.ts';
import type { JsonMember, JsonNode, JsonObject, JsonString } from './json-scan.ts';
import { type Login, passwordOf, type Reading, type Unreadable, usernameOf } from './reading.ts';
import { isFileText } from './shape.ts';
import { addressOrLogin } from './trust.ts';

/** What stands in a string, if it is a connection string; asked once for each. */
export type Embedded = (node: JsonString) => Reading | Unreadable | undefined;

export interface Claim {
  readonly family: string;
  readonly field: string;
  /** Of a connection string, or of a field called host or the like. */
  readonly from: 'string' | 'field';
  readonly endpoint: Endpoint;
  /** The password and the login that the same string holds. */
  readonly password?: string;
  readonly username?: string;
  /** An address of the web, which counts only where there is no other. */
  readonly web: boolean;
}

export interface Claims {
  readonly claims: readonly Claim[];
  /** Names of fields whose address cannot be read, with the family of each. */
  readonly unreadable: readonly { readonly family: string; readonly field: string }[];
}

function textOf(node: JsonNode): string | undefined {
  if (node.kind === 'string') return node.value.trim();
  if (node.kind === 'literal') return node.text === 'null' ? undefined : node.text;
  if (node.kind !== 'array') return undefined;
  const items = node.items.map(textOf);
  return items.some((item) => item === undefined) ? undefined : items.join(',');
}

const nothing: Claims = { claims: [], unreadable: [] };

function claimOf(claim: Claim): Claims {
  return { claims: [claim], unreadable: [] };
}

function unreadable(family: string, name: string): Claims {
  return { claims: [], unreadable: [{ family, field: shownName(name) }] };
}

function addressClaim(name: string, role: FieldRole, addresses: readonly [Address, ...Address[]]): Claims {
  const { instance } = addresses[0];
  const options: Record<string, string> = instance === undefined ? {} : { instancename: instance };
  const endpoint: Endpoint = { ...placesOf(addresses), options };
  return claimOf({ family: familyOfName(name, role), field: name, from: 'field', endpoint, web: false });
}

function isWebAddress(text: string): boolean {
  return /^https?:/i.test(text);
}

function claimOfString(name: string, text: string, login: Login, password: string | undefined): Claims {
  const isHost = hasRole(name, 'host');
  const web = isWebAddress(text);
  const known = knownPrefix(name, isHost ? 'host' : 'connection-string');
  // The web has many addresses in a value; only under a plain name is it the one to log in at.
  if (login.endpoint === undefined || (web && known === undefined)) return nothing;
  const scheme = familyOfScheme(login.endpoint.options['scheme']);
  const family = known === undefined ? (scheme ?? '') : familyOfName(name, isHost ? 'host' : 'connection-string');
  const username = usernameOf(login);
  return claimOf({
    ...{ family, field: name, from: isHost ? 'field' : 'string', endpoint: login.endpoint, web },
    // A field called host says where to log in, whatever login stands in it.
    ...(password === undefined || isHost ? {} : { password }),
    ...(username === undefined ? {} : { username }),
  });
}

function claimsOfMember({ name: { value: name }, value }: JsonMember, embedded: Embedded): Claims {
  if (hasRole(name, 'password') || hasRole(name, 'username')) return nothing;
  const text = textOf(value);
  if (text === undefined || text === '') return nothing;
  const reading = value.kind === 'string' ? embedded(value) : undefined;
  if (reading?.kind === 'reading') return claimOfString(name, text, reading, passwordOf(reading));
  if (reading?.login !== undefined) return claimOfString(name, text, reading.login, undefined);
  const isHost = hasRole(name, 'host') && !hasRole(name, 'connection-string');
  // A word under "url" or "connection" may be anything; with a dot, a colon or an at-sign it is meant as an address.
  const isUrl = hasRole(name, 'connection-string') && /[^\d][.:@]/.test(text) && !isWebAddress(text);
  if (isHost || isUrl) {
    const addresses = reading === undefined ? parseServers(text) : undefined;
    const role = isHost ? 'host' : 'connection-string';
    return addresses === undefined ? unreadable(familyOfName(name, role), name) : addressClaim(name, role, addresses);
  }
  if (reading !== undefined && !isWebAddress(text)) return unreadable(familyOfName(name, 'connection-string'), name);
  const addresses = endsAsHost(name) && value.kind === 'string' ? parseServers(text) : undefined;
  if (addresses !== undefined) return addressClaim(name, 'host', addresses);
  return isFileText(text) && addressOrLogin(text) === 'an address' ? unreadable('', name) : nothing;
}

/** All that the members of one object say, in their order. */
export function claimsOf(object: JsonObject, embedded: Embedded): Claims {
  const all = object.members.map((member) => claimsOfMember(member, embedded));
  return { claims: all.flatMap((each) => each.claims), unreadable: all.flatMap((each) => each.unreadable) };
}
