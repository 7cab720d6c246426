/** LOGIN7: [MS-TDS] 2.2.6.4. */

export interface Login7 {
  readonly tdsVersion: number;
  /** What the client would like; 0 leaves it to the server. */
  readonly packetSize: number;
  readonly hostName: string;
  readonly userName: string;
  readonly password: string;
  /** The password that the login is to have from now on, when the client changes it while it logs in. */
  readonly newPassword?: string;
  readonly programName: string;
  readonly database: string;
  /** The Entra token, when the client logs in with one. */
  readonly token?: string;
}

const table = { host: 36, user: 40, password: 44, program: 48, extension: 56, database: 68, newPassword: 86 };
/** Of the third byte of flags. */
const flags = { at: 27, changesPassword: 0x01, hasExtension: 0x10 };
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

/** Older clients send no extension: the flag says whether there is one, and nothing else may be read as its address. */
function tokenOf(data: Buffer): string | undefined {
  if ((data.readUInt8(flags.at) & flags.hasExtension) === 0) return undefined;
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

/** Throws when the bytes are no login of TDS 7.2 or later, the oldest that SQL Server 2016 and its successors are spoken to with. */
export function readLogin7(data: Buffer): Login7 {
  const text = (entry: number): string => bytesAt(data, entry).toString('utf16le');
  const tdsVersion = data.readUInt32LE(4);
  const token = tokenOf(data);
  const changes = (data.readUInt8(flags.at) & flags.changesPassword) !== 0;
  return {
    tdsVersion,
    packetSize: data.readUInt32LE(8),
    hostName: text(table.host),
    userName: text(table.user),
    password: undisguise(bytesAt(data, table.password)),
    programName: text(table.program),
    database: text(table.database),
    ...(token === undefined ? {} : { token }),
    ...(changes ? { newPassword: undisguise(bytesAt(data, table.newPassword)) } : {}),
  };
}
