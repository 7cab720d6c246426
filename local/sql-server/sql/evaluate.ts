import type { Context } from './context.ts';
import { callFunction } from './functions.ts';
import { sqlErrors } from './sql-error.ts';
import { type Expression, Typed, type Value } from './syntax.ts';

export type Row = Readonly<Record<string, Value>>;
/** The current row of each source, by alias in lower case; column names in lower case. */
export type Scope = ReadonlyMap<string, Row>;

function column(scope: Scope, source: string | undefined, name: string): Value {
  const wanted = name.toLowerCase();
  const rows = source === undefined ? [...scope.values()] : [scope.get(source.toLowerCase()) ?? {}];
  for (const row of rows) {
    const value = row[wanted];
    if (value !== undefined) return value;
  }
  throw sqlErrors.unknownColumn(name);
}

function rank(left: Value, right: Value): number | undefined {
  if (left === null || right === null) return undefined;
  if (Buffer.isBuffer(left) && Buffer.isBuffer(right)) return left.compare(right);
  if (left instanceof Date && right instanceof Date) return left.getTime() - right.getTime();
  if (typeof left === 'string' && typeof right === 'string') {
    const [one, other] = [left.toLowerCase(), right.toLowerCase()];
    return one === other ? 0 : one < other ? -1 : 1;
  }
  return Number(left) - Number(right);
}

function compare(operator: string, left: Value, right: Value): Value {
  const order = rank(left, right);
  if (order === undefined) return null;
  switch (operator) {
    case '=':
      return order === 0;
    case '<>':
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

/** Three-valued: null is "unknown". */
function logic(operator: 'and' | 'or', left: Value, right: Value): Value {
  const decides = operator === 'or';
  if (left === decides || right === decides) return decides;
  return left === null || right === null ? null : !decides;
}

/** A parameter as it came, or one of the server's own variables. */
export function parameter(context: Context, name: string): Value {
  if (name === '@@spid') return context.session.id;
  if (name === '@@version')
    return context.azure ? 'Microsoft SQL Azure (a stand-in)' : 'Microsoft SQL Server (a stand-in)';
  const bound = context.params.get(name);
  if (bound === undefined) throw sqlErrors.undeclared(name);
  return bound;
}

/** The value of an expression for one row. */
export function evaluate(context: Context, scope: Scope, one: Expression): Value {
  const value = (inner: Expression): Value => evaluate(context, scope, inner);
  switch (one.kind) {
    case 'literal':
      return one.value;
    case 'param': {
      const bound = parameter(context, one.name);
      if (!(bound instanceof Typed)) return bound;
      // The stand-in carries such a value, and knows nothing of what it means.
      if (bound.plain === null) throw sqlErrors.incompatible();
      return bound.plain;
    }
    case 'column':
      return column(scope, one.source, one.name);
    case 'call':
      return callFunction(context, one, value);
    case 'compare':
      return compare(one.operator, value(one.left), value(one.right));
    case 'is-null':
      return (value(one.operand) === null) !== one.negated;
    case 'in': {
      const operand = value(one.operand);
      return one.list.map((entry) => compare('=', operand, value(entry))).reduce((all, next) => logic('or', all, next));
    }
    case 'logic':
      return logic(one.operator, value(one.left), value(one.right));
    case 'not': {
      const operand = value(one.operand);
      return operand === null ? null : !operand;
    }
  }
}
