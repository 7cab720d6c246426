import type { SecretText } from '../../shared/contract/secret-text.ts';

const detailLength = 200;

/**
 * Makes a sentence of the other side fit for messages: known secrets are cut out, so is every run that could be a key, control
 * characters go, and it ends after 200 characters.
 */
export function scrub(text: string, secrets: readonly (SecretText | undefined)[] = []): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret === undefined || secret.isEmpty) continue;
    clean = clean.replaceAll(secret.reveal(), '[secret]');
  }
  // A key that nobody here knows yet may be quoted too: long runs without a blank that mix letters and digits are cut out.
  clean = clean.replace(/[A-Za-z0-9+/_=.~-]{16,}/g, (run) => (/\d/.test(run) && /[A-Za-z]/.test(run) ? '[cut]' : run));
  clean = clean.replace(/\p{Cc}+/gu, ' ').trim();
  return clean.length > detailLength ? `${clean.slice(0, detailLength)}…` : clean;
}
