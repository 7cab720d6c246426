import { inspect } from 'node:util';

const mask = '[secret]';

/**
 * A secret value that cannot be printed by accident: as a string, in JSON and when inspected it is `[secret]`. Only `reveal()` gives
 * the value, so that one word finds every place where it is used.
 */
export class SecretText {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value goes to whoever checks it. */
  reveal(): string {
    return this.#value;
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
}
