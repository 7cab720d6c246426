/**
 * SHA-crypt with SHA-256, the form in which MySQL keeps a password: https://www.akkadia.org/drepper/SHA-crypt.txt. Node has no function
 * for it. The salt may be longer here than there, and the rounds are a field of their own.
 */
import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

const size = 32;
// A lease has to be renewed meanwhile, and a server may ask for four million rounds.
const roundsAtATime = 2_000;

/** The digest as the 43 characters that follow the salt. */
export async function shaCrypt(password: Buffer, salt: Buffer, rounds: number): Promise<string> {
  const ofPassword = repeated(sha(Buffer.alloc(password.length ** 2, password)), password.length);
  let digest = firstDigest(password, salt);
  const ofSalt = repeated(sha(Buffer.alloc(salt.length * (16 + (digest[0] ?? 0)), salt)), salt.length);
  const mixes = Array.from({ length: period }, (_, round) => mixOf(round, ofPassword, ofSalt));
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && round % roundsAtATime === 0) await setImmediate();
    const mix = mixes[round % period];
    if (mix !== undefined) {
      digest.copy(mix.text, mix.at);
      digest = sha(mix.text);
    }
  }
  return encoded(digest);
}

/** What a round hashes, with the place for the digest of the round before. A round differs from the next by 2, 3 and 7: 42 of them are all. */
const period = 2 * 3 * 7;

function mixOf(round: number, ofPassword: Buffer, ofSalt: Buffer): { readonly text: Buffer; readonly at: number } {
  const odd = round % 2 === 1;
  const digest = Buffer.alloc(size);
  const text = Buffer.concat([
    odd ? ofPassword : digest,
    round % 3 === 0 ? nothing : ofSalt,
    round % 7 === 0 ? nothing : ofPassword,
    odd ? digest : ofPassword,
  ]);
  return { text, at: odd ? text.length - size : 0 };
}

const nothing = Buffer.alloc(0);

function sha(text: Buffer): Buffer {
  return hash('sha256', text, 'buffer');
}

function repeated(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest);
}

function firstDigest(password: Buffer, salt: Buffer): Buffer {
  const other = sha(Buffer.concat([password, salt, password]));
  const parts = [password, salt, repeated(other, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push(bits % 2 === 1 ? other : password);
  return sha(Buffer.concat(parts));
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Three bytes make four characters, the lowest six bits first. The order of the bytes is the specification's. */
function encoded(digest: Buffer): string {
  let text = '';
  for (let at = 0; at < 10; at++) {
    const bytes = [at, at + 10, at + 20];
    // The triple turns by one place from one group to the next.
    const [high = 0, middle = 0, low = 0] = [0, 1, 2].map((place) => digest[bytes[(place + 2 * at) % 3] ?? 0]);
    text += characters((high << 16) | (middle << 8) | low, 4);
  }
  return text + characters(((digest[size - 1] ?? 0) << 8) | (digest[size - 2] ?? 0), 3);
}

function characters(bits: number, count: number): string {
  return Array.from({ length: count }, (_, at) => alphabet[(bits >> (6 * at)) & 63]).join('');
}
