import { type Token, tokenize } from './lexer.ts';
import { sqlErrors } from './sql-error.ts';

/** Walks over the tokens of a batch. Every `expect…` throws syntax error 102 at what stands there instead. */
export class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  get token(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  get atEnd(): boolean {
    return this.token.kind === 'end';
  }

  next(): Token {
    const token = this.token;
    this.#at += 1;
    return token;
  }

  fail(): never {
    throw sqlErrors.syntax(this.token.text);
  }

  isWord(...words: readonly string[]): boolean {
    return words.every((wanted, index) => {
      const token = this.#tokens[this.#at + index];
      return token?.kind === 'word' && token.text.toLowerCase() === wanted;
    });
  }

  /** Takes the words if all of them stand here, in order. */
  takeWords(...words: readonly string[]): boolean {
    if (!this.isWord(...words)) return false;
    this.#at += words.length;
    return true;
  }

  /** Takes the words with the two colons behind them, or nothing. */
  takePrefix(words: readonly string[]): boolean {
    const colons = [0, 1].every((index) => this.#tokens[this.#at + words.length + index]?.text === ':');
    if (!colons || !this.takeWords(...words)) return false;
    this.#at += 2;
    return true;
  }

  expectWords(...words: readonly string[]): void {
    for (const wanted of words) if (!this.takeWords(wanted)) this.fail();
  }

  takeSymbol(symbol: string): boolean {
    if (this.token.kind !== 'symbol' || this.token.text !== symbol) return false;
    this.#at += 1;
    return true;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) this.fail();
  }

  /** A name, bare or quoted. */
  expectName(): string {
    const { kind } = this.token;
    return kind === 'word' || kind === 'name' ? this.next().text : this.fail();
  }

  /** A literal; a variable in its place is a syntax error, as it is for a password. */
  expectString(): string {
    return this.token.kind === 'string' ? this.next().text : this.fail();
  }

  expectNumber(): number {
    const { token } = this;
    if (token.kind !== 'number') return this.fail();
    this.next();
    return token.value;
  }

  /** `a, b, c` read by `one`. */
  list<Item>(one: () => Item): Item[] {
    const items = [one()];
    while (this.takeSymbol(',')) items.push(one());
    return items;
  }

  /** `a.b.c`. */
  dottedName(): string[] {
    const parts = [this.expectName()];
    while (this.takeSymbol('.')) parts.push(this.expectName());
    return parts;
  }
}
