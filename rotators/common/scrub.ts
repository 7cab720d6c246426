/** The one scrubber: nothing that a driver or a server says leaves a rotator otherwise than through here. */
import type { SecretText } from '../../shared/contract/secret-text.ts';

/** Longest sentence of the other side that is quoted. */
const quotedLength = 200;

/**
 * A copy of a driver's error that is safe to log: only its name, code and message, with the secrets taken out. Drivers hang statements,
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

/** The text with each secret, and its usual encodings, replaced by `[secret]`. */
export function scrubbedText(text: string, secrets: readonly (SecretText | undefined)[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret === undefined || secret.isEmpty) continue;
    const plain = secret.reveal();
    const forms = [plain, encodeURIComponent(plain), JSON.stringify(plain).slice(1, -1), base64(plain)];
    for (const form of forms) clean = clean.replaceAll(form, '[secret]');
  }
  return clean;
}

/**
 * A sentence of the other side, fit for a message: known secrets are taken out, so is every run that could be a key, control characters
 * go, and it ends after 200 characters.
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
