/** The tag `password`: what new passwords have to be made of. */
import * as z from 'zod';
import {
  type CharacterClass,
  characterClasses,
  type PasswordRules,
  planPassword,
} from '../../contract/password-rules.ts';

const example = 'is like "length=32;require=upper,lower,digit,special;exclude=@/", each once, "exclude" last';

/** More fits no target, and fewer characters of a password than this are a mistake of whoever wrote it. */
const longest = 256;

type Read =
  | { readonly kind: 'rules'; readonly rules: PasswordRules }
  | { readonly kind: 'wrong'; readonly detail: string };

const wrong = (detail: string): Read => ({ kind: 'wrong', detail });

function requirements(text: string): PasswordRules['require'] | undefined {
  const counts = new Map<CharacterClass, number>();
  for (const item of text.split(',').map((part) => part.trim())) {
    const [word = '', number] = item.split(':', 2);
    const found = characterClasses.find((each) => each === word);
    if (found === undefined || counts.has(found) || (number !== undefined && !/^[1-9]\d?$/.test(number)))
      return undefined;
    counts.set(found, Number(number ?? 1));
  }
  return Object.fromEntries(counts);
}

/** Everything behind `exclude=` is what is excluded, a semicolon too. */
function wordsOf(text: string): ReadonlyMap<string, string> | undefined {
  const words = new Map<string, string>();
  let rest = text.trim();
  while (rest !== '') {
    const [, name = '', value = '', more = ''] =
      /^([a-z]+)=((?<=exclude=)[\s\S]+|[^;]*)(?:;\s*([\s\S]*))?$/.exec(rest) ?? [];
    if (name === '' || value === '' || words.has(name)) return undefined;
    words.set(name, value);
    rest = more;
  }
  return words;
}

/** Reads the rules, and sees that passwords of enough bits fit them. Pure. */
export function parsePasswordTag(text: string): Read {
  const words = wordsOf(text);
  const known = ['length', 'require', 'exclude'];
  if (words === undefined || words.size === 0 || [...words.keys()].some((word) => !known.includes(word)))
    return wrong(example);
  const [length, require, exclude] = known.map((word) => words.get(word));
  if (length !== undefined && (!/^[1-9]\d{0,2}$/.test(length) || Number(length) > longest)) {
    return wrong(`takes a length from 1 to ${longest}`);
  }
  const required = require === undefined ? undefined : requirements(require);
  if (require !== undefined && required === undefined) {
    return wrong(
      `requires classes of ${characterClasses.join(', ')}, each once, as "special" or "special:2" for two of them`,
    );
  }
  const rules: PasswordRules = {
    ...(length === undefined ? {} : { length: Number(length) }),
    ...(required === undefined ? {} : { require: required }),
    ...(exclude === undefined ? {} : { exclude }),
  };
  const plan = planPassword(rules);
  return plan.kind === 'plan' ? { kind: 'rules', rules } : wrong(`cannot be met: ${plan.detail}`);
}

export const passwordTag = z.string().transform((text, context): PasswordRules => {
  const read = parsePasswordTag(text);
  if (read.kind === 'rules') return read.rules;
  context.addIssue({ code: 'custom', message: read.detail });
  return z.NEVER;
});
