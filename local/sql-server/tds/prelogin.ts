/** PRELOGIN: [MS-TDS] 2.2.6.5. */

const options = { version: 0x00, encryption: 0x01, instance: 0x02, thread: 0x03, mars: 0x04, fedAuth: 0x06, end: 0xff };

export const encryption = { off: 0x00, on: 0x01, notSupported: 0x02, required: 0x03 } as const;

export interface Prelogin {
  readonly encryption: number;
  readonly asksFedAuth: boolean;
}

export function readPrelogin(data: Buffer): Prelogin {
  const found = new Map<number, Buffer>();
  for (let at = 0; data.readUInt8(at) !== options.end; at += 5) {
    const start = data.readUInt16BE(at + 1);
    found.set(data.readUInt8(at), data.subarray(start, start + data.readUInt16BE(at + 3)));
  }
  return {
    encryption: found.get(options.encryption)?.at(0) ?? encryption.notSupported,
    asksFedAuth: found.get(options.fedAuth)?.at(0) === 1,
  };
}

/** How much of a connection is encrypted: all of it, its login alone, or nothing. */
export type Encrypted = 'all' | 'login' | 'nothing';

/**
 * What the server answers to a client's wish, and what is encrypted then: the table of [MS-TDS] 2.2.6.5. `demands` is the setting
 * "Force Encryption" of SQL Server, which Azure SQL Database has always on.
 */
export function negotiate(
  asked: number,
  server: { readonly can: boolean; readonly demands: boolean },
): { readonly answer: number; readonly encrypted: Encrypted } {
  if (!server.can) return { answer: encryption.notSupported, encrypted: 'nothing' };
  if (asked === encryption.on || asked === encryption.required) return { answer: encryption.on, encrypted: 'all' };
  if (server.demands) {
    // A client that cannot encrypt ends the connection now.
    return { answer: encryption.required, encrypted: asked === encryption.off ? 'all' : 'nothing' };
  }
  if (asked === encryption.off) return { answer: encryption.off, encrypted: 'login' };
  return { answer: encryption.notSupported, encrypted: 'nothing' };
}

/** SQL Server 2022, 16.0.1000.6. */
const version = Buffer.from([16, 0, 0x03, 0xe8, 0, 6]);

export function writePrelogin(answer: { encryption: number; fedAuth: boolean }): Buffer {
  const parts: [number, Buffer][] = [
    [options.version, version],
    [options.encryption, Buffer.from([answer.encryption])],
    [options.instance, Buffer.from([0])],
    [options.thread, Buffer.alloc(0)],
    [options.mars, Buffer.from([0])],
    ...(answer.fedAuth ? [[options.fedAuth, Buffer.from([1])] satisfies [number, Buffer]] : []),
  ];
  const table = Buffer.alloc(parts.length * 5 + 1);
  let start = table.length;
  for (const [index, [option, data]] of parts.entries()) {
    table.writeUInt8(option, index * 5);
    table.writeUInt16BE(start, index * 5 + 1);
    table.writeUInt16BE(data.length, index * 5 + 3);
    start += data.length;
  }
  table.writeUInt8(options.end, parts.length * 5);
  return Buffer.concat([table, ...parts.map(([, data]) => data)]);
}
