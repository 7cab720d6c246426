import { Duplex } from 'node:stream';
import { packetSizes, packetTypes, toPackets } from './packets.ts';

const headerLength = 8;
const applicationData = 23;

/**
 * The TLS handshake of TDS 7: its records travel inside PRELOGIN packets until it is done, and bare from then on ([MS-TDS] 3.2.5.2).
 * What a side sends in one go must be one message, because the client reads one message for each it sent.
 */
export class TlsTunnel extends Duplex {
  readonly #send: (bytes: Buffer) => void;
  #incoming = Buffer.alloc(0);
  #incomingBare: boolean;
  #outgoing: Buffer[] = [];
  #outgoingBare: boolean;

  /** `bare`: TDS 8, where TLS comes first and nothing is wrapped. */
  constructor(send: (bytes: Buffer) => void, bare: boolean) {
    super();
    this.#send = send;
    this.#incomingBare = bare;
    this.#outgoingBare = bare;
  }

  /** Takes what arrived on the socket. */
  receive(chunk: Buffer): void {
    if (this.#incomingBare) {
      this.push(chunk);
      return;
    }
    this.#incoming = Buffer.concat([this.#incoming, chunk]);
    while (this.#incoming.length > 0) {
      if (this.#incoming.at(0) !== packetTypes.prelogin) {
        this.#incomingBare = true;
        this.push(this.#incoming);
        return;
      }
      if (this.#incoming.length < headerLength) return;
      const length = this.#incoming.readUInt16BE(2);
      if (this.#incoming.length < length) return;
      this.push(this.#incoming.subarray(headerLength, length));
      this.#incoming = this.#incoming.subarray(length);
    }
  }

  override _read(): void {
    // Bytes are pushed as they arrive.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#outgoingBare ||= chunk.at(0) === applicationData;
    if (this.#outgoingBare) {
      this.#flush();
      this.#send(chunk);
    } else {
      if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
      this.#outgoing.push(chunk);
    }
    done();
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return;
    const data = Buffer.concat(this.#outgoing);
    this.#outgoing = [];
    this.#send(toPackets({ type: packetTypes.prelogin, data }, { packetSize: packetSizes.first, session: 0 }));
  }
}
