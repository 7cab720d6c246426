/**
 * The caller as App Service authentication names it, in the header `X-MS-CLIENT-PRINCIPAL`.
 *
 * Source: "Work with user identities in Azure App Service authentication": base64 of `{auth_typ, name_typ, role_typ, claims: [{typ, val}]}`.
 * Anybody can send the header to an app where that feature is off; whoever calls this has made sure that it is on.
 */
import * as z from 'zod';
import { type Caller, callerOf, type Known } from '../caller.ts';

const principal = z.object({
  auth_typ: z.string(),
  role_typ: z.string().nullish(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});

const objectIdTypes = ['oid', 'http://schemas.microsoft.com/identity/claims/objectidentifier'];
const tenantTypes = ['tid', 'http://schemas.microsoft.com/identity/claims/tenantid'];
const applicationTypes = ['azp', 'appid'];
const nameTypes = [
  'preferred_username',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
  'name',
];
const roleTypes = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];

/** The platform's caller must be of the tenant in the settings; without one it is nobody's. */
export function callerByPrincipal(
  header: string,
  tenant: string | undefined,
  known: Known,
): Caller | { readonly kind: 'refused'; readonly detail: string } {
  const parsed = principal.safeParse(decoded(header));
  if (!parsed.success) return { kind: 'refused', detail: 'the platform named the caller in a way that cannot be read' };
  const { auth_typ, role_typ, claims } = parsed.data;
  if (auth_typ !== 'aad') return { kind: 'refused', detail: 'the caller did not sign in with Entra' };
  const first = (types: readonly string[]) =>
    types.flatMap((type) => claims.filter((claim) => claim.typ === type).map((claim) => claim.val))[0];
  if (tenant === undefined) return { kind: 'refused', detail: 'KEYTURN_TENANT_ID does not say which tenant is meant' };
  if (first(tenantTypes)?.toLowerCase() !== tenant)
    return { kind: 'refused', detail: 'the caller is of another tenant' };
  const types = [...roleTypes, ...(role_typ ? [role_typ] : [])];
  const identity = {
    objectId: first(objectIdTypes),
    applicationId: claims.some((claim) => claim.typ === 'scp' || claim.typ.endsWith('/identity/claims/scope'))
      ? undefined
      : first(applicationTypes),
    displayName: first(nameTypes),
    roles: claims.filter((claim) => types.includes(claim.typ)).map((claim) => claim.val),
    groups: groupsOf(claims),
  };
  return callerOf(identity, 'platform', known) ?? { kind: 'refused', detail: 'the caller has no object id' };
}

type Claims = z.infer<typeof principal>['claims'];

const groupTypes = ['groups', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups'];

function groupsOf(claims: Claims): readonly string[] | 'overflow' {
  if (claims.some(({ typ }) => typ === '_claim_names' || typ === 'hasgroups')) return 'overflow';
  return claims.filter(({ typ }) => groupTypes.includes(typ)).map(({ val }) => val);
}

function decoded(header: string): unknown {
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
