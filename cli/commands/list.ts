import type { Secret } from '../api/views.ts';
import type { Command } from '../command.ts';
import { environmentOption, type Loaded, loadManifest } from '../manifest/load.ts';
import { compareWith, differenceLines } from '../manifest/wanted.ts';
import { pathOf } from '../names.ts';
import { isSelective, listSecrets, selectorOptions, states } from '../selection.ts';
import type { Colour } from '../terminal/paint.ts';
import { type Table, tableLines } from '../terminal/table.ts';
import { relative } from '../terminal/time.ts';

const colours: Readonly<Record<string, Colour>> = {
  drifted: 'red',
  failing: 'red',
  paused: 'red',
  invalid: 'red',
  shared: 'red',
  'opted-out': 'red',
  retrying: 'yellow',
  'in-flight': 'yellow',
  due: 'yellow',
  overlap: 'cyan',
  healthy: 'green',
  copy: 'green',
  unmanaged: 'dim',
};

export function stateColour(state: string): Colour {
  return colours[state] ?? 'red';
}

/** The failure that the state comes of. */
export function lastFailure({ activity, trouble }: Pick<Secret, 'activity' | 'trouble'>) {
  return activity === undefined ? undefined : trouble?.[activity]?.last;
}

/** Why, without what other columns say: the name that messages begin with, and when a healthy one is due. */
function detailOf(one: Secret): string {
  const { secret, state, detail } = one;
  const last = lastFailure(one);
  const text = state === 'healthy' ? '' : detail.replaceAll(`${secret}: `, '');
  const said = last === undefined ? text : `${last.code}: ${text}`;
  return [said, ...(one.hints ?? []), ...(one.reminders ?? [])].filter((part) => part !== '').join('; ');
}

/** A table of secrets; the vault is named only where there are several. */
export function secretsTable(secrets: readonly Secret[], now: Date): Table {
  const vaults = new Set(secrets.map(({ vault }) => vault));
  return {
    columns: [
      { title: 'STATE' },
      { title: 'VAULT', drop: 1 },
      { title: 'SECRET' },
      { title: 'EXPIRES', drop: 2 },
      { title: 'DUE', drop: 4 },
      { title: 'ROTATOR', drop: 5 },
      { title: 'STRATEGY', drop: 6 },
      { title: 'DETAIL', least: 20, drop: 3 },
    ],
    rows: secrets.map((one) => [
      { text: one.state, colour: stateColour(one.state) },
      vaults.size > 1 ? one.vault : '',
      one.secret,
      relative(one.expiresAt, now),
      relative(one.dueAt, now),
      one.rotator ?? '',
      one.strategy ?? '',
      detailOf(one),
    ]),
  };
}

export function countsOf(secrets: readonly Secret[]): string {
  const counts = states.flatMap((state) => {
    const count = secrets.filter((one) => one.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return `${secrets.length} ${secrets.length === 1 ? 'secret' : 'secrets'}: ${counts.join(', ')}`;
}

/** What differs from the manifest stands with the hints of each secret. */
function withDrift(secrets: readonly Secret[], { manifest, environment }: Loaded, path: string): readonly Secret[] {
  const { differences } = compareWith(manifest, environment, secrets);
  const byPath = new Map(differences.map((one) => [pathOf(one), one]));
  return secrets.map((one) => {
    const difference = byPath.get(pathOf(one));
    if (difference === undefined) return one;
    const hint = `differs from ${path}: ${differenceLines(difference).join(', ')}`;
    return { ...one, hints: [...(one.hints ?? []), hint] };
  });
}

export const list: Command = {
  name: 'list',
  aliases: ['ls'],
  summary: 'all secrets that opted in, most urgent first',
  takes: '',
  count: [0, 0],
  options: {
    ...selectorOptions,
    manifest: { type: 'string', short: 'f', value: 'FILE', help: 'say what differs from this manifest, too' },
    ...environmentOption,
  },
  about:
    'Secrets that did not opt in are shown with --state unmanaged. With a selector that nothing fits it exits with 3.',
  examples: [
    'keyturn list',
    'keyturn list --state failing --state paused',
    'keyturn list --query "secrets[].secret" -o tsv',
  ],
  role: 'reader',
  async run({ api, given, vault, terminal, json, print, now, env }) {
    const { secrets: listed, warnings } = await listSecrets(api, given, vault, terminal);
    for (const warning of warnings) terminal.err(`warning: ${warning}`);
    const path = given.text('manifest');
    const secrets = path === undefined ? listed : withDrift(listed, await loadManifest({ given, env }, path), path);
    const exit = secrets.length === 0 && isSelective(given) ? 'not-found' : 'ok';
    if (json) print({ secrets, warnings });
    else if (secrets.length === 0) terminal.err(exit === 'ok' ? 'no secret has opted in yet' : 'nothing fits');
    else {
      const lines = tableLines(secretsTable(secrets, now()), terminal.columns, terminal.colour.out);
      for (const line of lines) terminal.out(line);
      terminal.err(`\n${countsOf(secrets)}`);
    }
    return exit;
  },
};
