import { randomInt } from 'node:crypto';
import { type PasswordPlan, type PasswordRules, planPassword } from '../../contract/password-rules.ts';
import { SecretText } from '../../contract/secret-text.ts';
import { Bug } from '../../errors.ts';

/** A whole number from 0 to `limit` - 1, each as likely as any other. */
export type RandomIndex = (limit: number) => number;

function drawn(from: readonly string[], random: RandomIndex): string {
  const character = from[random(from.length)];
  if (character === undefined) throw new Bug('the random source gave an index outside of the alphabet');
  return character;
}

/** In any order, each as likely as any other (Fisher and Yates). */
function shuffled(characters: readonly string[], random: RandomIndex): readonly string[] {
  const left = [...characters];
  const mixed: string[] = [];
  while (left.length > 0) {
    const index = random(left.length);
    const [character] = left.splice(index, 1);
    if (character === undefined) throw new Bug('the random source gave an index outside of the password');
    mixed.push(character);
  }
  return mixed;
}

function made({ first, required, all, rest }: PasswordPlan, random: RandomIndex): string {
  const start = drawn(first, random);
  const needed = required.flatMap(({ from, count }) => Array.from({ length: count }, () => drawn(from, random)));
  const others = Array.from({ length: rest }, () => drawn(all, random));
  return start + shuffled([...needed, ...others], random).join('');
}

/**
 * A new random password from the system's random source, without bias (`crypto.randomInt` rejects what would give some).
 *
 * It fits the rules by construction: a first letter, so many of each required class, and the rest of the whole alphabet, in any order. By
 * default 40 letters and digits with one of each class, 232 bits: nothing in it needs quoting in a URI, an ADO.NET string, a shell or JSON.
 * Rules that cannot be met or give less than 128 bits are a bug of the caller, who asks `planPassword` what people may set.
 */
export function newPassword(rules: PasswordRules = {}, random: RandomIndex = randomInt): SecretText {
  const plan = planPassword(rules);
  if (plan.kind === 'unfit') throw new Bug(`no password fits the rules: ${plan.detail}`);
  return new SecretText(made(plan, random));
}
