/** SQL batches and remote procedure calls: [MS-TDS] 2.2.6.7 and 2.2.6.6. */
import type { Value } from '../sql/syntax.ts';

const executeSql = 10;
const types = { int: 0x26, bit: 0x68, varbinary: 0xa5, nvarchar: 0xe7 };
const maximum = 0xffff;
const collationLength = 5;

/** A reader that walks over bytes. */
class Bytes {
  readonly #data: Buffer;
  #at: number;

  constructor(data: Buffer, at: number) {
    this.#data = data;
    this.#at = at;
  }

  get done(): boolean {
    return this.#at >= this.#data.length;
  }

  number(length: number): number {
    this.#at += length;
    return this.#data.readUIntLE(this.#at - length, length);
  }

  take(length: number): Buffer {
    this.#at += length;
    return this.#data.subarray(this.#at - length, this.#at);
  }

  text(characters: number): string {
    return this.take(characters * 2).toString('utf16le');
  }

  /** A value in chunks, as the (max) types send it: [MS-TDS] 2.2.5.2.3. */
  chunks(): Buffer | null {
    if (this.take(8).equals(Buffer.alloc(8, 0xff))) return null;
    const parts: Buffer[] = [];
    for (let length = this.number(4); length > 0; length = this.number(4)) parts.push(this.take(length));
    return Buffer.concat(parts);
  }

  sized(limit: number): Buffer | null {
    if (limit === maximum) return this.chunks();
    const length = this.number(2);
    return length === maximum ? null : this.take(length);
  }
}

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

function value(bytes: Bytes): Value {
  const type = bytes.number(1);
  if (type === types.int || type === types.bit) {
    bytes.number(1);
    const length = bytes.number(1);
    if (length === 0) return null;
    const number = length === 8 ? Number(bytes.take(8).readBigInt64LE()) : bytes.take(length).readIntLE(0, length);
    return type === types.bit ? number !== 0 : number;
  }
  const limit = bytes.number(2);
  if (type === types.varbinary) return bytes.sized(limit);
  if (type !== types.nvarchar) throw new Error(`parameter type ${type} is not read`);
  bytes.take(collationLength);
  return bytes.sized(limit)?.toString('utf16le') ?? null;
}

export interface Call {
  readonly text: string;
  readonly params: ReadonlyMap<string, Value>;
}

/** A call of `sp_executesql`; undefined for any other procedure. */
export function readCall(data: Buffer): Call | undefined {
  const bytes = new Bytes(data, afterHeaders(data));
  const nameLength = bytes.number(2);
  const isExecute =
    nameLength === maximum ? bytes.number(2) === executeSql : bytes.text(nameLength).toLowerCase() === 'sp_executesql';
  if (!isExecute) return undefined;
  bytes.number(2);
  const given: [string, Value][] = [];
  while (!bytes.done) {
    const name = bytes.text(bytes.number(1)).toLowerCase();
    bytes.number(1);
    given.push([name, value(bytes)]);
  }
  // The first is the statement, the second declares the rest.
  const [statement] = given;
  const text = statement?.[1];
  return typeof text === 'string' ? { text, params: new Map(given.slice(2)) } : undefined;
}
