/** Who calls? The first credential that is presented decides: a wrong one is not saved by a right one beside it. */
import type { AccessSettings } from '../../contract/access.ts';
import type { Caller } from '../caller.ts';
import { callerByKey } from './keys.ts';
import { callerByPrincipal } from './principal.ts';
import type { CheckToken } from './token.ts';

export interface Presented {
  /** A header's value by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** A key in the address, where the route takes one there. */
  readonly keyInAddress?: string;
}

export type Authenticated =
  | Caller
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string };

export interface Authenticator {
  /** Whether anybody could be known at all. */
  readonly configured: boolean;
  /** Where a person signs in with a browser; undefined: nowhere. */
  readonly signIn?: string | undefined;
  authenticate(presented: Presented): Promise<Authenticated>;
}

/** `checkToken`: absent where no tenant is configured. */
export function authenticator(access: AccessSettings, checkToken: CheckToken | undefined): Authenticator {
  const { keys, tenant, platformVouches } = access;
  return {
    configured: keys.length > 0 || tenant !== undefined || platformVouches,
    signIn: platformVouches ? '/.auth/login/aad' : undefined,
    async authenticate({ header, keyInAddress }) {
      const principal = header('x-ms-client-principal');
      // Without the platform's word the header may be anybody's, so it counts as not sent.
      if (platformVouches && principal !== undefined) return callerByPrincipal(principal, tenant?.id, access);
      const authorization = header('authorization');
      if (authorization !== undefined) return byAuthorization(authorization, checkToken);
      const key = header('x-keyturn-key') ?? header('x-functions-key') ?? keyInAddress;
      if (key === undefined) return { kind: 'anonymous' };
      return callerByKey(key, keys) ?? { kind: 'refused', detail: 'the key is unknown' };
    },
  };
}

async function byAuthorization(text: string, checkToken: CheckToken | undefined): Promise<Authenticated> {
  const token = /^bearer +([\w.~+/=-]+)$/i.exec(text.trim())?.[1];
  if (token === undefined) return { kind: 'refused', detail: 'the header authorization holds no bearer token' };
  if (checkToken === undefined) return { kind: 'refused', detail: 'no tenant is configured, so no token is accepted' };
  return checkToken(token);
}
