/** Who calls, as far as it was proven. */
import type { Role } from '../contract/access.ts';

export interface Caller {
  readonly kind: 'caller';
  /** Stays the same when a person is renamed: `key:NAME` or `entra:OBJECT-ID`. */
  readonly id: string;
  /** For people, in history and logs; never anything secret. */
  readonly name: string;
  readonly how: 'key' | 'token' | 'platform';
  readonly roles: ReadonlySet<Role>;
  /** The names under which it may acknowledge. Empty unless it is a consumer. */
  readonly consumers: readonly string[];
}

/** Who may do what another may: each role with those above it. */
const enough: Readonly<Record<Role, readonly Role[]>> = {
  reader: ['reader', 'operator', 'emergency'],
  operator: ['operator', 'emergency'],
  emergency: ['emergency'],
  consumer: ['consumer'],
};

/** Whether the caller may do what takes `role`. What is not allowed by a role is refused. */
export function may(caller: Caller, role: Role): boolean {
  return enough[role].some((one) => caller.roles.has(one));
}

/** The roles of Entra applications are called `Keyturn.Reader`, `Keyturn.Operator`, … ; case does not matter. */
export function rolesFromClaims(claims: readonly string[]): ReadonlySet<Role> {
  const named: readonly (readonly [string, Role])[] = [
    ['keyturn.reader', 'reader'],
    ['keyturn.operator', 'operator'],
    ['keyturn.emergency', 'emergency'],
    ['keyturn.consumer', 'consumer'],
  ];
  const given = new Set(claims.map((claim) => claim.toLowerCase()));
  return new Set(named.filter(([claim]) => given.has(claim)).map(([, role]) => role));
}

/** What a token or the platform says of an identity. */
export interface Identity {
  readonly objectId: string | undefined;
  readonly applicationId: string | undefined;
  /** A name for people; anybody may choose it, so nothing is decided by it. */
  readonly displayName: string | undefined;
  readonly roles: readonly string[];
}

/** `consumers`: names by object id or application id, lower case. */
export function callerOf(
  identity: Identity,
  how: 'token' | 'platform',
  consumers: ReadonlyMap<string, string>,
): Caller | undefined {
  const ids = [identity.objectId, identity.applicationId]
    .filter((id) => id !== undefined)
    .map((id) => id.toLowerCase());
  const [stable] = ids;
  if (stable === undefined) return undefined;
  const roles = rolesFromClaims(identity.roles);
  return {
    kind: 'caller',
    id: `entra:${stable}`,
    name: nameOf(identity.displayName, stable),
    how,
    roles,
    consumers: roles.has('consumer') ? ids.flatMap((id) => [consumers.get(id) ?? id]) : [],
  };
}

/** Control characters would break a line of a log in two. */
function nameOf(displayName: string | undefined, id: string): string {
  const clean = (displayName ?? '').replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').slice(0, 128);
  return clean === '' ? id : `${clean} (${id})`;
}
