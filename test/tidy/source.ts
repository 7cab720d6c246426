import {
  type ArrowFunctionExpression,
  type CallExpression,
  type EcmaScriptModule,
  type Expression,
  type Function as FunctionNode,
  type MemberExpression,
  parseSync,
  type TSAsExpression,
  Visitor,
} from 'oxc-parser';

export interface Import {
  readonly from: string;
  /** Whether only types come in, so that nothing is loaded when the file runs. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface Finding {
  readonly line: number;
  readonly what: string;
}

/** What the rules want to know of one source file. */
export interface Source {
  readonly imports: readonly Import[];
  /** Functions of more lines than the limit. One that registers tests is a chapter of a test file and does not count. */
  readonly longFunctions: readonly Finding[];
  /** Casts, `any`, non-null assertions. */
  readonly escapes: readonly Finding[];
  readonly emptyCatches: readonly Finding[];
  /** Tests that would be left out, or that would leave the others out. */
  readonly omittedTests: readonly Finding[];
}

type Node = { readonly start: number; readonly end: number };

const functionLineLimit = 70;
const testWords = new Set(['it', 'test', 'describe', 'suite', 'context', 'ctx', 't', 'task']);
const declaringWords = new Set(['it', 'test', 'describe']);
const omittingWords = new Set(['skip', 'only', 'todo', 'skipIf', 'runIf', 'fails']);

/** Offsets to line numbers, counted from 1. */
function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** The identifier a chain of members hangs on: `it` of `it.each.skip`. */
function rootName(node: MemberExpression): string {
  let object: MemberExpression['object'] = node.object;
  while (object.type === 'MemberExpression' || object.type === 'CallExpression') {
    object = object.type === 'MemberExpression' ? object.object : object.callee;
  }
  return object.type === 'Identifier' ? object.name : '';
}

/** Whether tests are declared right in its body, as in the callback of a `describe` or in one chapter of a conformance suite. */
function registersTests(node: FunctionNode | ArrowFunctionExpression): boolean {
  if (node.body?.type !== 'BlockStatement') return false;
  return node.body.body.some((statement) => {
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'CallExpression') return false;
    let callee: Expression = statement.expression.callee;
    while (callee.type === 'MemberExpression' || callee.type === 'CallExpression') {
      callee = callee.type === 'MemberExpression' ? callee.object : callee.callee;
    }
    return callee.type === 'Identifier' && declaringWords.has(callee.name);
  });
}

class Reader {
  readonly imports: Import[] = [];
  readonly longFunctions: Finding[] = [];
  readonly escapes: Finding[] = [];
  readonly emptyCatches: Finding[] = [];
  readonly omittedTests: Finding[] = [];
  readonly #lineOf: (offset: number) => number;

  constructor(text: string) {
    this.#lineOf = lineCounter(text);
  }

  found(list: Finding[], node: Node, what: string): void {
    list.push({ line: this.#lineOf(node.start), what });
  }

  imported(from: string, typeOnly: boolean, node: Node): void {
    this.imports.push({ from, typeOnly, line: this.#lineOf(node.start) });
  }

  measure(node: FunctionNode | ArrowFunctionExpression): void {
    const lines = this.#lineOf(node.end) - this.#lineOf(node.start) + 1;
    if (lines > functionLineLimit && !registersTests(node)) {
      this.found(this.longFunctions, node, `function of ${lines} lines`);
    }
  }

  readCall(node: CallExpression): void {
    const { callee } = node;
    const isCatch =
      callee.type === 'MemberExpression' && callee.property.type === 'Identifier' && callee.property.name === 'catch';
    for (const argument of node.arguments) {
      if (argument.type !== 'ArrowFunctionExpression' && argument.type !== 'FunctionExpression') continue;
      if (isCatch && argument.body?.type === 'BlockStatement' && argument.body.body.length === 0) {
        this.found(this.emptyCatches, argument, '.catch() that does nothing');
      }
    }
  }

  readMember(node: MemberExpression): void {
    if (node.property.type !== 'Identifier' || !omittingWords.has(node.property.name)) return;
    if (testWords.has(rootName(node))) this.found(this.omittedTests, node, node.property.name);
  }

  readModule(module: EcmaScriptModule): void {
    for (const statement of module.staticImports) {
      const typeOnly = statement.entries.length > 0 && statement.entries.every((one) => one.isType);
      this.imported(statement.moduleRequest.value, typeOnly, statement);
    }
    for (const entry of module.staticExports.flatMap((statement) => statement.entries)) {
      if (entry.moduleRequest !== null) this.imported(entry.moduleRequest.value, entry.isType, entry);
    }
  }
}

function isConstCast(node: TSAsExpression): boolean {
  const to = node.typeAnnotation;
  return to.type === 'TSTypeReference' && to.typeName.type === 'Identifier' && to.typeName.name === 'const';
}

/** Reads one TypeScript file. Throws when it does not parse. */
export function readSource(path: string, text: string): Source {
  const { program, module, errors } = parseSync(path, text, { preserveParens: false });
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join('; ')}`);
  const reader = new Reader(text);
  reader.readModule(module);
  new Visitor({
    ImportExpression: (node) => {
      if (node.source.type === 'Literal' && typeof node.source.value === 'string') {
        reader.imported(node.source.value, false, node);
      }
    },
    CallExpression: (node) => reader.readCall(node),
    MemberExpression: (node) => reader.readMember(node),
    FunctionDeclaration: (node) => reader.measure(node),
    FunctionExpression: (node) => reader.measure(node),
    ArrowFunctionExpression: (node) => reader.measure(node),
    TSAsExpression: (node) => {
      if (!isConstCast(node)) reader.found(reader.escapes, node, 'cast with "as"');
    },
    TSTypeAssertion: (node) => reader.found(reader.escapes, node, 'cast with "<>"'),
    TSNonNullExpression: (node) => reader.found(reader.escapes, node, 'non-null assertion "!"'),
    TSAnyKeyword: (node) => reader.found(reader.escapes, node, '"any"'),
    CatchClause: (node) => {
      if (node.body.body.length === 0) reader.found(reader.emptyCatches, node, 'empty catch');
    },
  }).visit(program);
  return reader;
}
