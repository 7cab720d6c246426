/** LOGIN7: [MS-TDS] 2.2.6.4. */

export interface Login7 {
  readonly tdsVersion: number;
  readonly hostName: string;
  readonly userName: string;
  readonly password: string;
  readonly programName: string;
  readonly database: string;
  /** The Entra token, when the client logs in with one. */
  readonly token?: string;
}

const table = { host: 36, user: 40, password: 44, program: 48, extension: 56, database: 68 };
const fedAuthFeature = 0x02;
const lastFeature = 0xff;
const securityTokenLibrary = 0x01;

function bytesAt(data: Buffer, entry: number): Buffer {
  const start = data.readUInt16LE(entry);
  return data.subarray(start, start + data.readUInt16LE(entry + 2) * 2);
}

/** The password is not encrypted, only disguised: each byte's halves are swapped and it is combined with 0xA5. */
function undisguise(bytes: Buffer): string {
  const clear = Buffer.from(bytes.map((byte) => (((byte ^ 0xa5) << 4) & 0xf0) | ((byte ^ 0xa5) >> 4)));
  return clear.toString('utf16le');
}

function tokenOf(data: Buffer): string | undefined {
  let at = data.readUInt32LE(data.readUInt16LE(table.extension));
  while (data.readUInt8(at) !== lastFeature) {
    const feature = data.readUInt8(at);
    const length = data.readUInt32LE(at + 1);
    const body = data.subarray(at + 5, at + 5 + length);
    if (feature === fedAuthFeature && body.readUInt8(0) >> 1 === securityTokenLibrary) {
      return body.subarray(5, 5 + body.readUInt32LE(1)).toString('utf16le');
    }
    at += 5 + length;
  }
  return undefined;
}

export function readLogin7(data: Buffer): Login7 {
  const text = (entry: number): string => bytesAt(data, entry).toString('utf16le');
  const token = tokenOf(data);
  return {
    tdsVersion: data.readUInt32LE(4),
    hostName: text(table.host),
    userName: text(table.user),
    password: undisguise(bytesAt(data, table.password)),
    programName: text(table.program),
    database: text(table.database),
    ...(token === undefined ? {} : { token }),
  };
}
