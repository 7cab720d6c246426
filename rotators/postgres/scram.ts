import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { SecretText } from '../../shared/contract/secret-text.ts';

const derive = promisify(pbkdf2);

/** Iterations of a server that has no setting for it (before version 16). */
export const usualIterations = 4096;

/**
 * What Postgres stores for a password, computed here so that the password itself never reaches the server, its log or
 * `pg_stat_statements`. Given to ALTER ROLE … PASSWORD in place of a password it is stored as it is.
 *
 * Format `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`: https://www.postgresql.org/docs/current/catalog-pg-authid.html;
 * the keys: RFC 5802, section 3. Each call draws another salt.
 */
export async function scramVerifier(password: SecretText, iterations: number): Promise<string> {
  const salt = randomBytes(16);
  const salted = await derive(prepare(password.reveal()), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

// SASLprep, RFC 4013: other blanks become a blank, characters without a meaning of their own go, the rest is NFKC. A password of
// Keyturn's own is plain ASCII and comes out as it is; one that a person chose may be put back by a rollback.
function prepare(password: string): string {
  return password
    .replaceAll(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replaceAll(/\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g, '')
    .normalize('NFKC');
}
