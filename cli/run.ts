/** One run of the CLI: from the words of the command line to an exit code. */
import { withLinks } from '../shared/links.ts';
import { type Api, apiClient } from './api/client.ts';
import type { Command } from './command.ts';
import { commands } from './commands/index.ts';
import { completeNames, completeWord } from './complete.ts';
import { connect } from './connect.ts';
import type { Exit } from './exit-codes.ts';
import { commandHelp, generalHelp } from './help.ts';
import { localOffsetMs } from './local-clock.ts';
import { readLocalControl } from './local-stack.ts';
import { nearest } from './near.ts';
import { withNearNames } from './near-names.ts';
import { type Given, globalOptions, readOptions } from './options.ts';
import { outputOf, wantsJson } from './output.ts';
import { withProfile } from './profiles.ts';
import { tellTrouble } from './tell.ts';
import type { Terminal } from './terminal/terminal.ts';
import { Stop, type Trouble, usageStop } from './trouble.ts';

export interface Run {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly version: () => Promise<string>;
}

/** Never throws for what a person or the other side did; whatever else is thrown is a mistake in the CLI. */
export async function run(words: readonly string[], about: Run): Promise<Exit> {
  const { terminal, signal, version } = about;
  try {
    const [first = 'help', ...rest] = words;
    if (first === completeWord) return await completeNames(rest, about);
    if (first === '--version' || first === 'version') {
      terminal.out(await version());
      return 'ok';
    }
    if (first === 'help' || first === '--help' || first === '-h') return help(rest[0], terminal);
    const command = commandNamed(first);
    const given = readOptions(rest, { ...command.options, ...globalOptions }, `keyturn ${command.name} --help`);
    if (given.flag('help')) return help(command.name, terminal);
    checkCount(command, given);
    const output = outputOf(given, terminal);
    const env = await environmentFor(command, given, about.env);
    const api =
      command.role === undefined || command.needsApi?.(given) === false
        ? nobody
        : await apiFor(command, given, env, signal);
    const offsetMs =
      command.role !== undefined && given.flag('local') ? await localOffsetMs(await readLocalControl()) : 0;
    const envVault = (env['KEYTURN_VAULT'] ?? '').trim();
    return await command.run({
      ...{ command, given, terminal, api, signal, env },
      ...{ json: output.asData, print: output.print },
      vault: given.text('vault') ?? (envVault === '' ? undefined : envVault),
      now: () => new Date(Date.now() + offsetMs),
    });
  } catch (error) {
    terminal.live('');
    if (error instanceof Stop) {
      tellTrouble(terminal, linked(error.trouble, about.env), wantsJson(words));
      return error.trouble.exit;
    }
    if (!signal.aborted) throw error;
    terminal.err('ended; what was asked for goes on by itself');
    return 'interrupted';
  }
}

/** What the CLI itself says names pages by their path, too. */
function linked(trouble: Trouble, env: Run['env']): Trouble {
  const { message, hint, page } = trouble;
  const docsUrl = (env['KEYTURN_DOCS_URL'] ?? '').trim().replace(/([^/])$/, '$1/');
  return {
    ...trouble,
    ...{ message: withLinks(message, docsUrl), hint: withLinks(hint, docsUrl) },
    ...(page === undefined ? {} : { page: withLinks(page, docsUrl) }),
  };
}

/** With what a profile says; for commands that call somebody, and where the command line does not say whom. */
async function environmentFor(command: Command, given: Given, env: Run['env']): Promise<Run['env']> {
  const isNamed = given.flag('local') || given.text('url') !== undefined;
  const profile = given.text('profile');
  if (profile !== undefined && isNamed)
    throw usageStop('--profile brings its own address', 'Leave --url and --local out, or --profile.');
  return command.role === undefined || isNamed ? env : withProfile(env, profile);
}

/** For commands that call nobody. */
const nobody: Api = {
  url: '',
  ask: () => Promise.reject(new Error('this command has no API')),
};

async function apiFor(command: Command, given: Given, env: Run['env'], signal: AbortSignal): Promise<Api> {
  const access = await connect({
    ...{ url: given.text('url'), key: given.text('key'), token: given.text('token'), audience: given.text('audience') },
    ...{ local: given.flag('local'), env },
    role: command.roleFor?.(given) ?? command.role ?? 'reader',
  });
  return withNearNames(apiClient(access, signal));
}

function commandNamed(name: string): Command {
  const command = commands.find((one) => one.name === name || one.aliases?.includes(name));
  if (command !== undefined) return command;
  const near = nearest(
    name,
    commands.flatMap((one) => [one.name, ...(one.aliases ?? [])]),
  );
  throw usageStop(
    `there is no command "${name}"`,
    `${near === undefined || name.startsWith('-') ? '' : `Did you mean "keyturn ${near}"? `}Run "keyturn help".`,
  );
}

function help(name: string | undefined, terminal: Terminal): Exit {
  const lines =
    name === undefined ? generalHelp(commands, terminal.columns) : commandHelp(commandNamed(name), terminal.columns);
  for (const line of lines) terminal.out(line);
  return 'ok';
}

function checkCount({ name, takes, count: [least, most] }: Command, { args }: Given): void {
  if (args.length >= least && args.length <= most) return;
  const wanted = takes === '' ? 'no arguments' : takes;
  throw usageStop(
    `keyturn ${name} takes ${wanted}, and ${args.length === 0 ? 'got none' : `got ${args.join(' ')}`}`,
    `Run "keyturn ${name} --help".`,
  );
}
