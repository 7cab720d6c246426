/** Policy as code: the tags of secrets as a manifest in git wants them. */
import { tagged } from '../api/views.ts';
import { inTurns } from '../asked.ts';
import type { Command, Context } from '../command.ts';
import { type Exit, worstOf } from '../exit-codes.ts';
import { countsPath, readCounts, surprises, writeCounts } from '../manifest/counts.ts';
import { environmentOption, type Loaded, loadManifest } from '../manifest/load.ts';
import { manifestJsonSchema } from '../manifest/schema.ts';
import { type Compared, compareWith, type Difference, differenceLines } from '../manifest/wanted.ts';
import { pathOf, routeOf } from '../names.ts';
import { reasonOption } from '../options.ts';
import { type Everything, listEverything } from '../selection.ts';
import { tellTrouble } from '../tell.ts';
import { paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { Stop, type Trouble, usageStop } from '../trouble.ts';

/** How many secrets are changed at once. */
const mostAtOnce = 8;

interface Done {
  readonly difference: Difference;
  readonly warnings: readonly string[];
  readonly trouble?: Trouble;
}

export const apply: Command = {
  name: 'apply',
  summary: 'set the tags of secrets as a manifest in git wants them; changes only what differs',
  takes: '',
  count: [0, 0],
  options: {
    file: { type: 'string', short: 'f', value: 'FILE', help: 'the manifest (keyturn.yaml)' },
    ...environmentOption,
    check: { type: 'boolean', help: 'show what differs and change nothing; exits with 8 where anything does' },
    yes: { type: 'boolean', short: 'y', help: 'change what differs without asking' },
    'accept-counts': {
      type: 'boolean',
      help: 'go on although a rule matches nothing, or ten times as much as when it was last applied',
    },
    schema: { type: 'boolean', help: 'print the JSON schema of manifests, for editors' },
    ...reasonOption,
  },
  about: `Tags that the manifest does not name stay as they are. How many secrets each rule matched is kept in FILE.counts.json beside the manifest:
commit it. To write tags takes the role operator; tags that lend a value or rights to another secret (serves, names, also, copy-of,
derived-from) take the role emergency. --check needs the role reader.`,
  examples: [
    'keyturn apply -f keyturn.yaml --env prod --check',
    'keyturn apply -f keyturn.yaml --env prod --yes -r "pull request 12"',
    'keyturn apply --schema > keyturn.schema.json',
  ],
  role: 'emergency',
  roleFor: (given) => (given.flag('check') ? 'reader' : 'emergency'),
  needsApi: (given) => !given.flag('schema'),
  async run(context) {
    const { api, given, vault, terminal, print } = context;
    if (given.flag('schema')) {
      terminal.out(JSON.stringify(manifestJsonSchema(), null, 2));
      return 'ok';
    }
    const path = given.text('file') ?? 'keyturn.yaml';
    const loaded = await loadManifest(context, path);
    const everything = await listEverything(api, vault, terminal);
    for (const warning of everything.warnings) terminal.err(`warning: ${warning}`);
    tellUnlisted(context, everything);
    const compared = compareWith(loaded.manifest, loaded.environment, everything.secrets);
    const counts = await readCounts(path);
    const surprising = surprises(counts, loaded.environment, compared.rules);
    if (!context.json) tellDifferences(context, compared);
    const found = given.flag('check') ? 'check' : await decide(context, compared, surprising, path);
    const done = await inTurns(compared.differences, mostAtOnce, (one) => change(context, one, found === 'check'));
    for (const { difference, trouble, warnings } of done) tellDone(context, difference, trouble, warnings);
    const isWhole = everything.unlisted.length === 0 && vault === undefined;
    if (found === 'change' && isWhole) await writeCounts(path, counts, loaded.environment, compared.rules);
    if (context.json) print(forScripts(loaded, compared, surprising, everything, done));
    else summarise(context, compared, done, found === 'check');
    return exitOf(found, compared, surprising, everything, done);
  },
};

function tellUnlisted({ terminal }: Context, { unlisted }: Everything): void {
  for (const { vault, trouble } of unlisted) {
    terminal.err(`${vault} cannot be listed; its secrets are left as they are:`);
    tellTrouble(terminal, trouble, false);
  }
}

/** Whether to go on, once a person or an option has said so. */
async function decide(
  { given, terminal, json }: Context,
  { differences }: Compared,
  surprising: readonly string[],
  path: string,
): Promise<'change'> {
  if (surprising.length > 0 && !given.flag('accept-counts')) {
    throw new Stop({
      ...{ exit: 'not-now', code: 'counts-surprising', message: 'a rule reaches other secrets than before' },
      more: surprising,
      hint: `Correct the rule, or look at what it matches with --check and give --accept-counts. Nothing was changed. The counts stand in ${countsPath(path)}.`,
    });
  }
  if (differences.length === 0 || given.flag('yes')) return 'change';
  const answer = json ? undefined : await terminal.ask(`\nChange these ${differences.length}? Type the number: `);
  if (answer?.trim() === String(differences.length)) return 'change';
  throw usageStop(
    `${differences.length} secrets differ, and nothing confirms that they are meant`,
    'Look at them with --check, then give --yes.',
  );
}

/** A dry run has the app look at the tags too: it knows the rotators, the channels and the limits of the settings. */
async function change({ api, given }: Context, difference: Difference, dryRun: boolean): Promise<Done> {
  const { set, remove } = difference;
  const reason = given.text('reason')?.trim() || 'keyturn apply';
  const answer = await api.ask({
    ...{ method: 'POST', path: routeOf(difference, 'tags'), schema: tagged, withinMs: 60_000 },
    body: { reason, set, remove, ...(dryRun ? { dryRun } : {}) },
  });
  if (answer.kind === 'trouble') return { difference, warnings: [], trouble: answer };
  return { difference, warnings: answer.value.warnings };
}

function tellDifferences({ terminal }: Context, { differences }: Compared): void {
  const colours = { '+': 'green', '~': 'yellow', '-': 'red' } as const;
  for (const difference of differences) {
    terminal.out(pathOf(difference));
    for (const line of differenceLines(difference)) {
      const sign = line.startsWith('+') ? '+' : line.startsWith('~') ? '~' : '-';
      terminal.out(`  ${paint(plain(line), colours[sign], terminal.colour.out)}`);
    }
  }
}

function tellDone(
  { terminal, json }: Context,
  difference: Difference,
  trouble: Trouble | undefined,
  warnings: readonly string[],
): void {
  if (json) return;
  if (trouble !== undefined) {
    terminal.err(`${pathOf(difference)}: not changed`);
    tellTrouble(terminal, trouble, false);
  }
  for (const warning of warnings) terminal.err(`${pathOf(difference)}: warning: ${plain(warning)}`);
}

function summarise(
  { terminal }: Context,
  { differences, same }: Compared,
  done: readonly Done[],
  check: boolean,
): void {
  const failed = done.filter(({ trouble }) => trouble !== undefined).length;
  const count = differences.length;
  const changed = check ? `${count} ${count === 1 ? 'differs' : 'differ'}` : `${count - failed} changed`;
  const refused = failed === 0 ? '' : `, ${failed} ${check ? 'would be' : ''} refused`.replace('  ', ' ');
  terminal.err(`\n${changed}${refused}, ${same} as the manifest says`);
}

function forScripts(
  { environment }: Loaded,
  { differences, same, rules }: Compared,
  surprising: readonly string[],
  { unlisted }: Everything,
  done: readonly Done[],
) {
  const troubles = new Map(done.map(({ difference, trouble }) => [difference, trouble]));
  const shown = ({ kind: _kind, exit: _exit, ...error }: Trouble) => error;
  return {
    ...(environment === undefined ? {} : { environment }),
    ...{ same, rules, surprising },
    secrets: differences.map((one) => {
      const trouble = troubles.get(one);
      return { ...one, ...(trouble === undefined ? {} : { error: shown(trouble) }) };
    }),
    unlisted: unlisted.map(({ vault, trouble }) => ({ vault, error: shown(trouble) })),
  };
}

function exitOf(
  found: 'check' | 'change',
  { differences }: Compared,
  surprising: readonly string[],
  { unlisted }: Everything,
  done: readonly Done[],
): Exit {
  const failed = done.flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble.exit]));
  const unseen = unlisted.map(({ trouble }) => trouble.exit);
  const differs = found === 'check' && differences.length + surprising.length > 0 ? ['differs' as const] : [];
  return worstOf([...failed, ...unseen, ...differs]);
}
