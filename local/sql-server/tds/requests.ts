/** SQL batches and remote procedure calls: [MS-TDS] 2.2.6.7 and 2.2.6.6. */
import type { Value } from '../sql/syntax.ts';
import { Bytes } from './bytes.ts';
import { readValue } from './values.ts';

const byNumber = 0xffff;

/** Every request begins with headers that carry the transaction; the stand-in keeps its own. */
const afterHeaders = (data: Buffer): number => data.readUInt32LE(0);

export const readBatch = (data: Buffer): string => data.subarray(afterHeaders(data)).toString('utf16le');

export type TransactionAction = 'BEGIN' | 'COMMIT' | 'ROLLBACK';

/** A request of the transaction manager: [MS-TDS] 2.2.6.9. Undefined for what no driver here sends, such as distributed ones. */
export function readTransactionRequest(data: Buffer): TransactionAction | undefined {
  const actions = new Map<number, TransactionAction>([
    [5, 'BEGIN'],
    [7, 'COMMIT'],
    [8, 'ROLLBACK'],
  ]);
  return actions.get(data.readUInt16LE(afterHeaders(data)));
}

/** Procedures that a client may call by number. */
const numbered: ReadonlyMap<number, string> = new Map([
  [10, 'sp_executesql'],
  [11, 'sp_prepare'],
  [12, 'sp_execute'],
  [13, 'sp_prepexec'],
  [15, 'sp_unprepare'],
]);

export interface Parameter {
  /** As the client wrote it, in lower case; empty where it sent none. */
  readonly name: string;
  readonly value: Value;
  /** Whether its value is wanted back. */
  readonly output: boolean;
}

export interface Call {
  /** In lower case; `procedure number N` for a number that stands for none of the above. */
  readonly procedure: string;
  readonly parameters: readonly Parameter[];
}

/** Ends a call when another follows: [MS-TDS] 2.2.6.6, BatchFlag and NoExecFlag. */
const separators = [0x80, 0xfe, 0xff];

function readCall(bytes: Bytes): Call {
  const length = bytes.number(2);
  const number = length === byNumber ? bytes.number(2) : undefined;
  const named = number === undefined ? bytes.text(length).toLowerCase() : numbered.get(number);
  bytes.number(2);
  const parameters: Parameter[] = [];
  while (!bytes.done && !separators.includes(bytes.next)) {
    const name = bytes.text(bytes.number(1)).toLowerCase();
    const output = (bytes.number(1) & 0x01) !== 0;
    parameters.push({ name, output, value: readValue(bytes, parameters.length + 1) });
  }
  return { procedure: named ?? `procedure number ${number}`, parameters };
}

/** The calls of one request. Throws a `SqlError` for a parameter that cannot be read. */
export function readCalls(data: Buffer): readonly Call[] {
  const bytes = new Bytes(data, afterHeaders(data));
  const calls: Call[] = [];
  while (!bytes.done) {
    calls.push(readCall(bytes));
    if (!bytes.done) bytes.take(1);
  }
  return calls;
}

/** A statement with the values of its parameters, by name. */
export interface Bound {
  readonly text: string;
  readonly params: ReadonlyMap<string, Value>;
}

/** Names that a declaration such as `@a int, @b nvarchar(4000) output` declares, in lower case and in order. */
export function declaredNames(declaration: Value): readonly string[] {
  return typeof declaration === 'string'
    ? [...declaration.matchAll(/@[\p{L}\p{N}_#$@]+/gu)].map(([name]) => name.toLowerCase())
    : [];
}

/** Parameters without a name stand for the declared ones in their order. */
export function bind(text: string, declared: readonly string[], given: readonly Parameter[]): Bound {
  const params = given.map(({ name, value }, index): [string, Value] => [
    name === '' ? (declared[index] ?? '') : name,
    value,
  ]);
  return { text, params: new Map(params) };
}
