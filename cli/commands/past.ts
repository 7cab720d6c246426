/** What was done: the history of a secret, and one rotation. */
import { type Attempt, history as historyView, type Rotation, rotation as rotationView } from '../api/views.ts';
import { followAll } from '../asked.ts';
import type { Command } from '../command.ts';
import { must } from '../must.ts';
import { routeOf, secretNamed } from '../names.ts';
import { waitOptions } from '../options.ts';
import { troubleLines } from '../tell.ts';
import { type Field, fieldLines } from '../terminal/fields.ts';
import type { Colour } from '../terminal/paint.ts';
import { tableLines } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { plain, wrapped } from '../terminal/text.ts';
import { absolute, milliseconds, relative } from '../terminal/time.ts';
import { usageStop } from '../trouble.ts';

const colours: Readonly<Record<string, Colour>> = {
  rotated: 'green',
  retired: 'green',
  resumed: 'green',
  rehearsed: 'green',
  failed: 'red',
  skipped: 'yellow',
  retrying: 'yellow',
  waiting: 'yellow',
  paused: 'yellow',
};

function took({ startedAt, endedAt }: Attempt): string {
  return endedAt === undefined ? '' : milliseconds(Date.parse(endedAt) - Date.parse(startedAt));
}

/** That it was queued is told by the attempt that followed. */
function withoutQueued(attempts: readonly Attempt[]): readonly Attempt[] {
  const begun = new Set(attempts.filter(({ outcome }) => outcome !== 'queued').map(({ rotationId }) => rotationId));
  return attempts.filter(({ outcome, rotationId }) => outcome !== 'queued' || !begun.has(rotationId));
}

function attemptsTable(attempts: readonly Attempt[], now: Date) {
  return {
    columns: [
      { title: 'WHEN' },
      { title: 'OUTCOME' },
      { title: 'TOOK', drop: 3 },
      { title: 'BY', least: 8, drop: 4 },
      { title: 'REASON', least: 12, drop: 1 },
      { title: 'FAILURE', drop: 0 },
      { title: 'ROTATION', drop: 5 },
    ],
    rows: attempts.map((one) => [
      relative(one.startedAt, now),
      { text: one.outcome, colour: colours[one.outcome] },
      took(one),
      one.requestedBy,
      one.detail === undefined || one.detail === '' ? one.reason : `${one.reason} (${one.detail})`,
      one.failure?.code ?? '',
      one.rotationId,
    ]),
  };
}

function writeSteps(attempt: Attempt, terminal: Terminal): void {
  const table = {
    columns: [{ title: 'STEP' }, { title: 'TOOK' }, { title: 'OUTCOME' }],
    rows: attempt.steps.map(({ name, ms, outcome }) => [name, milliseconds(ms), outcome]),
  };
  if (table.rows.length === 0) return;
  for (const line of tableLines(table, undefined, terminal.colour.out)) terminal.out(`  ${line}`);
}

function writeWarnings({ warnings = [] }: Attempt, terminal: Terminal): void {
  for (const warning of warnings) terminal.out(wrapped(plain(warning), terminal.columns, '  warning: '));
}

function writeFailure({ failure }: { readonly failure?: Attempt['failure'] }, terminal: Terminal): void {
  if (failure === undefined) return;
  for (const line of troubleLines(failure, terminal.columns, terminal.colour.out, '  ')) terminal.out(line);
}

function writeDeliveries({ deliveries = [] }: Rotation, terminal: Terminal): void {
  if (deliveries.length === 0) return;
  const columns = [
    { title: 'TOLD' },
    { title: 'OF' },
    { title: 'STATE' },
    { title: 'TRIES', drop: 1 },
    { title: 'DETAIL', least: 16 },
  ];
  const rows = deliveries.map(({ channel, type, state, attempts, detail = '' }) => {
    return [channel, type, state, String(attempts), detail];
  });
  terminal.out('');
  for (const line of tableLines({ columns, rows }, terminal.columns, terminal.colour.out)) terminal.out(line);
}

export const history: Command = {
  name: 'history',
  summary: 'what was done with a secret: who asked, when, why, the outcome',
  takes: 'NAME',
  count: [1, 1],
  options: {
    limit: { type: 'string', value: 'N', help: 'the newest N attempts (20; 200 at most)' },
    steps: { type: 'boolean', help: 'with each step and the whole failure' },
  },
  examples: ['keyturn history orders-db', 'keyturn history orders-db --limit 1 --steps'],
  role: 'reader',
  async run({ api, given, vault, terminal, json, print, now }) {
    const named = await secretNamed(api, given.args, vault);
    const limit = given.wholeNumber('limit', 1, 200) ?? 20;
    const query = [['limit', String(limit)] as const];
    const { attempts } = must(await api.ask({ path: routeOf(named, 'history'), query, schema: historyView }));
    if (json) print({ attempts });
    else if (attempts.length === 0) terminal.err('nothing was done with it yet');
    else if (given.flag('steps')) {
      for (const attempt of withoutQueued(attempts)) {
        const [, line = ''] = tableLines(attemptsTable([attempt], now()), terminal.columns, terminal.colour.out);
        terminal.out(line);
        writeSteps(attempt, terminal);
        writeFailure(attempt, terminal);
        writeWarnings(attempt, terminal);
      }
    } else {
      const table = attemptsTable(withoutQueued(attempts), now());
      for (const line of tableLines(table, terminal.columns, terminal.colour.out)) terminal.out(line);
    }
    return 'ok';
  },
};

export const rotation: Command = {
  name: 'rotation',
  summary: 'one rotation by its id: how it stands, every attempt, every step',
  takes: 'ID',
  count: [1, 1],
  options: {
    wait: { type: 'boolean', help: 'follow it to its end' },
    ...(waitOptions['timeout'] === undefined ? {} : { timeout: waitOptions['timeout'] }),
  },
  examples: ['keyturn rotation 0123456789abcdef0123456789abcdef --wait'],
  role: 'reader',
  async run(context) {
    const { api, given, terminal, json, print, now } = context;
    const [id = ''] = given.args;
    if (!/^[0-9a-f]{32}$/.test(id)) throw usageStop(`"${id}" is not the id of a rotation`, 'Give its 32 hex digits.');
    const one = must(await api.ask({ path: ['rotations', id], schema: rotationView }));
    if (given.flag('wait')) return followAll(context, [one]);
    if (json) print(one);
    else {
      const fields: readonly Field[] = [
        { name: 'rotation', value: one.rotationId },
        { name: 'secret', value: `${one.vault}/${one.secret}` },
        { name: 'state', value: one.state, colour: colours[one.state] ?? 'yellow' },
        { name: 'asked by', value: one.requestedBy },
        { name: 'reason', value: one.reason },
        { name: '', value: one.detail },
        { name: 'tried again', value: absolute(one.nextTryAt, now()) },
        { name: 'from', value: one.from },
        { name: 'to', value: one.to },
        { name: 'old', value: one.retired ? 'proven refused' : undefined },
      ];
      for (const line of fieldLines(fields, terminal.columns, terminal.colour.out)) terminal.out(line);
      for (const attempt of one.attempts.filter(({ steps }) => steps.length > 0)) {
        const what = attempt.activity === 'retirement' ? `retirement ${attempt.outcome}` : attempt.outcome;
        terminal.out(`\n${what} ${absolute(attempt.startedAt, now())}, took ${took(attempt)}`);
        writeSteps(attempt, terminal);
        writeFailure(attempt, terminal);
        writeWarnings(attempt, terminal);
      }
      writeDeliveries(one, terminal);
    }
    return one.state === 'failed' ? 'failed' : 'ok';
  },
};
