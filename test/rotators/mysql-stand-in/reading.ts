/**
 * Reads statements strictly: each is compared word by word with the templates the stand-in knows, and anything else is a syntax error,
 * as it would be on a server.
 */

interface Token {
  readonly kind: 'word' | 'string' | 'name' | 'sign';
  readonly text: string;
}

/** What stands where a template has a place for it. */
export type Values = readonly string[];

/** Undefined for text that is no sequence of SQL tokens. Quoting follows a session without NO_BACKSLASH_ESCAPES and ANSI_QUOTES. */
export function tokens(text: string): readonly Token[] | undefined {
  const found: Token[] = [];
  const pattern =
    /\s+|'((?:[^'\\]|''|\\.)*)'|`((?:[^`]|``)+)`|([A-Za-z_@$][\w.$@]*|\d+(?:\.\d+)?)|(<>|[-+*/=<>(),.;])/gsy;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null || match.index !== from) return undefined;
    const [, literal, name, word, sign] = match;
    if (literal !== undefined) found.push({ kind: 'string', text: unescaped(literal) });
    else if (name !== undefined) found.push({ kind: 'name', text: name.replaceAll('``', '`') });
    else if (word !== undefined) found.push(...wordOrAccount(word));
    else if (sign !== undefined) found.push({ kind: 'sign', text: sign });
  }
  return found;
}

// The sign between user and host of an account stands alone, after a quoted name.
function wordOrAccount(word: string): Token[] {
  return word === '@' ? [{ kind: 'sign', text: '@' }] : [{ kind: 'word', text: word }];
}

function unescaped(literal: string): string {
  return literal.replace(/''|\\(.)/gs, (whole, escaped: string | undefined) => {
    if (whole === "''") return "'";
    const special: Readonly<Record<string, string>> = { '0': '\0', n: '\n', r: '\r', t: '\t', b: '\b', Z: '\x1a' };
    return special[escaped ?? ''] ?? escaped ?? '';
  });
}

/**
 * Compares a statement with a template. `:string` takes a string literal, `:account` two of them around `@`, `:number` a number; all
 * other words must be the same. Gives the values, an account as two of them.
 */
export function matches(statement: readonly Token[], template: string): Values | undefined {
  const values: string[] = [];
  let at = 0;
  for (const part of template.match(/:\w+|'[^']*'|<>|[\w.$@]+|[^\s\w]/g) ?? []) {
    const here = statement[at];
    if (here === undefined) return undefined;
    if (part === ':account') {
      const [user, sign, host] = statement.slice(at, at + 3);
      if (user?.kind !== 'string' || sign?.text !== '@' || host?.kind !== 'string') return undefined;
      values.push(user.text, host.text);
      at += 3;
      continue;
    }
    if (part === ':string' || part === ':number') {
      const fits = part === ':string' ? here.kind === 'string' : here.kind === 'word' && /^\d+$/.test(here.text);
      if (!fits) return undefined;
      values.push(here.text);
    } else if (part.startsWith("'")) {
      if (here.kind !== 'string' || here.text !== part.slice(1, -1)) return undefined;
    } else if (here.kind === 'string' || here.text.toLowerCase() !== part.toLowerCase()) {
      return undefined;
    }
    at++;
  }
  return at === statement.length ? values : undefined;
}
