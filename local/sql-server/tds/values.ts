/** Typed values as a client sends them: TYPE_INFO and the value behind it, [MS-TDS] 2.2.5.4 to 2.2.5.6. */
import { SqlError } from '../sql/sql-error.ts';
import { Typed, type Value } from '../sql/syntax.ts';
import type { Bytes } from './bytes.ts';

const maximum = 0xffff;
const collationLength = 5;

/** Types whose length their number says. */
const fixedLengths: ReadonlyMap<number, number> = new Map([
  [0x1f, 0],
  [0x30, 1],
  [0x32, 1],
  [0x34, 2],
  [0x38, 4],
  [0x3a, 4],
  [0x3b, 4],
  [0x3c, 8],
  [0x3d, 8],
  [0x3e, 8],
  [0x7a, 4],
  [0x7f, 8],
]);

const nullType = 0x1f;
const integers = { int1: 0x30, int2: 0x34, int4: 0x38, int8: 0x7f, intn: 0x26 };
const bits = { bit: 0x32, bitn: 0x68 };

/** Bytes of TYPE_INFO behind the type's own number, for types whose values have one byte of length. */
const briefInfo: ReadonlyMap<number, number> = new Map([
  [0x24, 1],
  [0x26, 1],
  [0x68, 1],
  [0x6d, 1],
  [0x6e, 1],
  [0x6f, 1],
  [0x25, 1],
  [0x2d, 1],
  [0x6a, 3],
  [0x6c, 3],
  [0x37, 3],
  [0x3f, 3],
  [0x28, 0],
  [0x29, 1],
  [0x2a, 1],
  [0x2b, 1],
]);

const wide = { varbinary: 0xa5, varchar: 0xa7, binary: 0xad, char: 0xaf, nvarchar: 0xe7, nchar: 0xef };
const wideTypes: readonly number[] = Object.values(wide);
const long = { text: 0x23, ntext: 0x63, image: 0x22, variant: 0x62 };
const longTypes: readonly number[] = Object.values(long);
const xml = 0xf1;

/** A value in chunks, as the (max) types send it: [MS-TDS] 2.2.5.2.3. */
function chunks(bytes: Bytes): Buffer | null {
  if (bytes.take(8).equals(Buffer.alloc(8, 0xff))) return null;
  const parts: Buffer[] = [];
  for (let length = bytes.number(4); length > 0; length = bytes.number(4)) parts.push(bytes.take(length));
  return Buffer.concat(parts);
}

/** What the bytes of a type mean, for types that the interpreter computes with. */
function plainOf(type: number, content: Buffer): null | string | number | boolean | Buffer {
  if (type === bits.bit || type === bits.bitn) return content.readUInt8() !== 0;
  if (type === integers.int1 || (type === integers.intn && content.length === 1)) return content.readUInt8();
  if (type === integers.intn || type === integers.int2 || type === integers.int4 || type === integers.int8) {
    return content.length === 8 ? Number(content.readBigInt64LE()) : content.readIntLE(0, content.length);
  }
  if (type === wide.nvarchar || type === wide.nchar || type === long.ntext || type === xml)
    return content.toString('utf16le');
  if (type === wide.varchar || type === wide.char || type === long.text) return content.toString('latin1');
  if (type === wide.varbinary || type === wide.binary || type === long.image) return content;
  return null;
}

interface Read {
  readonly info: Buffer;
  readonly data: Buffer;
  /** Null for NULL. */
  readonly content: Buffer | null;
}

function readWide(type: number, bytes: Bytes, start: number): Read {
  const limit = bytes.number(2);
  if (type !== wide.varbinary && type !== wide.binary) bytes.take(collationLength);
  const info = bytes.since(start);
  const from = bytes.at;
  if (limit === maximum) return { info, content: chunks(bytes), data: bytes.since(from) };
  const length = bytes.number(2);
  const content = length === maximum ? null : bytes.take(length);
  return { info, content, data: bytes.since(from) };
}

function readLong(type: number, bytes: Bytes, start: number): Read {
  bytes.take(4);
  if (type === long.text || type === long.ntext) bytes.take(collationLength);
  const info = bytes.since(start);
  const from = bytes.at;
  const length = bytes.number(4);
  const content = length === 0xffff_ffff || (type === long.variant && length === 0) ? null : bytes.take(length);
  return { info, content, data: bytes.since(from) };
}

function readXml(bytes: Bytes, start: number): Read {
  if (bytes.number(1) === 1) {
    for (const width of [1, 1, 2]) bytes.text(bytes.number(width));
  }
  const info = bytes.since(start);
  const from = bytes.at;
  return { info, content: chunks(bytes), data: bytes.since(from) };
}

/** Reads one value with its type. Throws error 8009 for a type that nobody here sends, such as a table. */
export function readValue(bytes: Bytes, ordinal: number): Value {
  const start = bytes.at;
  const type = bytes.number(1);
  const read = readOf(type, bytes, start, ordinal);
  if (read.content === null) return null;
  const plain = plainOf(type, read.content);
  // What the interpreter sends back in the same form needs no copy of its bytes.
  const native =
    (type === integers.intn && read.content.length === 4) ||
    type === bits.bitn ||
    ((type === wide.nvarchar || type === wide.varbinary) && read.info.readUInt16LE(1) !== maximum);
  if (native) return plain;
  // A text or image column has more behind its type than a parameter; it goes back as what it means.
  if (type === long.text || type === long.ntext || type === long.image) return plain;
  return new Typed(read.info, read.data, plain);
}

function readOf(type: number, bytes: Bytes, start: number, ordinal: number): Read {
  const fixed = fixedLengths.get(type);
  if (fixed !== undefined) {
    const info = bytes.since(start);
    const content = bytes.take(fixed);
    return { info, data: content, content: type === nullType ? null : content };
  }
  const brief = briefInfo.get(type);
  if (brief !== undefined) {
    bytes.take(brief);
    const info = bytes.since(start);
    const from = bytes.at;
    const length = bytes.number(1);
    const content = length === 0 ? null : bytes.take(length);
    return { info, content, data: bytes.since(from) };
  }
  if (wideTypes.includes(type)) return readWide(type, bytes, start);
  if (longTypes.includes(type)) return readLong(type, bytes, start);
  if (type === xml) return readXml(bytes, start);
  const hex = type.toString(16).toUpperCase().padStart(2, '0');
  throw new SqlError(
    8009,
    `The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect. Parameter ${ordinal}: Data type 0x${hex} is unknown.`,
  );
}
