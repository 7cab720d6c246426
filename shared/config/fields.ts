/** Reads the fields of a JSON object that a person wrote, and gathers a sentence for each that is wrong. Quotes no value. */
export class Fields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #read = new Set<string>();
  readonly #problems: string[] = [];

  constructor(value: unknown) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#values = new Map(isObject ? Object.entries(value) : []);
    if (!isObject) this.#problems.push('it is not an object');
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A text that must be there. `sentence` says what it is when `read` cannot take it. */
  text<T>(name: string, read: (text: string) => T | undefined, sentence: string): T | undefined {
    const value = this.#take(name);
    const taken = typeof value === 'string' ? read(value) : undefined;
    if (taken === undefined) this.#problems.push(`its "${name}" ${sentence}`);
    return taken;
  }

  optional<T>(name: string, read: (text: string) => T | undefined, sentence: string): T | undefined {
    return this.has(name) ? this.text(name, read, sentence) : undefined;
  }

  word<const Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    return this.text(name, (text) => words.find((word) => word === text), `is one of ${words.join(', ')}`);
  }

  /** A list with at least one of the words; undefined where it is absent or wrong. */
  words<const Word extends string>(name: string, words: readonly Word[]): readonly Word[] | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#take(name);
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    const known = words.filter((word) => list.includes(word));
    if (known.length > 0 && list.every((one) => words.some((word) => word === one))) return known;
    this.#problems.push(`its "${name}" is a list of ${words.join(', ')}`);
    return undefined;
  }

  /** A list of texts with at least one; undefined where it is absent or wrong. */
  texts<T>(name: string, read: (text: string) => T | undefined, sentence: string): readonly T[] | undefined {
    const value = this.#take(name);
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    const taken = list
      .map((one) => (typeof one === 'string' ? read(one) : undefined))
      .filter((one) => one !== undefined);
    if (taken.length > 0 && taken.length === list.length) return taken;
    this.#problems.push(`its "${name}" is a list of which each ${sentence}`);
    return undefined;
  }

  /** Whatever JSON holds, judged by `problem`, which says what is wrong with it. */
  json(name: string, problem: (value: unknown) => string | undefined): { readonly value: unknown } | undefined {
    const value = this.#take(name);
    const wrong = problem(value);
    if (wrong === undefined) return { value };
    this.#problems.push(`its "${name}" ${wrong}`);
    return undefined;
  }

  /** False where it is absent. */
  flag(name: string): boolean {
    const value = this.#take(name) ?? false;
    if (typeof value !== 'boolean') this.#problems.push(`its "${name}" is true or false`);
    return value === true;
  }

  /** All problems. What nobody asked for would be left out silently, so it is one too. */
  end(): readonly string[] {
    if (this.#problems.length > 0) return this.#problems;
    const unknown = [...this.#values.keys()].filter((name) => !this.#read.has(name));
    return unknown.map((name) => `it does not take "${name.slice(0, 40)}"`);
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#values.get(name);
  }
}
