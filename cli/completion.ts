/** Completion of commands, options and known values, written for each shell from the same table that parses the command line. */
import type { Command } from './command.ts';
import { completeWord } from './complete.ts';
import { globalOptions, type OptionKind, type OptionTable } from './options.ts';
import { usageStop } from './trouble.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `work`: every other command. */
export function completionCommand(work: readonly Command[]): Command {
  const command: Command = {
    name: 'completion',
    summary: 'a script that completes commands, options and names of secrets in your shell',
    takes: 'bash|zsh|fish',
    count: [1, 1],
    options: {},
    examples: [
      'source <(keyturn completion bash)',
      'keyturn completion zsh > ~/.zsh/functions/_keyturn',
      'keyturn completion fish > ~/.config/fish/completions/keyturn.fish',
    ],
    role: undefined,
    run: async ({ given, terminal }) => {
      const [shell = ''] = given.args;
      terminal.out(completionScript(shell, [...work, command]).trimEnd());
      return 'ok';
    },
  };
  return command;
}

export function completionScript(shell: string, commands: readonly Command[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
    default:
      throw usageStop(`"${shell}" is not a shell that completion is made for`, `It takes ${shells.join(', ')}.`);
  }
}

function optionsOf({ options }: Command): readonly (readonly [string, OptionKind])[] {
  const all: OptionTable = { ...options, ...globalOptions };
  return Object.entries(all);
}

function namesOf({ name, aliases = [] }: Command): readonly string[] {
  return [name, ...aliases];
}

function argumentsOf({ name }: Command): readonly string[] {
  if (name === 'config') return ['list', 'set', 'use', 'remove'];
  return name === 'completion' ? shells : [];
}

/** Whether its arguments are names of secrets, which the app is asked for while somebody types. */
function takesNames({ takes }: Command): boolean {
  return /^\[?NAME/.test(takes);
}

/** In single quotes for any of the three shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bash(commands: readonly Command[]): string {
  const words = (command: Command): string =>
    [...optionsOf(command).map(([name]) => `--${name}`), ...argumentsOf(command)].join(' ');
  const values = new Map(
    commands
      .flatMap(optionsOf)
      .flatMap(([name, { short, choices }]) =>
        choices ? [[short === undefined ? `--${name}` : `--${name}|-${short}`, choices]] : [],
      ),
  );
  const names = commands.flatMap(namesOf).join(' ');
  return `_keyturn() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words named=
  case "$previous" in
${[...values].map(([name, choices]) => `    ${name}) words='${choices.join(' ')}' ;;`).join('\n')}
    *) case "\${COMP_WORDS[1]}" in
${commands.map((command) => `      ${namesOf(command).join('|')}) words='${words(command)}'${takesNames(command) ? ' named=1' : ''} ;;`).join('\n')}
      *) words='${names} --help --version' ;;
    esac ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words='${names} --help --version' named=
  if [ -n "$named" ] && [ "\${current#-}\${previous#-}" = "$current$previous" ]; then
    words=$(keyturn ${completeWord} "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _keyturn keyturn
`;
}

function zsh(commands: readonly Command[]): string {
  const spec = ([name, { type, value = '', help, multiple, choices }]: readonly [string, OptionKind]): string => {
    const text = help.replaceAll(/[[\]:]/g, ' ');
    const taken = type === 'boolean' ? '' : `:${value}:${choices === undefined ? '' : `(${choices.join(' ')})`}`;
    return quoted(`${multiple === true ? '*' : ''}--${name}[${text}]${taken}`);
  };
  const block = (command: Command): string => {
    const rest = argumentsOf(command);
    const argument = takesNames(command)
      ? '*:secret:_keyturn_names'
      : `*::argument:${rest.length === 0 ? '' : `(${rest.join(' ')})`}`;
    const all = [...optionsOf(command).map(spec), quoted(argument)];
    return `    ${namesOf(command).join('|')}) _arguments ${all.join(' ')} ;;`;
  };
  return `#compdef keyturn
_keyturn_names() {
  compadd -- \${(f)"$(keyturn ${completeWord} "\${(@)words[1,CURRENT-1]}" 2>/dev/null)"}
}
_keyturn() {
  local -a commands
  commands=(${commands.flatMap((command) => namesOf(command).map((name) => quoted(`${name}:${command.summary.replaceAll(':', ' ')}`))).join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=\${words[2]}
  shift words
  (( CURRENT-- ))
  case "$command" in
${commands.map(block).join('\n')}
  esac
}
# Autoloaded from fpath this file is the function; sourced, it registers it.
if [ "\${funcstack[1]:-}" = _keyturn ]; then _keyturn "$@"; else compdef _keyturn keyturn; fi
`;
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c keyturn -f -n __fish_use_subcommand -a ${quoted(namesOf(command).join(' '))} -d ${quoted(command.summary)}`,
    ...optionsOf(command).map(([name, { type, short, help, choices }]) =>
      [
        `complete -c keyturn -f -n ${quoted(`__fish_seen_subcommand_from ${namesOf(command).join(' ')}`)} -l ${name}`,
        ...(short === undefined ? [] : [`-s ${short}`]),
        ...(type === 'boolean' ? [] : ['-r']),
        ...(choices === undefined ? [] : [`-a ${quoted(choices.join(' '))}`]),
        `-d ${quoted(help)}`,
      ].join(' '),
    ),
    ...(takesNames(command) ? [fishNames(command)] : []),
    ...argumentsOf(command).map(
      (word) => `complete -c keyturn -f -n ${quoted(`__fish_seen_subcommand_from ${command.name}`)} -a ${word}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}

function fishNames(command: Command): string {
  const when = quoted(`__fish_seen_subcommand_from ${namesOf(command).join(' ')}`);
  return `complete -c keyturn -f -n ${when} -a ${quoted(`(keyturn ${completeWord} (commandline -opc)[2..] 2>/dev/null)`)}`;
}
