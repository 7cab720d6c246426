/**
 * Keys and certificates of a vault, for programs that look at when they end and who renews them: their listings, the rotation policy of a
 * key and the policy of a certificate. Nothing else of them is played.
 */
import type { Answer } from './answer.ts';
import { forbiddenByRbac, methodNotAllowed, notFound } from './errors.ts';

export interface ShelvedKey {
  readonly name: string;
  readonly expiresSeconds?: number;
  readonly enabled?: boolean;
  /** Whether its rotation policy makes a new version. */
  readonly rotates?: boolean;
}

export interface ShelvedCertificate {
  readonly name: string;
  readonly expiresSeconds: number;
  /** `Self`, `Unknown`, or the name of an issuer. */
  readonly issuer: string;
  /** What its policy does before the end. Absent: nothing. */
  readonly action?: 'AutoRenew' | 'EmailContacts';
}

export interface Shelf {
  readonly keys: ShelvedKey[];
  readonly certificates: ShelvedCertificate[];
  /** Reading either is refused. */
  closed: boolean;
}

/** Undefined where the path is not of a key or a certificate. */
export function answerShelf(
  vault: string,
  shelf: Shelf,
  method: string,
  { origin, pathname }: URL,
): Answer | undefined {
  const [collection, name, rest] = pathname.split('/').filter((part) => part !== '');
  if (collection !== 'keys' && collection !== 'certificates') return undefined;
  if (method !== 'GET') return methodNotAllowed(method);
  if (shelf.closed) return forbiddenByRbac(vault, name ?? '');
  if (collection === 'keys') return keyAnswer(shelf, origin, name, rest);
  return certificateAnswer(shelf, origin, name, rest);
}

function keyAnswer({ keys }: Shelf, origin: string, name: string | undefined, rest: string | undefined): Answer {
  if (name === undefined) {
    const value = keys.map((key) => ({
      kid: `${origin}/keys/${key.name}`,
      attributes: {
        enabled: key.enabled ?? true,
        ...(key.expiresSeconds === undefined ? {} : { exp: key.expiresSeconds }),
      },
    }));
    return { status: 200, body: { value, nextLink: null } };
  }
  const key = keys.find((one) => one.name === name);
  if (key === undefined || rest !== 'rotationpolicy') return notFound();
  const rotate = { trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Rotate' } };
  const notify = { trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Notify' } };
  return {
    status: 200,
    body: { lifetimeActions: [...(key.rotates === true ? [rotate] : []), notify], attributes: {} },
  };
}

function certificateAnswer(
  { certificates }: Shelf,
  origin: string,
  name: string | undefined,
  rest: string | undefined,
): Answer {
  if (name === undefined) {
    const value = certificates.map((one) => ({
      id: `${origin}/certificates/${one.name}`,
      attributes: { enabled: true, exp: one.expiresSeconds },
    }));
    return { status: 200, body: { value, nextLink: null } };
  }
  const one = certificates.find((each) => each.name === name);
  if (one === undefined || rest !== 'policy') return notFound();
  const actions =
    one.action === undefined ? [] : [{ trigger: { days_before_expiry: 30 }, action: { action_type: one.action } }];
  return { status: 200, body: { issuer: { name: one.issuer }, lifetime_actions: actions } };
}
