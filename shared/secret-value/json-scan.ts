/** A map of JSON text (RFC 8259) that keeps where each token stands, which JSON.parse does not tell. */
import { type Layer, layerOf } from './layer.ts';
import { encoded, malformed, type Unreadable } from './reading.ts';

export interface JsonString {
  readonly kind: 'string';
  /** Quotes included. */
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

export interface JsonMember {
  readonly name: JsonString;
  readonly value: JsonNode;
}

export interface JsonObject {
  readonly kind: 'object';
  readonly start: number;
  readonly end: number;
  /** In the order of the text, with duplicates. */
  readonly members: readonly JsonMember[];
}

export interface JsonArray {
  readonly kind: 'array';
  readonly start: number;
  readonly end: number;
  readonly items: readonly JsonNode[];
}

/** Numbers, true, false and null. */
export interface JsonLiteral {
  readonly kind: 'literal';
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export type JsonNode = JsonString | JsonObject | JsonArray | JsonLiteral;

/** Deeper values are refused: walking them must not exhaust the stack. */
const deepest = 100;

class TooDeep extends Error {}

/** Walks text that JSON.parse has accepted, so nothing is checked twice. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  node(depth: number): JsonNode {
    if (depth > deepest) throw new TooDeep();
    this.#skipBlanks();
    switch (this.#text.charAt(this.#at)) {
      case '"':
        return this.#string();
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      default:
        return this.#literal();
    }
  }

  #skipBlanks(): void {
    while (/[ \t\n\r]/.test(this.#text.charAt(this.#at))) this.#at++;
  }

  #string(): JsonString {
    const start = this.#at++;
    for (; this.#text.charAt(this.#at) !== '"'; this.#at++) {
      if (this.#text.charAt(this.#at) === '\\') this.#at++;
    }
    const end = ++this.#at;
    return { kind: 'string', start, end, value: String(JSON.parse(this.#text.slice(start, end))) };
  }

  /** Passes `character`, with the blanks in front of it, if it is next. */
  #passes(character: string): boolean {
    this.#skipBlanks();
    if (this.#text.charAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }

  #object(depth: number): JsonObject {
    const start = this.#at++;
    const members: JsonMember[] = [];
    while (!this.#passes('}')) {
      if (members.length > 0) this.#passes(',');
      this.#skipBlanks();
      const name = this.#string();
      this.#passes(':');
      members.push({ name, value: this.node(depth + 1) });
    }
    return { kind: 'object', start, end: this.#at, members };
  }

  #array(depth: number): JsonArray {
    const start = this.#at++;
    const items: JsonNode[] = [];
    while (!this.#passes(']')) {
      if (items.length > 0) this.#passes(',');
      items.push(this.node(depth + 1));
    }
    return { kind: 'array', start, end: this.#at, items };
  }

  #literal(): JsonLiteral {
    const start = this.#at;
    while (/[^\s,\]}]/.test(this.#text.charAt(this.#at))) this.#at++;
    return { kind: 'literal', start, end: this.#at, text: this.#text.slice(start, this.#at) };
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** The error of JSON.parse is not passed on: it quotes the text. */
export function scanJson(text: string): JsonNode | Unreadable {
  if (!isJson(text)) return malformed('it is no valid JSON');
  try {
    return new Scanner(text).node(0);
  } catch (error) {
    if (error instanceof TooDeep) return malformed(`the JSON is nested more than ${deepest} levels deep`);
    throw error;
  }
}

/** The text of a string, without its escapes. */
export function stringLayer(text: string, node: JsonString): Layer {
  return layerOf(
    text,
    { start: node.start + 1, end: node.end - 1 },
    {
      begins: '\\',
      escapes: /^\\(?:u[0-9a-f]{4}|.)/i,
      decode: (escaped) => String(JSON.parse(`"${escaped}"`)),
      encode: (inner) => encoded(JSON.stringify(inner).slice(1, -1)),
    },
  );
}
