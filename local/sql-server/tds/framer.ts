import { headerLength, packetTypes } from './packets.ts';

/** TLS records are numbered 20 to 23, and no packet of TDS has one of these types. */
const tlsRecords = { first: 20, last: 23, headerLength: 5 };

export interface Framed {
  /** `tls`: a record, or a packet that carries a piece of the handshake. `tds`: a packet in clear. */
  readonly kind: 'tls' | 'tds';
  readonly bytes: Buffer;
}

/** Tells TLS from clear packets on a connection that encrypts its login alone: [MS-TDS] 3.2.5.2. */
export class Framer {
  #bytes = Buffer.alloc(0);

  /** What is complete now. */
  take(chunk: Buffer): Framed[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const found: Framed[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) found.push(next);
    return found;
  }

  #next(): Framed | undefined {
    const type = this.#bytes.at(0) ?? 0;
    const isRecord = type >= tlsRecords.first && type <= tlsRecords.last;
    const head = isRecord ? tlsRecords.headerLength : headerLength;
    if (this.#bytes.length < head) return undefined;
    const length = isRecord ? head + this.#bytes.readUInt16BE(3) : Math.max(head, this.#bytes.readUInt16BE(2));
    if (this.#bytes.length < length) return undefined;
    const bytes = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return { kind: isRecord || type === packetTypes.prelogin ? 'tls' : 'tds', bytes };
  }
}
