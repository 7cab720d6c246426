/** The two logins of `alternating-users`: which they are, and which comes next. */

import * as z from 'zod';
import { parseJson } from '../../shared/json.ts';

const shape =
  'The tag "users" names two different logins, separated by a comma or a blank ("orders_a, orders_b"), or as JSON where a name holds one of these (["orders a","orders b"]).';

/** The tag `users`: a pair, or undefined where it names the one login of a value that holds none, which is the engine's affair. */
export const usersTag = z.string().transform((text, context): readonly [string, string] | undefined => {
  const names = namesIn(text);
  const [first, second] = names ?? [];
  if (names?.length === 1) return undefined;
  if (names?.length === 2 && first !== undefined && second !== undefined && first !== second) return [first, second];
  context.addIssue({ code: 'custom', message: shape });
  return z.NEVER;
});

const jsonNames = z.array(z.string().min(1));

function namesIn(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) return text.split(/[\s,]+/).filter((name) => name !== '');
  return jsonNames.safeParse(parseJson(text)).data;
}

export interface PairRules {
  readonly users: readonly [string, string] | undefined;
  /** Added to the first login's name to derive the second's. Default `_alt`. */
  readonly suffix?: string;
  /** Longest name the target takes. */
  readonly maxLength: number;
  /** Length of a name as the target counts it. Default: UTF-8 bytes. */
  readonly lengthOf?: (name: string) => number;
}

export type PairOutcome =
  | { readonly kind: 'pair'; readonly other: string }
  /** `detail` is a sentence about the tag `users`. */
  | { readonly kind: 'no-pair'; readonly detail: string };

/**
 * The login that is not in use. Without the tag, NAME and NAME_alt are a pair in both directions. The derivation must be reversible
 * from either name alone, so a name that leaves no room for the suffix needs the tag: cutting it short could not be undone.
 */
export function otherLogin(current: string, rules: PairRules): PairOutcome {
  const { users, suffix = '_alt', maxLength, lengthOf = (name) => Buffer.byteLength(name) } = rules;
  if (users !== undefined) {
    const [first, second] = users;
    const tooLong = users.find((name) => lengthOf(name) > maxLength);
    if (tooLong !== undefined) return noPair(`"${tooLong}" is longer than the ${maxLength} the target takes.`);
    if (current === first) return { kind: 'pair', other: second };
    if (current === second) return { kind: 'pair', other: first };
    return noPair(`the login in use, "${current}", is neither "${first}" nor "${second}".`);
  }
  if (current.endsWith(suffix) && current.length > suffix.length) {
    return { kind: 'pair', other: current.slice(0, -suffix.length) };
  }
  if (lengthOf(current) + lengthOf(suffix) > maxLength) {
    return noPair(
      `"${current}" leaves no room for the ending "${suffix}" (${maxLength} at most): name both logins in the tag "users".`,
    );
  }
  return { kind: 'pair', other: `${current}${suffix}` };
}

function noPair(detail: string): PairOutcome {
  return { kind: 'no-pair', detail };
}
