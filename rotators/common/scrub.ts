import type { SecretText } from '../../shared/contract/secret-text.ts';

/**
 * A copy of a driver's error that is safe to log: only its name, code and message, with the secrets taken out. Drivers hang statements,
 * parameters and connection settings onto their errors, and servers quote the statement that failed.
 */
export function scrubbed(error: unknown, secrets: readonly SecretText[]): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  const copy = new Error(scrubbedText(source.message, secrets));
  copy.name = source.name;
  if ('code' in source && typeof source.code === 'string') {
    Object.defineProperty(copy, 'code', { value: source.code, enumerable: true });
  }
  return copy;
}

/** The text with each secret, and its usual encodings, replaced by `[secret]`. */
export function scrubbedText(text: string, secrets: readonly SecretText[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.isEmpty) continue;
    const plain = secret.reveal();
    const forms = [plain, encodeURIComponent(plain), JSON.stringify(plain).slice(1, -1), base64(plain)];
    for (const form of forms) clean = clean.replaceAll(form, '[secret]');
  }
  return clean;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
