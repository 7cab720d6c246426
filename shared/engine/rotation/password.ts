import { randomInt } from 'node:crypto';
import type { PasswordRules } from '../../contract/rotator.ts';
import { SecretText } from '../../contract/secret-text.ts';
import { Bug } from '../../errors.ts';

/** A whole number from 0 to `limit` - 1, each as likely as any other. */
export type RandomIndex = (limit: number) => number;

const classes = [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{Lu}\p{Ll}\p{Nd}]/u];
const letter = /[\p{Lu}\p{Ll}]/u;

// 52 · 62³⁹ passwords: 237 bits. One that lacks a class is drawn again as a whole, which costs far less than one bit.
const defaults = {
  length: 40,
  alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
} as const;

/** Less than this can be asked for by mistake only. */
const fewestBits = 128;

/** Far more draws than any alphabet that makes sense takes; beyond it the random source is broken. */
const mostDraws = 10_000;

function drawOnce(first: readonly string[], all: readonly string[], length: number, random: RandomIndex): string {
  const characters: string[] = [];
  while (characters.length < length) {
    const from = characters.length === 0 ? first : all;
    const character = from[random(from.length)];
    if (character === undefined) throw new Bug('the random source gave an index outside of the alphabet');
    characters.push(character);
  }
  return characters.join('');
}

/**
 * A new random password from the system's random source, without bias (`crypto.randomInt` rejects what would give some).
 *
 * It starts with a letter and has one of each class (upper case, lower case, digit, other) that the alphabet has. By default 40 letters
 * and digits, 237 bits: nothing in it needs quoting in a URI, an ADO.NET string, a shell or JSON. Rules that give less than 128 bits, or
 * an alphabet with a character twice, are a bug of the caller, who checks what people may set.
 */
export function newPassword(rules: PasswordRules = {}, random: RandomIndex = randomInt): SecretText {
  const length = rules.length ?? defaults.length;
  const all = [...(rules.alphabet ?? defaults.alphabet)];
  if (new Set(all).size !== all.length) throw new Bug('the alphabet of a password names a character twice');
  if (!Number.isSafeInteger(length) || length < 1) throw new Bug('the length of a password is no whole number above 0');
  const letters = all.filter((character) => letter.test(character));
  const first = letters.length > 0 ? letters : all;
  const bits = Math.log2(first.length) + (length - 1) * Math.log2(all.length);
  if (!(bits >= fewestBits)) throw new Bug(`the rules of a password give less than ${fewestBits} bits`);
  const needed = classes.filter((each) => all.some((character) => each.test(character)));
  for (let draws = 0; draws < mostDraws; draws++) {
    const password = drawOnce(first, all, length, random);
    if (needed.every((each) => each.test(password))) return new SecretText(password);
  }
  throw new Bug('the random source gives no password with one character of each class');
}
