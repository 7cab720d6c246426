/** A reader that walks over bytes. Throws a `RangeError` past their end. */
export class Bytes {
  readonly #data: Buffer;
  #at: number;

  constructor(data: Buffer, at = 0) {
    this.#data = data;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#data.length;
  }

  get next(): number {
    return this.#data.readUInt8(this.#at);
  }

  number(length: number): number {
    return this.take(length).readUIntLE(0, length);
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#data.length) throw new RangeError('the message ends too early');
    const taken = this.#data.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  text(characters: number): string {
    return this.take(characters * 2).toString('utf16le');
  }

  /** What was read since `start`. */
  since(start: number): Buffer {
    return this.#data.subarray(start, this.#at);
  }
}
