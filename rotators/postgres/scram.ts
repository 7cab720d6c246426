import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import saslprep from '@mongodb-js/saslprep';
import type { SecretText } from '../../shared/contract/secret-text.ts';

const derive = promisify(pbkdf2);

/** Iterations of a server that has no setting for it (before version 16). */
export const usualIterations = 4096;

/**
 * What Postgres stores for a password, computed here so that the password itself never reaches the server, its log or
 * `pg_stat_statements`. Given to ALTER ROLE … PASSWORD in place of a password it is stored as it is.
 *
 * Format `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`: https://www.postgresql.org/docs/current/catalog-pg-authid.html;
 * the keys: RFC 5802, section 3. Each call draws another salt, unless one is given.
 */
export async function scramVerifier(
  password: SecretText,
  iterations: number,
  salt: Buffer = randomBytes(16),
): Promise<string> {
  const salted = await derive(prepared(password.reveal()), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

// A password of Keyturn's own is plain ASCII and comes out as it is; one that a person chose may be put back by a roll-back.
function prepared(password: string): string {
  try {
    return saslprep(password);
  } catch (forbidden) {
    // RFC 4013 forbids some characters and mixtures. Server and libpq then take the password as it is (src/common/saslprep.c).
    if (forbidden instanceof Error) return password;
    throw forbidden;
  }
}
