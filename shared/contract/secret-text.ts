import { inspect, timingSafeEqual } from '../node.ts';

const mask = '[secret]';

/**
 * A secret value that cannot be printed by accident.
 *
 * Converting it to a string, to JSON or inspecting it gives `[secret]`; only `reveal()` gives the value, so every place
 * where a secret leaves the process can be found by searching for that one word.
 */
export class SecretText {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value goes on the wire to a vault or a target. */
  reveal(): string {
    return this.#value;
  }

  /** Whether both hold the same text; takes the same time wherever they differ. */
  equals(other: SecretText): boolean {
    const mine = Buffer.from(this.#value);
    const theirs = Buffer.from(other.#value);
    return mine.length === theirs.length && timingSafeEqual(mine, theirs);
  }

  get isEmpty(): boolean {
    return this.#value.length === 0;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  [inspect.custom](): string {
    return mask;
  }

  get [Symbol.toStringTag](): string {
    return 'SecretText';
  }
}
