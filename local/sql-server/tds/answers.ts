/** The tokens a server answers with: [MS-TDS] 2.2.7. */
import type { ColumnType } from '../sql/functions.ts';
import type { ResultSet } from '../sql/run-select.ts';
import type { SqlError } from '../sql/sql-error.ts';
import { Typed, type Value } from '../sql/syntax.ts';
import type { TransactionAction } from './requests.ts';

const tokens = {
  returnStatus: 0x79,
  columns: 0x81,
  error: 0xaa,
  info: 0xab,
  returnValue: 0xac,
  loginAck: 0xad,
  featureAck: 0xae,
  row: 0xd1,
  envChange: 0xe3,
  done: 0xfd,
  doneProcedure: 0xfe,
  doneInProcedure: 0xff,
};

const doneFlags = { more: 0x01, error: 0x02, count: 0x10, attention: 0x20 };
/** Latin1_General_CI_AS as SQL_Latin1_General_CP1_CI_AS announces it. */
const collation = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);
const serverName = 'STANDIN';

const short = (number: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(number);
  return bytes;
};

const long = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
};

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
/** Text with its length in characters in one byte. */
const briefText = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), utf16(text)]);
const longText = (text: string): Buffer => Buffer.concat([short(text.length), utf16(text)]);

function sized(token: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([token]), short(body.length), body]);
}

function message(token: number, about: { number: number; state: number; severity: number; message: string }): Buffer {
  const head = [long(about.number), Buffer.from([about.state, about.severity])];
  return sized(token, ...head, longText(about.message), briefText(serverName), briefText(''), long(1));
}

export const errorToken = (error: SqlError): Buffer => message(tokens.error, error);

/** The change of database, with the message that goes with it. */
export function databaseTokens(next: string, previous: string): Buffer {
  const change = sized(tokens.envChange, Buffer.from([1]), briefText(next), briefText(previous));
  const told = { number: 5701, state: 2, severity: 0, message: `Changed database context to '${next}'.` };
  return Buffer.concat([change, message(tokens.info, told)]);
}

/** The size of packets that both sides keep to from the next one on. */
export function packetSizeToken(next: number, previous: number): Buffer {
  return sized(tokens.envChange, Buffer.from([4]), briefText(String(next)), briefText(String(previous)));
}

/** Acknowledges that the session is as new: type 18 of [MS-TDS] 2.2.7.9. */
export const resetToken = (): Buffer => sized(tokens.envChange, Buffer.from([18, 0, 0]));

export const collationToken = (): Buffer =>
  sized(tokens.envChange, Buffer.from([7, collation.length]), collation, Buffer.from([0]));

/** Tells which transaction the session is in from now on, or that it is in none: types 8 to 10 of [MS-TDS] 2.2.7.9. */
export function transactionToken(action: TransactionAction, sessionId: number): Buffer {
  const descriptor = Buffer.alloc(9);
  descriptor.writeUInt8(8);
  descriptor.writeUInt32LE(sessionId, 1);
  const none = Buffer.from([0]);
  const begins = action === 'BEGIN';
  const type = { BEGIN: 8, COMMIT: 9, ROLLBACK: 10 }[action];
  return sized(tokens.envChange, Buffer.from([type]), begins ? descriptor : none, begins ? none : descriptor);
}

export function loginAckToken(tdsVersion: number): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(tdsVersion);
  return sized(
    tokens.loginAck,
    Buffer.from([1]),
    version,
    briefText('Microsoft SQL Server'),
    Buffer.from([16, 0, 3, 232]),
  );
}

/** Acknowledges a login with an Entra token: feature 2 without data. */
export const fedAuthAckToken = (): Buffer => Buffer.from([tokens.featureAck, 0x02, 0, 0, 0, 0, 0xff]);

function done(token: number, flags: number, rows: number): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt8(token, 0);
  bytes.writeUInt16LE(flags, 1);
  bytes.writeBigUInt64LE(BigInt(rows), 5);
  return bytes;
}

export interface Done {
  readonly inProcedure: boolean;
  readonly more: boolean;
  readonly failed?: boolean;
  /** Rows of the result before it. */
  readonly rows?: number;
}

/** The end of one statement. */
export function doneToken(about: Done): Buffer {
  const token = about.inProcedure ? tokens.doneInProcedure : tokens.done;
  const flags =
    (about.more || about.inProcedure ? doneFlags.more : 0) |
    (about.failed === true ? doneFlags.error : 0) |
    (about.rows === undefined ? 0 : doneFlags.count);
  return done(token, flags, about.rows ?? 0);
}

/** The end of a procedure call, with its return status and the values of its output parameters. `more`: another call's answer follows. */
export function procedureEnd(failed: boolean, values: readonly Buffer[] = [], more = false): Buffer {
  const status = Buffer.concat([Buffer.from([tokens.returnStatus]), long(failed ? 1 : 0)]);
  const flags = (failed ? doneFlags.error : 0) | (more ? doneFlags.more : 0);
  return Buffer.concat([status, ...values, done(tokens.doneProcedure, flags, 0)]);
}

/** The value of an output parameter. */
export function returnValueToken(ordinal: number, name: string, value: Value): Buffer {
  const type: ColumnType | Typed =
    value instanceof Typed
      ? value
      : typeof value === 'number'
        ? 'int'
        : typeof value === 'boolean'
          ? 'bit'
          : Buffer.isBuffer(value)
            ? 'varbinary'
            : 'nvarchar';
  return Buffer.concat([
    Buffer.from([tokens.returnValue]),
    short(ordinal),
    briefText(name),
    Buffer.from([1]),
    long(0),
    short(0),
    typeInfo(type),
    cell(type, value),
  ]);
}

/** The acknowledgement of an attention. */
export const attentionToken = (): Buffer => done(tokens.done, doneFlags.attention, 0);

const widest = 8000;

function typeInfo(type: ColumnType | Typed): Buffer {
  if (type instanceof Typed) return type.info;
  switch (type) {
    case 'nvarchar':
      return Buffer.concat([Buffer.from([0xe7]), short(widest), collation]);
    case 'varbinary':
      return Buffer.concat([Buffer.from([0xa5]), short(widest)]);
    case 'int':
      return Buffer.from([0x26, 4]);
    case 'bit':
      return Buffer.from([0x68, 1]);
    case 'datetime2':
      return Buffer.from([0x2a, 7]);
  }
}

const dayMs = 86_400_000;
/** Days from 0001-01-01 to 1970-01-01. */
const epochDay = 719_162;

function moment(value: Date): Buffer {
  const days = Math.floor(value.getTime() / dayMs);
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(8, 0);
  bytes.writeUIntLE((value.getTime() - days * dayMs) * 10_000, 1, 5);
  bytes.writeUIntLE(days + epochDay, 6, 3);
  return bytes;
}

function cell(type: ColumnType | Typed, value: Value): Buffer {
  if (value instanceof Typed) return value.data;
  if (type instanceof Typed) throw new Error('a typed column holds one value, and it has that type');
  if (type === 'nvarchar' || type === 'varbinary') {
    if (value === null) return short(0xffff);
    const bytes = Buffer.isBuffer(value) ? value : utf16(String(value));
    return Buffer.concat([short(bytes.length), bytes]);
  }
  if (value === null) return Buffer.from([0]);
  if (type === 'datetime2') return value instanceof Date ? moment(value) : Buffer.from([0]);
  if (type === 'bit') return Buffer.from([1, value === true || value === 1 ? 1 : 0]);
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(4, 0);
  bytes.writeInt32LE(Number(value), 1);
  return bytes;
}

/** A whole result: columns and rows. */
export function resultTokens(result: ResultSet): Buffer {
  const nullable = 0x0009;
  const columns = result.columns.map((one) =>
    Buffer.concat([long(0), short(nullable), typeInfo(one.type), briefText(one.name)]),
  );
  const rows = result.rows.map((row) =>
    Buffer.concat([
      Buffer.from([tokens.row]),
      ...result.columns.map((column, index) => cell(column.type, row[index] ?? null)),
    ]),
  );
  return Buffer.concat([Buffer.from([tokens.columns]), short(result.columns.length), ...columns, ...rows]);
}
