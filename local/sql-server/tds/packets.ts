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

const headerLength = 8;
const lastPacket = 0x01;
/** Packet size before anything is negotiated; the stand-in never negotiates. */
const packetSize = 4096;

export interface Message {
  readonly type: number;
  readonly data: Buffer;
}

/** Cuts a message into packets. */
export function toPackets(message: Message): Buffer {
  const room = packetSize - headerLength;
  const parts: Buffer[] = [];
  let start = 0;
  do {
    const body = message.data.subarray(start, start + room);
    start += body.length;
    const header = Buffer.alloc(headerLength);
    header.writeUInt8(message.type, 0);
    header.writeUInt8(start >= message.data.length ? lastPacket : 0, 1);
    header.writeUInt16BE(body.length + headerLength, 2);
    header.writeUInt8((parts.length / 2 + 1) & 0xff, 6);
    parts.push(header, body);
  } while (start < message.data.length);
  return Buffer.concat(parts);
}

/** Puts messages together from bytes as they arrive. */
export class MessageReader {
  #bytes = Buffer.alloc(0);
  #body: Buffer[] = [];

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
      this.#bytes = this.#bytes.subarray(length);
      if ((status & lastPacket) === 0) continue;
      messages.push({ type, data: Buffer.concat(this.#body) });
      this.#body = [];
    }
    return messages;
  }
}
