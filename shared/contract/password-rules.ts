/**
 * What a password has to be made of. A person says it with a tag, a target with its settings; both together bind the generator.
 *
 * Strength is counted as min-entropy: no password is more likely than 2^-bits, whatever the attacker knows of the rules.
 */

export const characterClasses = ['upper', 'lower', 'digit', 'special'] as const;
export type CharacterClass = (typeof characterClasses)[number];

export interface PasswordRules {
  /** Characters in all. Default 40. */
  readonly length?: number;
  /** Characters to draw from; each once. Default: letters and digits, and special ones where they are required. */
  readonly alphabet?: string;
  /** How many of a class there are at least. Without it: one of each class that the alphabet has. */
  readonly require?: Readonly<Partial<Record<CharacterClass, number>>>;
  /** Characters that must not occur. */
  readonly exclude?: string;
}

/** Characters by their class, in the order in which they are used. */
export const charactersOf: Readonly<Record<CharacterClass, string>> = {
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  digit: '0123456789',
  // These need no quoting in a URI, a connection string, a shell or JSON.
  special: '-._~',
};

/** Special characters for rules that exclude all those that need no quoting. */
const otherSpecials = '!*+^#%&/:;=?@,$()[]{}<>|"\'`\\';

const defaultLength = 40;

/** Less than this is guessed where a hash of the password leaks. */
export const fewestBits = 128;

const isOf: Readonly<Record<CharacterClass, RegExp>> = {
  upper: /\p{Lu}/u,
  lower: /\p{Ll}/u,
  digit: /\p{Nd}/u,
  special: /[^\p{Lu}\p{Ll}\p{Nd}]/u,
};

export function classOf(character: string): CharacterClass {
  return characterClasses.find((each) => isOf[each].test(character)) ?? 'special';
}

/** How a password is made: a first character, some of each required class, and the rest of all; in any order behind the first. */
export interface PasswordPlan {
  readonly kind: 'plan';
  /** A letter where there is one: some targets and clients take no other first character. */
  readonly first: readonly string[];
  readonly required: readonly { readonly from: readonly string[]; readonly count: number }[];
  readonly all: readonly string[];
  readonly rest: number;
  readonly bits: number;
}

/** `detail`: which rule cannot be met, or the arithmetic, as the rest of a sentence that begins with what the rules are of. */
export type PlanOutcome = PasswordPlan | { readonly kind: 'unfit'; readonly detail: string };

function unfit(detail: string): PlanOutcome {
  return { kind: 'unfit', detail };
}

function without(characters: string, excluded: ReadonlySet<string>): string[] {
  return [...characters].filter((character) => !excluded.has(character));
}

function alphabetOf(rules: PasswordRules, excluded: ReadonlySet<string>): string[] {
  if (rules.alphabet !== undefined) return without(rules.alphabet, excluded);
  const plain = without(charactersOf.upper + charactersOf.lower + charactersOf.digit, excluded);
  if ((rules.require?.special ?? 0) === 0) return plain;
  const special = without(charactersOf.special, excluded);
  return [...plain, ...(special.length > 0 ? special : without(otherSpecials, excluded))];
}

function requiredOf(rules: PasswordRules, all: readonly string[]): PasswordPlan['required'] {
  return characterClasses.flatMap((each) => {
    const from = all.filter((character) => classOf(character) === each);
    const count = rules.require === undefined ? Math.min(1, from.length) : (rules.require[each] ?? 0);
    return count === 0 ? [] : [{ from, count }];
  });
}

/** The arithmetic in words, with the shortest length that is enough. */
function arithmetic(plan: PasswordPlan, length: number): string {
  const bitsEach = Math.log2(plan.all.length);
  const more = bitsEach > 0 ? length + Math.ceil((fewestBits - plan.bits) / bitsEach) : undefined;
  const fix = more === undefined ? '' : `; length=${more} is enough`;
  return `${length} characters from ${plan.all.length} hold ${Math.floor(plan.bits)} bits, and ${fewestBits} are needed${fix}`;
}

/** How to make passwords by the rules, or why none that is strong enough fits them. Pure. */
export function planPassword(rules: PasswordRules): PlanOutcome {
  const length = rules.length ?? defaultLength;
  if (!Number.isSafeInteger(length) || length < 1) return unfit('the length is no whole number above 0');
  const all = alphabetOf(rules, new Set(rules.exclude ?? ''));
  if (new Set(all).size !== all.length) return unfit('the alphabet names a character twice');
  if (all.length === 0) return unfit('no character is left');
  const required = requiredOf(rules, all);
  const missing = required.find(({ from }) => from.length === 0);
  if (missing !== undefined) {
    const names = characterClasses.filter(
      (each) => (rules.require?.[each] ?? 0) > 0 && !all.some((c) => classOf(c) === each),
    );
    return unfit(`it requires ${names.join(' and ')}, and all of those are excluded`);
  }
  const letters = all.filter((character) => ['upper', 'lower'].includes(classOf(character)));
  const first = letters.length > 0 ? letters : all;
  const rest = length - 1 - required.reduce((sum, { count }) => sum + count, 0);
  if (rest < 0) return unfit(`the required characters and a first letter need a length of ${length - rest}`);
  const bits =
    Math.log2(first.length) +
    required.reduce((sum, { from, count }) => sum + count * Math.log2(from.length), 0) +
    rest * Math.log2(all.length);
  const plan: PasswordPlan = { kind: 'plan', first, required, all, rest, bits };
  return bits >= fewestBits ? plan : unfit(arithmetic(plan, length));
}

function strictest(one: PasswordRules['require'], other: PasswordRules['require']): PasswordRules['require'] {
  if (one === undefined || other === undefined) return one ?? other;
  const counts = characterClasses.map((each) => [each, Math.max(one[each] ?? 0, other[each] ?? 0)]);
  return Object.fromEntries(counts);
}

/**
 * The rules of a secret's tag and those of a target or rotator together: of two lengths that of the tag, unless the other asks for more;
 * what either requires or excludes.
 */
export function bothRules(tag: PasswordRules, other: PasswordRules): PasswordRules {
  const length = Math.max(tag.length ?? 0, other.length ?? 0);
  const require = strictest(tag.require, other.require);
  const alphabet = other.alphabet ?? tag.alphabet;
  const exclude = `${tag.exclude ?? ''}${other.exclude ?? ''}`;
  return {
    ...(length === 0 ? {} : { length }),
    ...(alphabet === undefined ? {} : { alphabet }),
    ...(require === undefined ? {} : { require }),
    ...(exclude === '' ? {} : { exclude }),
  };
}

/** What of the rules the text breaks; undefined when it keeps them all. */
export function breaks(rules: PasswordRules, text: string): string | undefined {
  const characters = [...text];
  if (rules.length !== undefined && characters.length !== rules.length) {
    return `${characters.length} characters instead of ${rules.length}`;
  }
  if (characters.some((character) => rules.exclude?.includes(character) === true)) return 'an excluded character';
  const short = characterClasses.find(
    (each) => characters.filter((character) => classOf(character) === each).length < (rules.require?.[each] ?? 0),
  );
  return short === undefined ? undefined : `too few characters of the class ${short}`;
}

/** What a target asks of passwords, as far as its settings say. */
export interface TargetRules {
  /** What asks it, for messages: `validate_password`. */
  readonly source: string;
  /** Characters at least. */
  readonly shortest?: number;
  /** Characters at most. */
  readonly longest?: number;
  readonly require?: Readonly<Partial<Record<CharacterClass, number>>>;
  readonly exclude?: string;
}

export type MetRules =
  | { readonly kind: 'rules'; readonly rules: PasswordRules }
  | { readonly kind: 'unfit'; readonly detail: string };

/** Without rules a password has one of each of these, and keeps them beside what a target requires. */
function usual({ require, alphabet }: PasswordRules, excluded: ReadonlySet<string>): PasswordRules['require'] {
  if (require !== undefined || alphabet !== undefined) return require;
  const plain = (['upper', 'lower', 'digit'] as const).filter((one) => without(charactersOf[one], excluded).length > 0);
  return Object.fromEntries(plain.map((one) => [one, 1]));
}

/** `own` rules made stricter by those of a target, as long as that takes; or the arithmetic of why no password fits both. Pure. */
export function meet(own: PasswordRules, target: TargetRules): MetRules {
  const { source, shortest = 0, longest = Number.POSITIVE_INFINITY } = target;
  const atMost = `${source} takes ${longest} characters at most`;
  if (own.length !== undefined && own.length > longest) {
    return { kind: 'unfit', detail: `${own.length} characters are asked for, and ${atMost}` };
  }
  const excluded = new Set(`${own.exclude ?? ''}${target.exclude ?? ''}`);
  const require = strictest(usual(own, excluded), target.require);
  const required = Object.values(require ?? {}).reduce((sum, count) => sum + count, 0);
  const wished = own.length ?? Math.min(defaultLength, longest);
  // One more for the first letter.
  const least = Math.max(wished, shortest, required + 1);
  if (least > longest) return { kind: 'unfit', detail: `${least} characters are needed, and ${atMost}` };
  const both = {
    ...bothRules(own, target.exclude === undefined ? {} : { exclude: target.exclude }),
    ...(require === undefined ? {} : { require }),
  };
  return longEnough(both, least, Math.min(longest, least + fewestBits), atMost);
}

/** Characters that have to be of one class hold fewer bits, and more of all make up for it. */
function longEnough(rules: PasswordRules, least: number, most: number, atMost: string): MetRules {
  for (let length = least; length <= most; length++) {
    if (planPassword({ ...rules, length }).kind === 'plan') return { kind: 'rules', rules: { ...rules, length } };
  }
  const plan = planPassword({ ...rules, length: most });
  const detail = plan.kind === 'unfit' ? plan.detail : '';
  return { kind: 'unfit', detail: detail.includes(' bits, ') ? `${detail}, but ${atMost}` : detail };
}

/** What of a target's rules the text breaks; undefined when it keeps them all. */
export function breaksTarget(
  { shortest = 0, longest, require, exclude }: TargetRules,
  text: string,
): string | undefined {
  const { length } = [...text];
  if (length < shortest) return `${length} characters instead of ${shortest} or more`;
  if (longest !== undefined && length > longest) return `${length} characters instead of ${longest} or fewer`;
  return breaks({ ...(require === undefined ? {} : { require }), ...(exclude === undefined ? {} : { exclude }) }, text);
}
