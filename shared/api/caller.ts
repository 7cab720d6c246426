/** Who calls, as far as it was proven. */
import type { Grant, Role } from '../contract/access.ts';
import { listsName } from '../engine/policy/glob.ts';

export interface Caller {
  readonly kind: 'caller';
  /** Stays the same when a person is renamed: `key:NAME` or `entra:OBJECT-ID`. */
  readonly id: string;
  /** For people, in history and logs; never anything secret. */
  readonly name: string;
  readonly how: 'key' | 'token' | 'platform';
  /** Whether a person of Entra was signed in; not a key, and not an application of its own. */
  readonly person: boolean;
  /** Roles, and where each holds. */
  readonly grants: readonly Grant[];
  /** The names under which it may acknowledge. Empty unless it is a consumer. */
  readonly consumers: readonly string[];
}

/** The secret that a request is about. */
export interface Place {
  readonly vault: string;
  readonly secret: string;
}

/** Who may do what another may: each role with those above it. */
const enough: Readonly<Record<Role, readonly Role[]>> = {
  reader: ['reader', 'operator', 'emergency'],
  operator: ['operator', 'emergency'],
  emergency: ['emergency'],
  consumer: ['consumer'],
};

/**
 * Whether the caller may do what takes `role`. `where`: a secret; `everywhere`: what concerns all of them, which takes a role without bounds;
 * `somewhere`: whoever answers looks at each secret itself. What is not allowed by a role is refused.
 */
export function may(caller: Caller, role: Role, where: Place | 'everywhere' | 'somewhere'): boolean {
  return caller.grants.some((grant) => enough[role].includes(grant.role) && covers(grant, where));
}

function covers({ scope }: Grant, where: Place | 'everywhere' | 'somewhere'): boolean {
  if (scope === undefined || where === 'somewhere') return true;
  if (where === 'everywhere') return false;
  return listsName(scope.vaults, where.vault) && listsName(scope.secrets, where.secret);
}

/** For people: each role, with its bounds. */
export function rolesOf({ grants }: Caller): readonly string[] {
  return grants.map(({ role, scope }) => (scope === undefined ? role : `${role}@${scope.vaults}/${scope.secrets}`));
}

/** The roles of Entra applications are called `Keyturn.Reader`, `Keyturn.Operator`, … ; case does not matter. */
export function rolesFromClaims(claims: readonly string[]): readonly Role[] {
  const named: readonly (readonly [string, Role])[] = [
    ['keyturn.reader', 'reader'],
    ['keyturn.operator', 'operator'],
    ['keyturn.emergency', 'emergency'],
    ['keyturn.consumer', 'consumer'],
  ];
  const given = new Set(claims.map((claim) => claim.toLowerCase()));
  return named.filter(([claim]) => given.has(claim)).map(([, role]) => role);
}

/** What a token or the platform says of an identity. */
export interface Identity {
  readonly objectId: string | undefined;
  readonly applicationId: string | undefined;
  /** A name for people; anybody may choose it, so nothing is decided by it. */
  readonly displayName: string | undefined;
  readonly roles: readonly string[];
  /** Object ids of its groups. `overflow`: there are more than fit into the token, so it is not known which. */
  readonly groups: readonly string[] | 'overflow';
}

/** What the settings say of identities. */
export interface Known {
  /** Names of consumers by object id or application id, lower case. */
  readonly consumers: ReadonlyMap<string, string>;
  /** Bounds of roles by the object id of a user, a group or an application, lower case. */
  readonly scopes: ReadonlyMap<string, readonly Grant[]>;
}

/** Undefined where the identity has no id; a text where it is not certain what it may. */
export function callerOf(
  identity: Identity,
  how: 'token' | 'platform',
  { consumers, scopes }: Known,
): Caller | undefined | { readonly kind: 'refused'; readonly detail: string } {
  const ids = [identity.objectId, identity.applicationId].flatMap((id) =>
    id !== undefined && isId(id) ? [id.toLowerCase()] : [],
  );
  const [stable] = ids;
  if (stable === undefined) return undefined;
  if (identity.groups === 'overflow' && scopes.size > 0) {
    const detail =
      'it is in more groups than its token holds, so its bounds are not known: assign the groups to the application, and let the token hold only those';
    return { kind: 'refused', detail };
  }
  const groups = identity.groups === 'overflow' ? [] : identity.groups.map((group) => group.toLowerCase());
  const bounds = [...ids, ...groups].flatMap((id) => scopes.get(id) ?? []);
  const roles = rolesFromClaims(identity.roles);
  return {
    kind: 'caller',
    id: `entra:${stable}`,
    name: nameOf(identity.displayName, stable),
    how,
    person: identity.objectId !== undefined && identity.applicationId === undefined,
    grants: roles.flatMap((role) => bounded(role, bounds)),
    consumers: roles.includes('consumer') ? ids.flatMap((id) => [consumers.get(id) ?? id]) : [],
  };
}

/** Ids are GUIDs. They stand in logs, tags and messages, so nothing longer counts as one, and nothing that could break a line. */
function isId(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text);
}

/** Entra says who has a role, and the settings where: bounds give nobody a role that Entra does not. */
function bounded(role: Role, bounds: readonly Grant[]): readonly Grant[] {
  const own = bounds.filter((bound) => bound.role === role);
  return own.length === 0 ? [{ role }] : own;
}

/** Control characters would break a line of a log in two. */
function nameOf(displayName: string | undefined, id: string): string {
  const clean = (displayName ?? '').replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').slice(0, 128);
  return clean === '' ? id : `${clean} (${id})`;
}
