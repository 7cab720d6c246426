/**
 * Writes a zip archive whose bytes depend on names and contents alone: sorted, without the time and the rights of the files. Source: APPNOTE.TXT
 * 6.3.10 of PKWARE, the parts for deflated entries below 4 GB.
 */
import { crc32, deflateRawSync } from 'node:zlib';

export interface Entry {
  /** Relative, with `/`. */
  readonly path: string;
  readonly content: Buffer;
}

// The earliest time the format knows: 1980-01-01 00:00.
const day = 0x21;
const time = 0;
const utf8Names = 0x0800;
const deflated = 8;
const version = 20;
/** Made on Unix, as a plain file that everybody reads: some unpackers leave files without rights otherwise. */
const madeOnUnix = (3 << 8) | version;
const readable = (0o100644 << 16) >>> 0;

/** The archive. Throws where a path is absolute or leads out of the folder, or stands there twice. */
export function zip(entries: readonly Entry[]): Buffer {
  const sorted = entries.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  refuse(sorted);
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, content } of sorted) {
    const name = Buffer.from(path, 'utf8');
    const data = deflateRawSync(content, { level: 9 });
    const sizes = [crc32(content), data.length, content.length] as const;
    const local = header(30, 0x04034b50, [], sizes, name.length);
    bodies.push(local, name, data);
    directory.push(centralHeader(sizes, name.length, offset), name);
    offset += local.length + name.length + data.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...bodies, central, end(sorted.length, central.length, offset)]);
}

function refuse(entries: readonly Entry[]): void {
  const paths = new Set<string>();
  for (const { path } of entries) {
    if (path.startsWith('/') || path.split('/').includes('..') || path.includes('\\'))
      throw new Error(`${path} must not be in an archive`);
    if (paths.has(path)) throw new Error(`${path} is in the archive twice`);
    paths.add(path);
  }
}

type Sizes = readonly [crc: number, packed: number, plain: number];

/** What both headers have in common; `first` stands between the signature and the version that is needed. */
function header(
  length: number,
  signature: number,
  first: readonly number[],
  [crc, packed, plain]: Sizes,
  nameLength: number,
): Buffer {
  const bytes = Buffer.alloc(length);
  let at = bytes.writeUInt32LE(signature, 0);
  for (const one of [...first, version, utf8Names, deflated, time, day]) at = bytes.writeUInt16LE(one, at);
  for (const one of [crc, packed, plain]) at = bytes.writeUInt32LE(one, at);
  bytes.writeUInt16LE(nameLength, at);
  return bytes;
}

function centralHeader(sizes: Sizes, nameLength: number, offset: number): Buffer {
  const bytes = header(46, 0x02014b50, [madeOnUnix], sizes, nameLength);
  bytes.writeUInt32LE(readable, 38);
  bytes.writeUInt32LE(offset, 42);
  return bytes;
}

function end(count: number, size: number, offset: number): Buffer {
  const bytes = Buffer.alloc(22);
  bytes.writeUInt32LE(0x06054b50, 0);
  bytes.writeUInt16LE(count, 8);
  bytes.writeUInt16LE(count, 10);
  bytes.writeUInt32LE(size, 12);
  bytes.writeUInt32LE(offset, 16);
  return bytes;
}
