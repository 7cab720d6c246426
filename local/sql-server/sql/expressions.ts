import type { Cursor } from './cursor.ts';
import type { Expression, Select, Source } from './syntax.ts';

const comparisons = new Set(['=', '<>', '!=', '<', '>', '<=', '>=']);
const reserved = new Set([
  'from',
  'where',
  'order',
  'join',
  'inner',
  'left',
  'on',
  'and',
  'or',
  'as',
  'union',
  'group',
]);

function primary(at: Cursor): Expression {
  const { token } = at;
  switch (token.kind) {
    case 'string':
      at.next();
      return { kind: 'literal', value: token.text };
    case 'number':
      at.next();
      return { kind: 'literal', value: token.value };
    case 'binary':
      at.next();
      return { kind: 'literal', value: Buffer.from(token.hex, 'hex') };
    case 'param':
      at.next();
      return { kind: 'param', name: token.text.toLowerCase() };
    case 'symbol':
      return parenthesised(at);
    case 'word':
    case 'name':
      return named(at);
    case 'end':
      return at.fail();
  }
}

function parenthesised(at: Cursor): Expression {
  at.expectSymbol('(');
  const inner = expression(at);
  at.expectSymbol(')');
  return inner;
}

function named(at: Cursor): Expression {
  if (at.takeWords('null')) return { kind: 'literal', value: null };
  if (at.token.kind === 'word' && reserved.has(at.token.text.toLowerCase())) return at.fail();
  const parts = at.dottedName();
  if (at.takeSymbol('(')) {
    const args = at.takeSymbol(')') ? [] : argumentsOf(at);
    return { kind: 'call', name: parts.join('.').toLowerCase(), args };
  }
  const [first = '', second, ...rest] = parts;
  if (rest.length > 0) return at.fail();
  return second === undefined ? { kind: 'column', name: first } : { kind: 'column', source: first, name: second };
}

function argumentsOf(at: Cursor): Expression[] {
  // A type such as nvarchar(33) or datetime2 reads as a call or a column; CONVERT takes it so.
  const args = at.list(() => expression(at));
  at.expectSymbol(')');
  return args;
}

function comparison(at: Cursor): Expression {
  const left = primary(at);
  if (at.takeWords('is')) {
    const negated = at.takeWords('not');
    at.expectWords('null');
    return { kind: 'is-null', operand: left, negated };
  }
  if (at.takeWords('not', 'in')) {
    at.expectSymbol('(');
    const list = argumentsOf(at);
    return { kind: 'not', operand: { kind: 'in', operand: left, list } };
  }
  if (at.takeWords('in')) {
    at.expectSymbol('(');
    const list = argumentsOf(at);
    return { kind: 'in', operand: left, list };
  }
  if (at.token.kind !== 'symbol' || !comparisons.has(at.token.text)) return left;
  const operator = at.next().text;
  return { kind: 'compare', operator, left, right: primary(at) };
}

function negation(at: Cursor): Expression {
  return at.takeWords('not') ? { kind: 'not', operand: negation(at) } : comparison(at);
}

function conjunction(at: Cursor): Expression {
  let left = negation(at);
  while (at.takeWords('and')) left = { kind: 'logic', operator: 'and', left, right: negation(at) };
  return left;
}

/** A condition or a value. */
export function expression(at: Cursor): Expression {
  let left = conjunction(at);
  while (at.takeWords('or')) left = { kind: 'logic', operator: 'or', left, right: conjunction(at) };
  return left;
}

function item(at: Cursor): Select['items'][number] {
  const value = expression(at);
  if (at.takeWords('as')) return { value, name: at.expectName() };
  return { value, name: value.kind === 'column' ? value.name : '' };
}

function source(at: Cursor, join: Source['join']): Source {
  const parts = at.dottedName();
  const args = at.takeSymbol('(') ? (at.takeSymbol(')') ? [] : argumentsOf(at)) : undefined;
  at.takeWords('as');
  const isAlias = at.token.kind === 'name' || (at.token.kind === 'word' && !reserved.has(at.token.text.toLowerCase()));
  const alias = isAlias ? at.expectName() : (parts.at(-1) ?? '');
  const called = args === undefined ? {} : { args };
  if (join === 'first') return { parts, alias, join, ...called };
  at.expectWords('on');
  return { parts, alias, join, on: expression(at), ...called };
}

function sources(at: Cursor): Source[] {
  if (!at.takeWords('from')) return [];
  const found = [source(at, 'first')];
  for (;;) {
    if (at.takeWords('left', 'join')) found.push(source(at, 'left'));
    else if (at.takeWords('inner', 'join') || at.takeWords('join')) found.push(source(at, 'inner'));
    else return found;
  }
}

/** What follows the word SELECT. */
export function select(at: Cursor): Select {
  const items = at.list(() => item(at));
  const from = sources(at);
  const where = at.takeWords('where') ? expression(at) : undefined;
  return { kind: 'select', items, sources: from, ...(where === undefined ? {} : { where }) };
}
