/** The one scrubber: nothing that a driver or a server says leaves a rotator otherwise than through here. */
import type { SecretText } from '../../shared/contract/secret-text.ts';

/** Longest sentence of the other side that is quoted. */
const quotedLength = 200;

/**
 * A copy of a driver's error that is safe to log: only its name, code and message, and no message that held a secret. Drivers hang statements,
 * parameters and connection settings onto their errors, and servers quote the statement that failed.
 */
export function scrubbed(error: unknown, secrets: readonly SecretText[]): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  return copyOf(source, scrubbedText(source.message, secrets));
}

/** The same with a message that was made safe already. */
export function copyOf(source: Error, message: string): Error {
  const copy = new Error(message);
  copy.name = source.name;
  if ('code' in source && typeof source.code === 'string') {
    Object.defineProperty(copy, 'code', { value: source.code, enumerable: true });
  }
  return copy;
}

/**
 * The text, or a sentence in its place where it holds a secret, plain or in a usual encoding. It is left out whole: what stands around a
 * blank tells how long a secret is, and a weak one that is a word of the sentence could be read off the blank.
 */
export function scrubbedText(text: string, secrets: readonly (SecretText | undefined)[]): string {
  return secrets.some((secret) => holds(text, secret)) ? leftOut : text;
}

/** Stands in the place of a text that held a secret. */
export const leftOut = '(left out, because it held a secret)';

function holds(text: string, secret: SecretText | undefined): boolean {
  if (secret === undefined || secret.isEmpty) return false;
  const plain = secret.reveal();
  const forms = [plain, encodeURIComponent(plain.toWellFormed()), JSON.stringify(plain).slice(1, -1), base64(plain)];
  return forms.some((form) => text.includes(form));
}

/**
 * A sentence of the other side, fit for a message: it is left out where it holds a known secret, every run that could be a key is cut out,
 * control characters go, and it ends after 200 characters.
 */
export function quoted(text: string, secrets: readonly (SecretText | undefined)[]): string {
  let clean = scrubbedText(text, secrets);
  // A key that nobody here knows yet may be quoted too: long runs without a blank that mix letters and digits are cut out.
  clean = clean.replace(/[A-Za-z0-9+/_=.~-]{16,}/g, (run) => (/\d/.test(run) && /[A-Za-z]/.test(run) ? '[cut]' : run));
  clean = clean.replace(/\p{Cc}+/gu, ' ').trim();
  return clean.length > quotedLength ? `${clean.slice(0, quotedLength)}…` : clean;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
