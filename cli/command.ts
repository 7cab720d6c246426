/** What a command is, and what it is given. */
import type { Api } from './api/client.ts';
import type { Exit } from './exit-codes.ts';
import type { LocalRole } from './local-stack.ts';
import type { Given, OptionTable } from './options.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal/terminal.ts';

export interface Command {
  readonly name: string;
  /** Other names it answers to. */
  readonly aliases?: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** Its arguments, as the usage line shows them. */
  readonly takes: string;
  /** Fewest and most arguments. */
  readonly count: readonly [number, number];
  readonly options: OptionTable;
  /** More about it, after the options. */
  readonly about?: string;
  readonly examples: readonly string[];
  /** The role it needs at the API; undefined: it calls nobody. */
  readonly role: LocalRole | undefined;
  /** A role that depends on what was given. */
  readonly roleFor?: (given: Given) => LocalRole;
  /** Whether it calls the API with what was given. Absent: it does where it needs a role. */
  readonly needsApi?: (given: Given) => boolean;
  run(context: Context): Promise<Exit>;
}

export interface Context {
  readonly command: Command;
  readonly given: Given;
  readonly terminal: Terminal;
  /** The API. Stops where its address or the caller is not known. */
  readonly api: Api;
  /** The answer goes to a script, as data: nobody is asked anything, and no text for people goes to standard output. */
  readonly json: boolean;
  /** Writes the answer in the form that was asked for. */
  readonly print: Output['print'];
  /** The vault named with --vault or KEYTURN_VAULT. */
  readonly vault: string | undefined;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
}
