import { sqlErrors } from './sql-error.ts';

/** `word` is written bare, `name` in brackets or double quotes; `national` strings carry the N prefix. */
export type Token =
  | { readonly kind: 'word' | 'name' | 'param' | 'symbol'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string; readonly national: boolean }
  | { readonly kind: 'number'; readonly text: string; readonly value: number }
  | { readonly kind: 'binary'; readonly text: string; readonly hex: string }
  | { readonly kind: 'end'; readonly text: string };

const longestName = 128;
const blank = /(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/y;
const word = /[\p{L}_#][\p{L}\p{N}_#$@]*/uy;
const param = /@{1,2}[\p{L}\p{N}_#$@]+/uy;
const binary = /0x[0-9a-f]*/iy;
const number = /\d+/y;
const symbol = /<>|<=|>=|!=|[-+*(),.:;=<>]/y;

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Reads a quoted part that begins at `at`; a doubled closing character stands for one. */
function quoted(text: string, at: number, close: string): { value: string; end: number } {
  let value = '';
  for (let index = at + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character !== close) value += character;
    else if (text.charAt(index + 1) === close) {
      value += close;
      index += 1;
    } else return { value, end: index + 1 };
  }
  throw sqlErrors.unclosedString(text.slice(at + 1));
}

function named(value: string): string {
  if (value.length > longestName) throw sqlErrors.identifierTooLong(value.slice(0, 32));
  if (value === '') throw sqlErrors.syntax('[]');
  return value;
}

/** A literal without the N prefix passes through the code page of the database: what it does not hold becomes a question mark. */
const throughCodePage = (value: string): string => value.replace(/[\u0100-\uffff]/g, '?');

function quotedToken(text: string, at: number): { token: Token; end: number } | undefined {
  const first = text.charAt(at);
  const national = /^n'/i.test(text.slice(at, at + 2));
  if (first === "'" || national) {
    const { value, end } = quoted(text, national ? at + 1 : at, "'");
    return { token: { kind: 'string', text: national ? value : throughCodePage(value), national }, end };
  }
  if (first !== '[' && first !== '"') return undefined;
  const { value, end } = quoted(text, at, first === '[' ? ']' : '"');
  return { token: { kind: 'name', text: named(value) }, end };
}

function bareToken(text: string, at: number): Token | undefined {
  const hex = match(binary, text, at);
  if (hex !== undefined) return { kind: 'binary', text: hex, hex: hex.slice(2).toLowerCase() };
  const digits = match(number, text, at);
  if (digits !== undefined) return { kind: 'number', text: digits, value: Number(digits) };
  const variable = match(param, text, at);
  if (variable !== undefined) return { kind: 'param', text: variable };
  const bare = match(word, text, at);
  if (bare !== undefined) return { kind: 'word', text: named(bare) };
  const sign = match(symbol, text, at);
  return sign === undefined ? undefined : { kind: 'symbol', text: sign };
}

/** The tokens of a batch; throws the error the server gives for what it cannot read. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const space = match(blank, text, at);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const inQuotes = quotedToken(text, at);
    if (inQuotes !== undefined) {
      tokens.push(inQuotes.token);
      at = inQuotes.end;
      continue;
    }
    const bare = bareToken(text, at);
    if (bare === undefined) throw sqlErrors.syntax(text.charAt(at));
    tokens.push(bare);
    at += bare.text.length;
  }
  return [...tokens, { kind: 'end', text: '' }];
}
