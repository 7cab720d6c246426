/**
 * Bearer tokens of one Entra tenant.
 *
 * Source: "Access tokens in the Microsoft identity platform": issuer `{login}/{tenant}/v2.0` (version 1: the security token service's
 * own host), keys at `{login}/{tenant}/discovery/v2.0/keys`, RS256, `aud` the application the token is made for, `roles` its app roles.
 */
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import * as z from 'zod';
import { type Caller, callerOf, type Known } from '../caller.ts';

export interface TokenSettings {
  /** Base URL of the login service, without a slash at the end. */
  readonly login: string;
  readonly tenant: string;
  readonly audiences: readonly string[];
  readonly known: Known;
}

export type TokenOutcome =
  | Caller
  /** `detail`: which claim or property, never its value. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** The keys cannot be fetched: no evidence about the token. */
  | { readonly kind: 'unreachable'; readonly detail: string };

export type CheckToken = (token: string) => Promise<TokenOutcome>;

/** Clocks of two machines differ by a little; Microsoft's own libraries allow five minutes. */
const clockToleranceSeconds = 60;

const claims = z.object({
  tid: z.string(),
  oid: z.string().optional(),
  /** The application that asked: `azp` in version 2, `appid` in version 1. */
  azp: z.string().optional(),
  appid: z.string().optional(),
  preferred_username: z.string().optional(),
  upn: z.string().optional(),
  name: z.string().optional(),
  app_displayname: z.string().optional(),
  roles: z.array(z.string()).default([]),
  groups: z.array(z.string()).default([]),
  /** Says where the groups are to be had when a token holds none, because they are too many. */
  _claim_names: z.looseObject({ groups: z.string().optional() }).optional(),
  hasgroups: z.boolean().optional(),
});

function isOverflow({ _claim_names, hasgroups }: z.infer<typeof claims>): boolean {
  return _claim_names?.groups !== undefined || hasgroups === true;
}

const firstVersionIssuers: Readonly<Record<string, string>> = {
  'https://login.chinacloudapi.cn': 'https://sts.chinacloudapi.cn',
};

/** Fetches the tenant's keys when the first token comes, and keeps them. One for each process. */
export function tokenChecker(settings: TokenSettings): CheckToken {
  const { login, tenant, audiences, known } = settings;
  const keys = createRemoteJWKSet(new URL(`${login}/${tenant}/discovery/v2.0/keys`), { timeoutDuration: 5_000 });
  const sts = firstVersionIssuers[login] ?? 'https://sts.windows.net';
  const options = {
    issuer: [`${login}/${tenant}/v2.0`, `${sts}/${tenant}/`],
    audience: [...audiences],
    // Named here and not taken from the token: a token must not choose how it is checked.
    algorithms: ['RS256'],
    requiredClaims: ['exp', 'iat', 'tid'],
    clockTolerance: clockToleranceSeconds,
  };
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, options);
      return judge(payload, tenant, known);
    } catch (error) {
      return refusalOf(error);
    }
  };
}

function judge(payload: JWTPayload, tenant: string, known: Known): TokenOutcome {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    return { kind: 'refused', detail: `the token's claims cannot be read: ${names}` };
  }
  const { tid, oid, azp, appid, preferred_username, upn, name, app_displayname, roles, groups } = parsed.data;
  if (tid.toLowerCase() !== tenant) return { kind: 'refused', detail: 'the token is of another tenant' };
  const identity = {
    objectId: oid,
    // A person's token names the application it was asked through; that application is not who calls.
    applicationId: payload['scp'] === undefined ? (azp ?? appid) : undefined,
    displayName: preferred_username ?? upn ?? name ?? app_displayname,
    roles,
    groups: isOverflow(parsed.data) ? ('overflow' as const) : groups,
  };
  return callerOf(identity, 'token', known) ?? { kind: 'refused', detail: 'the token names no identity' };
}

function refusalOf(error: unknown): TokenOutcome {
  if (error instanceof errors.JWTExpired) return { kind: 'refused', detail: 'the token has expired' };
  if (error instanceof errors.JWTClaimValidationFailed)
    return { kind: 'refused', detail: `the claim "${error.claim}" is not as it must be (${error.reason})` };
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return { kind: 'refused', detail: 'the signature is wrong' };
  if (error instanceof errors.JWKSNoMatchingKey)
    return { kind: 'refused', detail: 'it is signed with no key of the tenant' };
  if (error instanceof errors.JOSEAlgNotAllowed) return { kind: 'refused', detail: 'it is not signed with RS256' };
  if (error instanceof errors.JWKSTimeout)
    return { kind: 'unreachable', detail: 'the login service did not answer in time' };
  if (error instanceof errors.JWKSInvalid || error instanceof TypeError)
    return { kind: 'unreachable', detail: 'the login service gave no list of keys' };
  if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC')
    return { kind: 'refused', detail: 'it is not a token that can be read' };
  if (error instanceof errors.JOSEError)
    return { kind: 'unreachable', detail: 'the login service refused to give its keys' };
  throw error;
}
