/** Signatures of Standard Webhooks 1.0.0, symmetric (`v1`): https://github.com/standard-webhooks/standard-webhooks */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedMessage {
  readonly id: string;
  /** Seconds since 1970, as sent. */
  readonly timestamp: string;
  /** The header as sent: one or more of `v1,BASE64`, with blanks between. */
  readonly signatures: string;
  readonly body: Buffer;
}

export type Verdict = 'good' | 'forged' | 'too-old' | 'too-new';

/** More signatures than any sender has reason to send; each costs one comparison. */
const mostSignatures = 16;

/**
 * Whether one of the signatures was made with one of the secrets, within the tolerance. The signature is looked at first: of a stranger's
 * message nothing else is told than that it is forged. Comparisons take the same time wherever two signatures differ.
 */
export function verify(
  message: SignedMessage,
  secrets: readonly string[],
  nowSeconds: number,
  toleranceSeconds: number,
): Verdict {
  const given = message.signatures
    .split(' ')
    .slice(0, mostSignatures)
    .filter((one) => one.startsWith('v1,'))
    .map((one) => Buffer.from(one.slice(3), 'base64'));
  const expected = secrets.map((secret) => sign(message, secret));
  let good = false;
  for (const one of given) {
    for (const other of expected) good = (one.length === other.length && timingSafeEqual(one, other)) || good;
  }
  if (!good || !/^\d{1,12}$/.test(message.timestamp)) return 'forged';
  const ageSeconds = nowSeconds - Number(message.timestamp);
  if (ageSeconds > toleranceSeconds) return 'too-old';
  return ageSeconds < -toleranceSeconds ? 'too-new' : 'good';
}

function sign({ id, timestamp, body }: SignedMessage, secret: string): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}

/** Whether a text can be a signing secret: `whsec_` and base64 of 24 bytes or more, the prefix being optional. */
export function isSigningSecret(secret: string): boolean {
  const encoded = secret.replace(/^whsec_/, '');
  const { length } = Buffer.from(encoded, 'base64');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && length >= 24;
}
