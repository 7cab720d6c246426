/**
 * MySQL's client/server protocol, as much as a login and text statements need:
 * https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

export interface ServerError {
  readonly kind: 'error';
  readonly errno: number;
  readonly state: string;
  readonly message: string;
}

export type Answer =
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'rows';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
    }
  | ServerError;

export interface LoginAttempt {
  readonly user: string;
  readonly database: string | undefined;
  /** Whether the answer to the challenge was made with the password of this double SHA-256. */
  provesCachingSha2(doubleHash: Buffer): boolean;
}

export interface Conversation {
  /** Undefined lets the client in. */
  login(attempt: LoginAttempt): ServerError | undefined;
  statement(text: string): Answer;
  ended(): void;
}

// CLIENT_LONG_PASSWORD, LONG_FLAG, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH
const capabilities = 0x1 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;
const connectWithDatabase = 0x8;
const utf8mb4 = 45;
const autocommit = 2;

const sha256 = (...parts: readonly Buffer[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** What the server stores of a password, as its cache does. */
export function doubleSha256(password: string): Buffer {
  return sha256(sha256(Buffer.from(password)));
}

/** Speaks with one client until either side hangs up. */
export function converse(socket: Socket, version: string, id: number, conversation: Conversation): void {
  const nonce = Buffer.from(randomBytes(20).map((byte) => (byte % 127) + 1));
  let buffered = Buffer.alloc(0);
  let loggedIn = false;
  const send = (sequence: number, payload: Buffer) => socket.write(packet(sequence, payload));
  const handle = (sequence: number, payload: Buffer) => {
    if (!loggedIn) {
      const refused = conversation.login(readLogin(payload, nonce));
      if (refused !== undefined) {
        socket.end(packet(sequence + 1, errorPayload(refused)));
        return;
      }
      loggedIn = true;
      // The cache of the server knows the password: "fast authentication succeeded", then OK.
      send(sequence + 1, Buffer.from([1, 3]));
      send(sequence + 2, okPayload());
      return;
    }
    const command = payload[0];
    if (command === 1) socket.end();
    else if (command === 3)
      for (const [index, part] of parts(conversation.statement(payload.toString('utf8', 1))).entries())
        send(index + 1, part);
    else if (command === 14) send(1, okPayload());
    else send(1, errorPayload({ kind: 'error', errno: 1047, state: '08S01', message: 'Unknown command' }));
  };
  socket.on('data', (data) => {
    buffered = Buffer.concat([buffered, data]);
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUIntLE(0, 3)) {
      const length = buffered.readUIntLE(0, 3);
      const sequence = buffered[3] ?? 0;
      const payload = Buffer.from(buffered.subarray(4, 4 + length));
      buffered = buffered.subarray(4 + length);
      handle(sequence, payload);
    }
  });
  // Answers are several small packets; waiting for each to be acknowledged would take 40 ms a statement.
  socket.setNoDelay(true);
  // A client that hangs up in the middle is no concern of the server's.
  socket.on('error', () => undefined);
  socket.on('close', () => conversation.ended());
  send(0, greeting(version, id, nonce));
}

function greeting(version: string, id: number, nonce: Buffer): Buffer {
  const fixed = Buffer.alloc(31);
  fixed.writeUInt32LE(id, 0);
  nonce.copy(fixed, 4, 0, 8);
  fixed.writeUInt16LE(capabilities & 0xffff, 13);
  fixed.writeUInt8(utf8mb4, 15);
  fixed.writeUInt16LE(autocommit, 16);
  fixed.writeUInt16LE(capabilities >>> 16, 18);
  fixed.writeUInt8(21, 20);
  return Buffer.concat([
    Buffer.from([10]),
    zeroEnded(version),
    fixed,
    nonce.subarray(8),
    Buffer.from([0]),
    zeroEnded('caching_sha2_password'),
  ]);
}

function readLogin(payload: Buffer, nonce: Buffer): LoginAttempt {
  const flags = payload.readUInt32LE(0);
  const userEnd = payload.indexOf(0, 32);
  const user = payload.toString('utf8', 32, userEnd);
  const length = payload[userEnd + 1] ?? 0;
  const proof = payload.subarray(userEnd + 2, userEnd + 2 + length);
  const rest = userEnd + 2 + length;
  const database = flags & connectWithDatabase ? payload.toString('utf8', rest, payload.indexOf(0, rest)) : '';
  return {
    user,
    database: database === '' ? undefined : database,
    provesCachingSha2: (doubleHash) => {
      if (proof.length !== 32) return false;
      const mask = sha256(doubleHash, nonce);
      const single = Buffer.from(proof.map((byte, index) => byte ^ (mask[index] ?? 0)));
      return sha256(single).equals(doubleHash);
    },
  };
}

function parts(answer: Answer): Buffer[] {
  switch (answer.kind) {
    case 'ok':
      return [okPayload()];
    case 'error':
      return [errorPayload(answer)];
    case 'rows':
      return [
        Buffer.from([answer.columns.length]),
        ...answer.columns.map(columnPayload),
        endPayload(),
        ...answer.rows.map((row) =>
          Buffer.concat(row.map((cell) => (cell === null ? Buffer.from([0xfb]) : counted(cell)))),
        ),
        endPayload(),
      ];
  }
}

function columnPayload(name: string): Buffer {
  const fixed = Buffer.alloc(13);
  fixed.writeUInt8(12, 0);
  fixed.writeUInt16LE(utf8mb4, 1);
  fixed.writeUInt32LE(1024, 3);
  fixed.writeUInt8(0xfd, 7);
  return Buffer.concat([...['def', '', '', '', name, name].map(counted), fixed]);
}

function okPayload(): Buffer {
  return Buffer.from([0, 0, 0, autocommit, 0, 0, 0]);
}

function endPayload(): Buffer {
  return Buffer.from([0xfe, 0, 0, autocommit, 0]);
}

function errorPayload({ errno, state, message }: ServerError): Buffer {
  const head = Buffer.from([0xff, errno & 0xff, errno >>> 8]);
  return Buffer.concat([head, Buffer.from(`#${state}${message}`)]);
}

function packet(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head.writeUInt8(sequence & 0xff, 3);
  return Buffer.concat([head, payload]);
}

function zeroEnded(text: string): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.from([0])]);
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head =
    bytes.length < 0xfb ? Buffer.from([bytes.length]) : Buffer.from([0xfc, bytes.length & 0xff, bytes.length >>> 8]);
  return Buffer.concat([head, bytes]);
}
