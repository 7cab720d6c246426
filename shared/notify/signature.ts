/** Signatures of Standard Webhooks 1.0.0, symmetric (`v1`): https://github.com/standard-webhooks/standard-webhooks */
import { Webhook } from 'standardwebhooks';
import type { SecretText } from '../contract/secret-text.ts';

const prefix = 'whsec_';
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** The specification asks for 24 to 64 bytes; longer keys do no harm. */
const leastBytes = 24;

export type SigningKey =
  | { readonly kind: 'key'; readonly bytes: Buffer }
  | { readonly kind: 'unusable'; readonly detail: string };

/** Reads `whsec_` and base64; the prefix may be missing. */
export function readSigningKey(text: SecretText): SigningKey {
  const written = text.reveal();
  const encoded = written.startsWith(prefix) ? written.slice(prefix.length) : written;
  if (!base64.test(encoded)) return { kind: 'unusable', detail: `is not "${prefix}" and base64` };
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length < leastBytes
    ? { kind: 'unusable', detail: `holds ${bytes.length} bytes, and ${leastBytes} are the least` }
    : { kind: 'key', bytes };
}

/** The three headers. One signature for each key, so that a receiver that knows either of them is content. */
export function signedHeaders(
  id: string,
  at: Date,
  body: string,
  keys: readonly Buffer[],
): Readonly<Record<string, string>> {
  // The library would read a text that is no base64, or a short one, without a word; so the key was read and judged before.
  const signatures = keys.map((key) => new Webhook(key, { format: 'raw' }).sign(id, at, body));
  const timestamp = Math.floor(at.getTime() / 1000);
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
