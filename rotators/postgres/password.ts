import type { SecretText } from '../../shared/contract/secret-text.ts';
import { PostgresFault } from './fault.ts';
import { scramVerifier, usualIterations } from './scram.ts';
import type { Greeting, Session } from './talk.ts';

/** SCRAM came with version 10. */
const scramVersion = 100_000;

/** Why this server gets no password from us; undefined when it does. */
export function passwordObjection(
  { version }: Pick<Session, 'version'>,
  { passwordEncryption }: Greeting,
): string | undefined {
  if (version < scramVersion) return 'the server is older than PostgreSQL 10 and knows no SCRAM';
  if (passwordEncryption === 'scram-sha-256' || passwordEncryption === 'on') return undefined;
  return (
    `password_encryption is "${passwordEncryption}": this server keeps its passwords as MD5, and Keyturn stores SCRAM-SHA-256 only. ` +
    `Run ALTER SYSTEM SET password_encryption = 'scram-sha-256'; SELECT pg_reload_conf();`
  );
}

/**
 * What to store for a password on a server, asked once the server has answered something. It is computed from now on, while the server
 * answers: most servers want the usual iterations. Throws a `PostgresFault` where the server keeps no SCRAM.
 */
export function storedFormOf(password: SecretText): (session: Session) => Promise<string> {
  const usual = scramVerifier(password, usualIterations);
  return async (session) => {
    const greeting = await session.greeting();
    const objection = passwordObjection(session, greeting);
    if (objection !== undefined) throw new PostgresFault('rejected', objection);
    const iterations = greeting.iterations ?? usualIterations;
    return iterations === usualIterations ? usual : scramVerifier(password, iterations);
  };
}
