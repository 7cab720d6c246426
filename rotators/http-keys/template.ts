/** Templates with `{{variables}}`. What is put in is escaped by whoever knows where it stands; nothing put in is read as a template. */
import { SecretText } from '../../shared/contract/secret-text.ts';

/** A value that may be put into a request. `data` keeps its form where it stands alone in JSON. */
export type Variable = string | SecretText | { readonly data: unknown };
export type Variables = ReadonlyMap<string, Variable>;

const placeholder = /\{\{\s*([A-Za-z][\w.]*)\s*\}\}/g;
const alone = /^\{\{\s*([A-Za-z][\w.]*)\s*\}\}$/;

/** Names of the variables of a template, in order. */
export function variablesIn(template: string): string[] {
  return [...template.matchAll(placeholder)].map((match) => match[1] ?? '');
}

/** Collects what could not be filled in, so that a request with a gap is never sent. */
export class Filling {
  readonly problems: string[] = [];
  readonly #variables: Variables;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** The template with each variable escaped. */
  fill(template: string, escaped: (text: string) => string): string {
    return template.replace(placeholder, (_whole, name: string) => escaped(this.#text(name)));
  }

  /** The variable that the template consists of, in its own form; the filled text otherwise. */
  data(template: string): unknown {
    const name = alone.exec(template)?.[1];
    const variable = name === undefined ? undefined : this.#variables.get(name);
    if (typeof variable === 'object' && 'data' in variable) return variable.data;
    return this.fill(template, (text) => text);
  }

  problem(sentence: string): void {
    this.problems.push(sentence);
  }

  #text(name: string): string {
    const variable = this.#variables.get(name);
    if (variable instanceof SecretText) return variable.reveal();
    if (typeof variable === 'string') return variable;
    if (variable === undefined) this.problems.push(`${name} has no value`);
    else if (typeof variable.data === 'number' || typeof variable.data === 'boolean') return String(variable.data);
    else this.problems.push(`${name} is not a text`);
    return '';
  }
}
