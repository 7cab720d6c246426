/** Every small change to a source file that a test should notice. */
import { type Expression, type Node, parseSync, type Statement, Visitor } from 'oxc-parser';

/** What was done to the source. */
export type Change =
  | 'condition is true'
  | 'condition is false'
  | 'branches swapped'
  | 'operator replaced'
  | 'operand dropped'
  | 'default dropped'
  | 'default always'
  | 'negation dropped'
  | 'statement dropped'
  | 'literal replaced'
  | 'constant is 0'
  | 'call dropped'
  | 'call replaced';

export interface Mutant {
  /** Path from the root. */
  readonly file: string;
  readonly line: number;
  /** Name of the function it is in; empty at the top of the file. */
  readonly within: string;
  readonly change: Change;
  /** Where in the text, and what stands there instead. */
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
}

const otherOperator: Readonly<Record<string, string>> = {
  ...{ '===': '!==', '!==': '===', '<': '<=', '<=': '<', '>': '>=', '>=': '>' },
  ...{ '+': '-', '-': '+', '*': '/', '/': '*', '%': '*' },
};

/** Calls that can be left out, their receiver standing for the result. */
const droppedCalls = new Set(['filter', 'slice', 'sort', 'toSorted', 'toReversed', 'reverse', 'trim', 'toLowerCase']);
const otherCall: Readonly<Record<string, string>> = {
  ...{ some: 'every', every: 'some', startsWith: 'endsWith', endsWith: 'startsWith', min: 'max', max: 'min' },
  ...{ find: 'findLast', findLast: 'find', ceil: 'floor', floor: 'ceil' },
};

/** What is written for people only: no test has to notice that a line of a log is missing. */
const forPeople = /^(?:await )?(?:[\w.#]*\.)?#?(?:log|logger|console|progress)\b/;

type Range = { readonly start: number; readonly end: number };

class Finder {
  readonly mutants: Mutant[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #names: string[] = [];

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  enter(name: string): void {
    this.#names.push(name);
  }

  leave(): void {
    this.#names.pop();
  }

  get isTop(): boolean {
    return this.#names.length === 0;
  }

  get inConstructor(): boolean {
    return this.#names.at(-1) === 'constructor';
  }

  textOf({ start, end }: Range): string {
    return this.#text.slice(start, end);
  }

  add(change: Change, { start, end }: Range, replacement: string): void {
    const original = this.#text.slice(start, end);
    const changed = this.#text.slice(0, start) + replacement + this.#text.slice(end);
    if (original === replacement || parseSync(this.#file, changed).errors.length > 0) return;
    const line = this.#text.slice(0, start).split('\n').length;
    const within = this.#names.filter((name) => name !== '').join('.');
    this.mutants.push({ file: this.#file, line, within, change, start, end, original, replacement });
  }

  /** Replaces the operator between two operands; the parentheses keep what is around it as it was. */
  replaceOperator(node: Range & { left: Range; right: Range; operator: string }): void {
    const other = otherOperator[node.operator];
    if (other === undefined) return;
    const at = this.#text.indexOf(node.operator, node.left.end);
    const before = this.#text.slice(node.start, at);
    this.add('operator replaced', node, `(${before}${other}${this.#text.slice(at + node.operator.length, node.end)})`);
  }

  /** Each operand of a chain is left out once: the left one of an inner operator, and every right one. */
  dropOperand(node: Range & { left: Expression; right: Range; operator: string }): void {
    const at = this.#text.indexOf(node.operator, node.left.end);
    this.add('operand dropped', node, `(${this.#text.slice(node.start, at).trim()})`);
    if (node.left.type === 'LogicalExpression' && node.left.operator === node.operator) return;
    this.add('operand dropped', node, `(${this.#text.slice(at + node.operator.length, node.end).trim()})`);
  }

  dropDefault(node: Range & { left: Range; right: Range }): void {
    const at = this.#text.indexOf('??', node.left.end);
    this.add('default dropped', node, `(${this.#text.slice(node.start, at).trim()})`);
    this.add('default always', node, `(${this.#text.slice(at + 2, node.end).trim()})`);
  }

  replaceLiteral(node: Expression): void {
    if (node.type !== 'Literal') return;
    if (typeof node.value === 'boolean') this.add('literal replaced', node, String(!node.value));
    if (typeof node.value === 'number') this.add('literal replaced', node, `(${node.value} + 1)`);
    if (typeof node.value === 'string' && node.value !== '') this.add('literal replaced', node, `''`);
  }

  changeCall(node: Range, object: Range, property: Range & { name: string }): void {
    const { name } = property;
    const dot = this.#text.slice(object.end, property.start).search(/\??\.\s*$/);
    if (droppedCalls.has(name) && dot >= 0)
      this.add('call dropped', node, this.#text.slice(node.start, object.end + dot));
    const other = otherCall[name];
    if (other !== undefined) this.add('call replaced', property, other);
  }

  dropStatement(node: Range, expression: Expression): void {
    const call = expression.type === 'AwaitExpression' ? expression.argument : expression;
    const does = ['CallExpression', 'AssignmentExpression', 'UpdateExpression'].includes(call.type);
    const isSuper = call.type === 'CallExpression' && call.callee.type === 'Super';
    if (!does || isSuper || this.inConstructor || forPeople.test(this.textOf(node))) return;
    this.add('statement dropped', node, ';');
  }
}

function isText(node: Node): boolean {
  if (node.type === 'Literal') return typeof node.value === 'string';
  if (node.type === 'BinaryExpression') return isText(node.left) || isText(node.right);
  return node.type === 'TemplateLiteral';
}

function nameOf(node: { readonly type: string; readonly name?: unknown }): string {
  return typeof node.name === 'string' ? node.name : '';
}

const isFunction = (node: Node | null) =>
  node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression';

/** Constants of the file: limits, margins and pauses. */
function zeroConstants(finder: Finder, body: readonly Statement[]): void {
  for (const statement of body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declared?.type !== 'VariableDeclaration') continue;
    for (const { init } of declared.declarations) {
      if (init !== null && /^[\d_.]+(?:\s*\*\s*[\d_.]+)*$/.test(finder.textOf(init)))
        finder.add('constant is 0', init, '0');
    }
  }
}

/** All mutants of one file, in the order of its text. */
export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const { program } = parseSync(file, text, { preserveParens: false });
  const finder = new Finder(file, text);
  zeroConstants(finder, program.body);
  const condition = (test: Expression): void => {
    if (test.type === 'Literal') return;
    finder.add('condition is false', test, 'false');
    finder.add('condition is true', test, 'true');
  };
  new Visitor({
    FunctionDeclaration: (node) => finder.enter(node.id?.name ?? ''),
    'FunctionDeclaration:exit': () => finder.leave(),
    MethodDefinition: (node) => finder.enter(nameOf(node.key)),
    'MethodDefinition:exit': () => finder.leave(),
    VariableDeclarator: (node) => finder.enter(isFunction(node.init) ? nameOf(node.id) : ''),
    'VariableDeclarator:exit': () => finder.leave(),
    IfStatement: (node) => condition(node.test),
    WhileStatement: (node) => node.test.type !== 'Literal' && finder.add('condition is false', node.test, 'false'),
    ConditionalExpression: (node) => {
      // An equality is turned round by its own operator.
      if (node.test.type === 'BinaryExpression' && node.test.operator.endsWith('==')) return;
      finder.add('branches swapped', node.test, `!(${finder.textOf(node.test)})`);
    },
    LogicalExpression: (node) => (node.operator === '??' ? finder.dropDefault(node) : finder.dropOperand(node)),
    BinaryExpression: (node) => {
      if (node.operator !== '+' || !isText(node)) finder.replaceOperator(node);
    },
    UnaryExpression: (node) => {
      if (node.operator === '!') finder.add('negation dropped', node, finder.textOf(node.argument));
    },
    ExpressionStatement: (node) => finder.dropStatement(node, node.expression),
    ReturnStatement: (node) => node.argument !== null && finder.replaceLiteral(node.argument),
    ArrowFunctionExpression: (node) => {
      if (node.body.type !== 'BlockStatement') finder.replaceLiteral(node.body);
    },
    Property: (node) => {
      if (node.value.type === 'Literal' && typeof node.value.value === 'boolean') finder.replaceLiteral(node.value);
    },
    CallExpression: (node) => {
      const { callee } = node;
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier' || callee.computed) return;
      finder.changeCall(node, callee.object, callee.property);
    },
  }).visit(program);
  return finder.mutants.sort((a, b) => a.start - b.start || a.end - b.end);
}
