/** Options of the command line: declared once, used for parsing, help and completion. */
import { parseArgs } from 'node:util';
import { nearest } from './near.ts';
import { usageStop } from './trouble.ts';

export const outputFormats = ['table', 'json', 'yaml', 'tsv'] as const;

export interface OptionKind {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  /** Name of its value, in help. */
  readonly value?: string;
  readonly help: string;
  /** All values it takes, where they are known. */
  readonly choices?: readonly string[];
}

export type OptionTable = Readonly<Record<string, OptionKind>>;

export const globalOptions: OptionTable = {
  profile: { type: 'string', value: 'NAME', help: 'address, audience and vault of "keyturn config" (KEYTURN_PROFILE)' },
  url: { type: 'string', value: 'URL', help: 'address of the function app (KEYTURN_URL)' },
  key: {
    type: 'string',
    value: 'KEY',
    help: 'key of the API (better: KEYTURN_KEY, which nobody sees in a list of processes)',
  },
  token: { type: 'string', value: 'TOKEN', help: 'bearer token of Entra ID (KEYTURN_TOKEN)' },
  audience: {
    type: 'string',
    value: 'URI',
    help: 'get the token from "az login" for this audience (KEYTURN_AUDIENCE)',
  },
  local: { type: 'boolean', help: 'the stack that "npm start" has started on this machine' },
  vault: { type: 'string', value: 'VAULT', help: 'the vault (KEYTURN_VAULT); not needed where the app serves one' },
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    help: 'table, json (errors are JSON on standard error too), yaml or tsv',
    choices: outputFormats,
  },
  query: {
    type: 'string',
    value: 'JMESPATH',
    help: 'print this part of the answer; as JSON where -o says nothing else',
  },
  json: { type: 'boolean', help: 'the same as -o json' },
  help: { type: 'boolean', short: 'h', help: 'this text' },
};

export const reasonOption: OptionTable = {
  reason: { type: 'string', short: 'r', value: 'TEXT', help: 'why, for the history (asked for on a terminal)' },
};

/** With four eyes in the app's settings. */
export const breakGlassOption: OptionTable = {
  'break-glass': {
    type: 'boolean',
    help: 'go on without a second person. Needs the role emergency, and everybody is told',
  },
};

export const waitOptions: OptionTable = {
  'no-wait': { type: 'boolean', help: 'do not wait for the end; print the id of the rotation' },
  timeout: { type: 'string', value: 'SECONDS', help: 'longest time to wait (300)' },
};

/** What was given, by the name of the option. */
export class Given {
  readonly args: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(args: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.args = args;
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  }

  wholeNumber(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (/^\d{1,7}$/.test(text) && number >= least && number <= most) return number;
    throw usageStop(
      `--${name} takes a whole number from ${least} to ${most}, not "${text}"`,
      `Give --${name} such a number.`,
    );
  }
}

/** `seeHelp`: where the options are listed. */
export function readOptions(args: readonly string[], table: OptionTable, seeHelp: string): Given {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short === undefined ? {} : { short }) },
    ]),
  );
  const { values, positionals } = parse(args, options, seeHelp);
  const given = new Given(positionals, values);
  for (const [name, { choices }] of Object.entries(table)) {
    if (choices === undefined) continue;
    const wrong = [given.text(name) ?? [], given.list(name)].flat().find((value) => !choices.includes(value));
    if (wrong !== undefined) throw usageStop(`--${name} does not take "${wrong}"`, `It takes ${choices.join(', ')}.`);
  }
  return given;
}

type ParseOptions = Readonly<
  Record<string, { readonly type: 'boolean' | 'string'; readonly multiple: boolean; readonly short?: string }>
>;

function parse(args: readonly string[], options: ParseOptions, seeHelp: string) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's message ends with an advice on positional arguments that does not fit here.
    const [message = ''] = error.message.split(/\. (?:To specify|Did you)/);
    const unknown = /^Unknown option '--([^']+)'/.exec(message)?.[1];
    const near = unknown === undefined ? undefined : nearest(unknown, Object.keys(options));
    throw usageStop(message, `${near === undefined ? '' : `Did you mean "--${near}"? `}Run "${seeHelp}".`);
  }
}

/** As the API takes it. */
export function breakGlass(given: Given): { readonly breakGlass?: true } {
  return given.flag('break-glass') ? { breakGlass: true } : {};
}
