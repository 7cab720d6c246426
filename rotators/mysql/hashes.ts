/**
 * Whether a password is the one that a server keeps, computed as the server does it. A login would tell too, but one that is refused counts
 * where an account is locked after so many, and none tells the first password of an account from its second.
 */
import { createHash, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { shaCrypt } from './sha-crypt.ts';

/** `unreadable`: kept by a plugin that is known here, in a form that is not. */
export type Match = 'same' | 'other' | 'unreadable';

/** The plugin whose hashes have no salt. An account of MariaDB without a plugin uses it too. */
export const nativePlugin = 'mysql_native_password';

/** `*` and the SHA-1 of the SHA-1, as `mysql_native_password` keeps it. */
export function nativeHash(password: SecretText): string {
  const once = createHash('sha1').update(password.reveal(), 'utf8').digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}

/** Compares with `authentication_string` of an account with this plugin. */
async function compare(plugin: string, stored: Buffer, password: SecretText): Promise<Match> {
  if (password.isEmpty || stored.length === 0) return password.isEmpty === (stored.length === 0) ? 'same' : 'other';
  switch (plugin) {
    case nativePlugin:
      return answer(stored.toString('latin1').toUpperCase() === nativeHash(password));
    case 'caching_sha2_password':
      return compareCaching(stored, password);
    case 'sha256_password':
      return compareSha256(stored, password);
    default:
      // What Keyturn changes is kept by one of the plugins above.
      return 'other';
  }
}

/**
 * Compares passwords with one stored form. Working an answer out takes a server's thousands of rounds, so none is worked out twice, and none
 * at all for the others once one password is known to be the one.
 */
export function comparing(plugin: string, stored: Buffer): (password: SecretText) => Promise<Match> {
  const asked: { readonly password: SecretText; readonly match: Promise<Match> }[] = [];
  let found: SecretText | undefined;
  const work = async (password: SecretText): Promise<Match> => {
    const match = await compare(plugin, stored, password);
    if (match === 'same') found = password;
    return match;
  };
  return async (password) => {
    if (found !== undefined) return answer(found.equals(password));
    const before = asked.find((one) => one.password.equals(password));
    if (before !== undefined) return before.match;
    const match = work(password);
    asked.push({ password, match });
    return match;
  };
}

function answer(same: boolean): Match {
  return same ? 'same' : 'other';
}

const bytes = (password: SecretText) => Buffer.from(password.reveal(), 'utf8');
const derive = promisify(pbkdf2);

// `$A$005$`, 20 bytes of salt, the digest. A is SHA-crypt, B (since 9.6) PBKDF2; then thousands of rounds, in hexadecimal. The salt holds
// any byte: sql/auth/sha2_password.cc of the server, Caching_sha2_password::deserialize.
const prefix = /^\$([AB])\$([0-9A-F]{3})\$/;
const prefixLength = 7;
const saltLength = 20;

async function compareCaching(stored: Buffer, password: SecretText): Promise<Match> {
  const [, form, thousands = ''] = prefix.exec(stored.toString('latin1', 0, prefixLength)) ?? [];
  const salt = stored.subarray(prefixLength, prefixLength + saltLength);
  const kept = stored.toString('latin1', prefixLength + saltLength);
  const rounds = Number.parseInt(thousands, 16) * 1_000;
  if (form === undefined || salt.length < saltLength) return 'unreadable';
  if (form === 'A') return answer(kept === (await shaCrypt(bytes(password), salt, rounds)));
  return answer(kept === (await derive(bytes(password), salt, rounds, 64, 'sha512')).toString('base64'));
}

// `$5$`, the salt, `$`, the digest: https://dev.mysql.com/doc/refman/8.4/en/sha256-pluggable-authentication.html
async function compareSha256(stored: Buffer, password: SecretText): Promise<Match> {
  const [, rounds = '5000', salt, kept] =
    /^\$5\$(?:rounds=(\d+)\$)?([^$]+)\$([^$]+)$/s.exec(stored.toString('latin1')) ?? [];
  if (salt === undefined || kept === undefined) return 'unreadable';
  return answer(kept === (await shaCrypt(bytes(password), Buffer.from(salt, 'latin1'), Number(rounds))));
}
