/** How the settings of who may call are read. Like all of them, no message quotes a value. */
import { type ApiKey, type Grant, type Role, roles } from '../contract/access.ts';
import { type ApprovalKind, approvalKinds } from '../contract/approvals.ts';
import { parser, wrong } from './parsers.ts';

const name = /^[\w.@-]{1,64}$/;
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const entries = (text: string): string[] => text.split(/[\s,]+/).filter((one) => one !== '');

function roleOf(text: string, which: string): Role {
  return roles.find((role) => role === text) ?? wrong(`${which} has a role that is none of ${roles.join(', ')}`);
}

const vaultGlob = /^[0-9a-zA-Z*-]{1,127}$/;

/** `ROLE` or `ROLE@VAULT/SECRETS`, the two with `*` for any characters. */
function grantOf(text: string, which: string): Grant {
  const at = text.indexOf('@');
  if (at < 0) return { role: roleOf(text, which) };
  const [vaults = '', secrets = '', ...more] = text.slice(at + 1).split('/');
  if (more.length > 0 || !vaultGlob.test(vaults) || !vaultGlob.test(secrets)) {
    return wrong(`${which} is bounded by something that is not ROLE@VAULT/SECRETS, like operator@prod-kv/orders-*`);
  }
  return { role: roleOf(text.slice(0, at), which), scope: { vaults, secrets } };
}

/** `NAME:ROLE:SHA256`, the role bounded where it says `ROLE@VAULT/SECRETS`; separated by commas, blanks or line ends. */
export const apiKeys = parser((text): readonly ApiKey[] => {
  const keys = entries(text).map((entry, index): ApiKey => {
    const which = `entry ${index + 1}`;
    const [holder = '', role = '', sha256 = '', ...more] = entry.split(':');
    if (more.length > 0 || !name.test(holder)) return wrong(`${which} is not NAME:ROLE:SHA256`);
    if (!/^[0-9a-f]{64}$/i.test(sha256)) return wrong(`${which} does not end in the SHA-256 of a key, 64 hex digits`);
    return { name: holder, ...grantOf(role, which), sha256: sha256.toLowerCase() };
  });
  const known = new Map<string, string>();
  keys.forEach(({ name: holder, role, scope }, index) => {
    const grant = `${role}@${scope?.vaults ?? ''}/${scope?.secrets ?? ''}`;
    const before = known.get(holder) ?? grant;
    if (before !== grant) wrong(`entry ${index + 1} gives a name a second role`);
    known.set(holder, grant);
  });
  return new Set(keys.map((key) => key.sha256)).size === keys.length ? keys : wrong('names one key twice');
});

export const tenantId = parser((text): string | undefined => {
  if (text.trim() === '') return undefined;
  return guid.test(text.trim()) ? text.trim().toLowerCase() : wrong('is not the id of a tenant');
});

/** Client ids or application id URIs. */
export const audiences = parser((text): readonly string[] =>
  entries(text).map((one, index) =>
    guid.test(one) || /^(api|https):\/\/[^\s*]{1,250}$/.test(one)
      ? one
      : wrong(`entry ${index + 1} is neither a client id nor an application id URI`),
  ),
);

/** `OBJECT-ID=ROLE@VAULT/SECRETS`, separated by commas, blanks or line ends. An identity may have several. */
export const roleScopes = parser((text): ReadonlyMap<string, readonly Grant[]> => {
  const scopes = new Map<string, readonly Grant[]>();
  entries(text).forEach((entry, index) => {
    const which = `entry ${index + 1}`;
    const at = entry.indexOf('=');
    const id = entry.slice(0, Math.max(at, 0)).toLowerCase();
    if (!guid.test(id)) wrong(`${which} is not OBJECT-ID=ROLE@VAULT/SECRETS`);
    const grant = grantOf(entry.slice(at + 1), which);
    if (grant.scope === undefined) wrong(`${which} has no bounds: a role that is not named here holds everywhere`);
    scopes.set(id, [...(scopes.get(id) ?? []), grant]);
  });
  return scopes;
});

/** `NAME=ID`, separated by commas; the id of an identity is given one name only. */
export const consumerNames = parser((text): ReadonlyMap<string, string> => {
  const names = new Map<string, string>();
  entries(text).forEach((entry, index) => {
    const at = entry.indexOf('=');
    const [consumer, id] = [entry.slice(0, Math.max(at, 0)), entry.slice(at + 1).toLowerCase()];
    if (!name.test(consumer) || !guid.test(id)) wrong(`entry ${index + 1} is not NAME=ID`);
    if (names.has(id)) wrong(`entry ${index + 1} gives an identity a second name`);
    names.set(id, consumer);
  });
  return names;
});

/** Exactly what the platform writes; anything else is no promise of it. */
export const platformVouches = parser((text): boolean => text === 'True');

/** What a second person must approve. */
export const approvals = parser((text): readonly ApprovalKind[] =>
  entries(text).map(
    (entry, index) =>
      approvalKinds.find((kind) => kind === entry) ??
      wrong(`entry ${index + 1} is none of ${approvalKinds.join(', ')}`),
  ),
);

/** The platform's name of the app. In a local stack it has a port, and links lead nowhere else. */
export const ownHost = parser((text): string | undefined =>
  /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(text.trim()) ? text.trim().toLowerCase() : undefined,
);
