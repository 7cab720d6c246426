/** What the command prints and what it writes into docs/crash-matrix.md. */
import type { Played } from './lane.ts';
import type { RealTime } from './real-times.ts';
import { works } from './work.ts';

export interface Report {
  readonly points: readonly Played[];
  /** Points to which a worker did not come; they are not counted. */
  readonly notReached: number;
  /** Points with the platform's own lock times; none where they were not asked for. */
  readonly realTimes: readonly RealTime[];
  /** Targets whose server is not on this machine. */
  readonly leftOut: readonly string[];
  readonly seconds: number;
}

/** Of one target and strategy. */
interface Row {
  readonly target: string;
  readonly strategy: string;
  readonly points: readonly Played[];
}

function rowsOf(points: readonly Played[]): readonly Row[] {
  const rows = new Map<string, Played[]>();
  for (const point of points) {
    const key = `${point.target} ${point.strategy}`;
    rows.set(key, [...(rows.get(key) ?? []), point]);
  }
  const inOrder = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, all]) => all);
  return inOrder.flatMap((all) => {
    const [first] = all;
    return first === undefined ? [] : [{ target: first.target, strategy: first.strategy, points: all }];
  });
}

export const recovered = ({ wrong }: { readonly wrong: readonly string[] }): boolean => wrong.length === 0;

/** `48` where all recovered, `46 of 48` where two did not, `–` where the strategy has no such work or none was played. */
function cellOf(points: readonly Played[]): string {
  const good = points.filter(recovered).length;
  if (points.length === 0) return '–';
  return good === points.length ? `${good}` : `${good} of ${points.length}`;
}

function lines({ points }: Report): readonly (readonly string[])[] {
  const names = works.map(({ name }) => name);
  const cells = ({ target, strategy, points: all }: Row) => [
    target,
    strategy,
    ...names.map((name) => cellOf(all.filter(({ work }) => work === name))),
    String(Math.max(...all.map(({ deliveries }) => deliveries))),
  ];
  return [['target', 'strategy', ...names, 'deliveries'], ...rowsOf(points).map(cells)];
}

function plain(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdown(table: readonly (readonly string[])[]): string {
  const [head = [], ...rows] = table.map((row) => `| ${row.join(' | ')} |`);
  return [head, `|${'---|'.repeat(table[0]?.length ?? 0)}`, ...rows].join('\n');
}

function realLines(realTimes: readonly RealTime[]): readonly (readonly string[])[] {
  const row = ({ work, strategy, stood, seconds, wrong }: RealTime) => [
    work,
    strategy,
    stood,
    wrong.length === 0 ? `${seconds} s` : wrong.join('; '),
  ];
  return [['work', 'strategy', 'killed', 'done after'], ...realTimes.map(row)];
}

function failures({ points }: Report): readonly string[] {
  return points
    .filter((point) => !recovered(point))
    .map(
      ({ target, strategy, work, when, call, effect, wrong }) =>
        `${target}/${strategy}/${work}, ${when} ${effect} (${call}): ${wrong.join('; ')}`,
    );
}

export function lastLine({ points, realTimes }: Report): string {
  const all = [...points, ...realTimes];
  return `${all.length} points, ${all.filter(recovered).length} recovered`;
}

export function printed(report: Report): string {
  const { realTimes, leftOut, seconds, points, notReached } = report;
  return [
    ...(points.length === 0
      ? []
      : [`Shortened times: the lease is taken back and the message delivered at once.\n\n${plain(lines(report))}`]),
    ...(realTimes.length === 0
      ? []
      : [`The platform's own times: messages locked for 600 s.\n\n${plain(realLines(realTimes))}`]),
    ...(failures(report).length === 0 ? [] : [failures(report).join('\n')]),
    ...(leftOut.length === 0 ? [] : [`Left out, as their servers are not installed: ${leftOut.join(', ')}`]),
    ...(notReached === 0
      ? []
      : [`Not reached, as the worker had fewer side effects than the first time, and not counted: ${notReached}`]),
    `${seconds.toFixed(0)} s\n${lastLine(report)}`,
  ].join('\n\n');
}

/** The parts of the page that change with each run. Nothing in it depends on the order in which points were played. */
export function page(report: Report, machine: string, chosen: string): string {
  const { realTimes, leftOut, seconds, notReached } = report;
  const wrong = failures(report);
  return `${intro}
## The last run

${lastLine(report)}, in ${Math.round(seconds)} s on ${machine}. ${chosen}

### Shortened times

The lease of the dead worker is taken back and its message delivered at once. Each number is that of points, all of which recovered unless it
says otherwise; the last column is how many deliveries the slowest of them needed.${notReached === 0 ? '' : ` ${notReached} more points were not reached: a worker that polls, or writes two steps into the history at once, has fewer side effects in all.`}

${markdown(lines(report))}

### The platform's own times

A whole instance of the local Functions host with the built app, on Postgres. Messages of a dead worker stay locked for 600 s, leases run for
30 s, and nobody takes anything back.

${realTimes.length === 0 ? 'Not in this run.' : markdown(realLines(realTimes))}

### What did not recover

${wrong.length === 0 ? 'Nothing.' : wrong.map((one) => `- ${one}`).join('\n')}
${leftOut.length === 0 ? '' : `\n### Left out\n\nTheir servers were not installed: ${leftOut.join(', ')}.\n`}`;
}

const intro = `# The crash matrix

<!-- Written by \`npm run crash-matrix -- --write\`. -->

What becomes of a secret when the process that rotates it is killed, for every target and strategy, at every side effect.

<!-- not run in tests: it runs for minutes; test/crash-matrix/ plays a few points -->
\`\`\`sh
npm run crash-matrix                                          # all of it
npm run crash-matrix -- --only postgres/single-user/rotation  # one target, strategy and work
npm run crash-matrix -- --sample 60 --seed 1                  # 60 points, nearly the same ones each time
npm run crash-matrix -- --memory                              # every pair of crashes, on fakes in memory
\`\`\`

It ends with 0 when every point recovered, with 1 when one did not, and with 2 when it was called wrongly.

## How a point is played

A worker process holds the app as \`functions/compose.ts\` makes it, with the code behind the queue triggers, the rotator and its driver. Vault,
storage account and target are other processes or servers on the wire. A delivery is stopped for good at its point, and the process gets
SIGKILL. Up to 40 deliveries about 40 secrets stand in one process when it is killed. Then another process gets the message.

A point is before and after every write to the vault, to leases, queues, history and state, before and after the change (\`apply\`) and the end
(\`retire\`) of a credential, and within both before each single message to the target.

Clients that are not the rotators judge it, and the vault is read past the app. Right after the kill the current version logs in, but for
\`single-user\`, whose stored candidate does. In the end:

- the current version logs in, and where a password was stored before the kill it is the one that was published;
- one version answers the request, also after the message was delivered once more;
- no credential logs in, and no provider holds a key, that no version holds;
- the old credential lives in its overlap, and is refused after its end and after an emergency; a session of the leaked one is closed;
- a copy holds what its source holds;
- the history says what became of it.

\`azure-keys\`, \`entra-app\`, \`http-keys\` and \`sql-server\` are played by stand-ins that speak the services' protocols; the other targets are the real
servers. \`manual\` is not in it: it changes nothing.
`;
