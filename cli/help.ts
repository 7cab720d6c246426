import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { globalOptions, type OptionTable } from './options.ts';
import { padded, widthOf, wrapped } from './terminal/text.ts';

const widest = 100;

/** Two columns, the second broken into lines. */
function twoColumns(rows: readonly (readonly [string, string])[], columns: number | undefined): readonly string[] {
  const room = Math.max(...rows.map(([left]) => widthOf(left))) + 4;
  return rows.map(([left, right]) => {
    const indent = ' '.repeat(room);
    return padded(`  ${left}`, room) + wrapped(right, Math.min(columns ?? widest, widest), indent).slice(room);
  });
}

function optionRows(table: OptionTable): readonly (readonly [string, string])[] {
  return Object.entries(table).map(([name, { short, value, help }]) => {
    const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
    return [short === undefined ? `    ${long}` : `-${short}, ${long}`, help];
  });
}

export function generalHelp(commands: readonly Command[], columns: number | undefined): readonly string[] {
  return [
    'keyturn COMMAND [OPTIONS]      rotates the secrets in Azure Key Vault, and shows how they stand',
    '',
    ...twoColumns(
      commands.map(({ name, aliases = [], takes, summary }) => [
        [name, ...aliases].join(', ') + (takes === '' ? '' : ` ${takes}`),
        summary,
      ]),
      columns,
    ),
    '',
    'Every command takes:',
    ...twoColumns(optionRows(globalOptions), columns),
    '',
    'Instead of a command:',
    ...twoColumns(
      [
        ['--version', 'the version of this CLI'],
        ['--help', 'this text'],
      ],
      columns,
    ),
    '',
    'A secret is named NAME, or VAULT/NAME where the app serves several vaults.',
    '',
    'Exit codes:',
    ...twoColumns(
      Object.values(exitCodes).map(({ code, meaning }) => [String(code).padStart(3), meaning]),
      columns,
    ),
  ];
}

export function commandHelp(command: Command, columns: number | undefined): readonly string[] {
  const { name, aliases = [], takes, summary, options, about, examples, role } = command;
  const needs = role === undefined ? '' : ` Needs the role ${role}.`;
  return [
    `keyturn ${name} ${takes}`.trimEnd(),
    '',
    wrapped(`${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.${needs}`, Math.min(columns ?? widest, widest), ''),
    ...(about === undefined ? [] : [wrapped(about.replaceAll('\n', ' '), Math.min(columns ?? widest, widest), '')]),
    '',
    ...(Object.keys(options).length === 0 ? [] : [...twoColumns(optionRows(options), columns), '']),
    ...twoColumns(optionRows(globalOptions), columns),
    '',
    ...(aliases.length === 0 ? [] : [`The same: ${aliases.map((alias) => `keyturn ${alias}`).join(', ')}`, '']),
    ...examples.map((example) => `  ${example}`),
  ];
}
