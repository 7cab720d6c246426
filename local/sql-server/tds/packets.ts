/** Packets and messages of TDS: [MS-TDS] 2.2.3. */

export const packetTypes = {
  batch: 0x01,
  rpc: 0x03,
  answer: 0x04,
  attention: 0x06,
  transactionManager: 0x0e,
  login7: 0x10,
  prelogin: 0x12,
} as const;

export const headerLength = 8;
const statusBits = { last: 0x01, reset: 0x08, resetKeepingTransaction: 0x10 };

/** Packet size before the login agrees on one, and the bounds of what a client may ask for. */
export const packetSizes = { first: 4096, least: 512, most: 32_767 } as const;

export interface Message {
  readonly type: number;
  readonly data: Buffer;
  /** The client wants its session as new before this request: a connection that comes out of a pool. */
  readonly reset: boolean;
}

export interface Framing {
  readonly packetSize: number;
  /** Id of the session, which every packet of a server carries; 0 before the login. */
  readonly session: number;
}

/** Cuts a message into packets. */
export function toPackets(message: Pick<Message, 'type' | 'data'>, { packetSize, session }: Framing): Buffer {
  const room = packetSize - headerLength;
  const parts: Buffer[] = [];
  let start = 0;
  do {
    const body = message.data.subarray(start, start + room);
    start += body.length;
    const header = Buffer.alloc(headerLength);
    header.writeUInt8(message.type, 0);
    header.writeUInt8(start >= message.data.length ? statusBits.last : 0, 1);
    header.writeUInt16BE(body.length + headerLength, 2);
    header.writeUInt16BE(session & 0xffff, 4);
    header.writeUInt8((parts.length / 2 + 1) & 0xff, 6);
    parts.push(header, body);
  } while (start < message.data.length);
  return Buffer.concat(parts);
}

/** Puts messages together from bytes as they arrive. */
export class MessageReader {
  #bytes = Buffer.alloc(0);
  #body: Buffer[] = [];
  #reset = false;

  /** The messages that are complete now. Throws when the bytes are not TDS. */
  read(chunk: Buffer): Message[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const messages: Message[] = [];
    while (this.#bytes.length >= headerLength) {
      const length = this.#bytes.readUInt16BE(2);
      if (length < headerLength) throw new Error('not a TDS packet');
      if (this.#bytes.length < length) break;
      const [type = 0, status = 0] = this.#bytes;
      this.#body.push(this.#bytes.subarray(headerLength, length));
      this.#reset ||= (status & (statusBits.reset | statusBits.resetKeepingTransaction)) !== 0;
      this.#bytes = this.#bytes.subarray(length);
      if ((status & statusBits.last) === 0) continue;
      messages.push({ type, data: Buffer.concat(this.#body), reset: this.#reset });
      this.#body = [];
      this.#reset = false;
    }
    return messages;
  }
}
