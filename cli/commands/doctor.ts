/** Looks at everything before it breaks: the app, and the plan of each secret that opted in. */
import { health as healthView, type PlanView, plan as planView, type Secret } from '../api/views.ts';
import { inTurns } from '../asked.ts';
import type { Command, Context } from '../command.ts';
import type { Exit } from '../exit-codes.ts';
import { must } from '../must.ts';
import { pathOf, routeOf } from '../names.ts';
import { byUrgency, isSelective, listSecrets, selectorOptions } from '../selection.ts';
import { troubleLines } from '../tell.ts';
import { fieldLines } from '../terminal/fields.ts';
import { paint } from '../terminal/paint.ts';
import { tableLines } from '../terminal/table.ts';
import { plain, wrapped } from '../terminal/text.ts';
import { Stop, type Trouble } from '../trouble.ts';
import { deploymentOptions, examineDeployment, tellDeployment } from './deployment.ts';
import { lastFailure } from './list.ts';
import { planWithinMs } from './plan.ts';
import { healthFields } from './switch.ts';

type Verdict = 'broken' | 'unsure' | 'ready';

interface Examined {
  readonly secret: Secret;
  readonly verdict: Verdict;
  /** In a few words. */
  readonly finding: string;
  readonly plan?: PlanView;
  readonly trouble?: Trouble;
}

const verdicts = { broken: 'red', unsure: 'yellow', ready: 'green' } as const;
const order: readonly Verdict[] = ['broken', 'unsure', 'ready'];

/** States in which a rotation will not come by itself, whatever the target says. */
const stuck: ReadonlySet<string> = new Set(['drifted', 'failing', 'paused', 'invalid', 'shared', 'opted-out']);

export const doctor: Command = {
  name: 'doctor',
  summary: 'look at the app and every secret that opted in: reachability, rights, TLS, tags, what would break',
  takes: '',
  count: [0, 0],
  options: {
    ...selectorOptions,
    parallel: { type: 'string', value: 'N', help: 'so many secrets at once (8; 32 at most)' },
    ...deploymentOptions,
  },
  about: 'Changes nothing: it logs in at each target to look. Exits with 1 if a rotation would fail.',
  examples: ['keyturn doctor', 'keyturn doctor --rotator postgres --json', 'keyturn doctor --deployment'],
  role: 'reader',
  async run(context) {
    const { api, given, vault, terminal, json, print, now } = context;
    const app = must(await api.ask({ path: ['health', 'details'], schema: healthView }));
    const clock = app.time === undefined ? undefined : { time: new Date(app.time), heardMs: performance.now() };
    if (!json)
      for (const line of fieldLines(healthFields(app, now()), terminal.columns, terminal.colour.out))
        terminal.out(line);
    const deployment = await examineDeployment(context, clock);
    if (!json) tellDeployment(context, deployment);
    const { secrets, warnings } = await listSecrets(api, given, vault, terminal);
    for (const warning of warnings) terminal.err(`warning: ${warning}`);
    if (secrets.length === 0 && isSelective(given)) {
      throw new Stop({
        ...{ exit: 'not-found', code: 'nothing-matched', message: 'the selector fits no secret' },
        hint: 'See what there is with "keyturn list" and the same selector.',
      });
    }
    let done = 0;
    const examined = await inTurns(secrets, given.wholeNumber('parallel', 1, 32) ?? 8, async (secret) => {
      const one = await examine(context, secret);
      done += 1;
      terminal.live(`  ${done} of ${secrets.length} examined …`);
      return one;
    });
    terminal.live('');
    if (json)
      print({
        app,
        ...(deployment.length === 0 ? {} : { deployment }),
        secrets: examined.map(forScripts),
      });
    else report(context, examined);
    return exitOf(app.status === 'healthy' && deployment.every(({ state }) => state !== 'failed'), examined);
  },
};

function exitOf(healthy: boolean, examined: readonly Examined[]): Exit {
  return healthy && examined.every(({ verdict }) => verdict !== 'broken') ? 'ok' : 'failed';
}

function forScripts({ secret, verdict, finding, plan, trouble }: Examined) {
  const { kind: _kind, exit: _exit, ...error } = trouble ?? { kind: '', exit: '' };
  return {
    ...{ vault: secret.vault, secret: secret.secret, state: secret.state, verdict, finding },
    ...(plan === undefined ? {} : { plan }),
    ...(trouble === undefined ? {} : { error }),
  };
}

async function examine({ api }: Context, secret: Secret): Promise<Examined> {
  // A stored candidate has no plan of its own.
  if (secret.candidateOf !== undefined) return { secret, verdict: 'unsure', finding: 'a rotation is not finished' };
  if (secret.manual === true) return byHand(secret);
  const answer = await api.ask({ path: routeOf(secret, 'plan'), schema: planView, withinMs: planWithinMs });
  if (answer.kind === 'trouble') return { secret, verdict: 'broken', finding: answer.code, trouble: answer };
  const plan = answer.value;
  const failed = plan.checks.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const unknown = plan.checks.filter(({ state }) => state === 'unknown').map(({ name }) => name);
  if (failed.length > 0) return { secret, verdict: 'broken', finding: `fails: ${failed.join(', ')}`, plan };
  if (stuck.has(secret.state)) return { secret, verdict: 'broken', finding: secret.state, plan };
  if (unknown.length > 0) return { secret, verdict: 'unsure', finding: `unknown: ${unknown.join(', ')}`, plan };
  return { secret, verdict: 'ready', finding: plan.detail === 'asked for' ? '' : plan.detail, plan };
}

/** There is nothing to log in to: what can be seen is how long it lasts. */
function byHand(secret: Secret): Examined {
  const verdict = secret.state === 'due' ? 'broken' : 'ready';
  return { secret, verdict, finding: verdict === 'broken' ? 'to be replaced by hand' : 'replaced by hand' };
}

function report({ terminal }: Context, examined: readonly Examined[]): void {
  const urgent = byUrgency(examined.map(({ secret }) => secret));
  const sorted = [...examined].sort(
    (a, b) =>
      order.indexOf(a.verdict) - order.indexOf(b.verdict) || urgent.indexOf(a.secret) - urgent.indexOf(b.secret),
  );
  const several = new Set(sorted.map(({ secret }) => secret.vault)).size > 1;
  const table = {
    columns: [
      { title: 'VERDICT' },
      { title: 'VAULT', drop: 1 },
      { title: 'SECRET' },
      { title: 'ROTATOR', drop: 3 },
      { title: 'TARGET', least: 12, drop: 4 },
      { title: 'FINDING', least: 16, drop: 0 },
    ],
    rows: sorted.map(({ secret, verdict, finding, plan }) => [
      { text: verdict, colour: verdicts[verdict] },
      several ? secret.vault : '',
      secret.secret,
      secret.rotator ?? '',
      plan?.target ?? '',
      finding,
    ]),
  };
  if (sorted.length > 0) terminal.out('');
  for (const line of tableLines(table, terminal.columns, terminal.colour.out)) terminal.out(line);
  for (const one of sorted) for (const line of adviceOn(one, terminal)) terminal.out(line);
  const counts = order.map((verdict) => `${sorted.filter((one) => one.verdict === verdict).length} ${verdict}`);
  terminal.out(`\n${sorted.length} ${sorted.length === 1 ? 'secret' : 'secrets'}: ${counts.join(', ')}`);
}

/** What to do about one, below the table, where there is room. */
function adviceOn({ secret, plan, trouble, verdict }: Examined, terminal: Context['terminal']): readonly string[] {
  if (verdict === 'ready') return [];
  const { columns } = terminal;
  const colour = terminal.colour.out;
  const checks = (plan?.checks ?? []).filter(({ state }) => state !== 'passed');
  const last = lastFailure(secret);
  const lines = [
    ...(trouble === undefined ? [] : troubleLines(trouble, columns, colour, '  ')),
    ...checks.flatMap(({ name, state, detail, fix }) => [
      wrapped(`${paint(name, state === 'failed' ? 'red' : 'yellow', colour)}: ${plain(detail)}`, columns, '  '),
      ...(fix === undefined ? [] : [wrapped(`${paint('Do:', 'bold', colour)} ${plain(fix)}`, columns, '    ')]),
    ]),
    ...(trouble === undefined && checks.length === 0
      ? [wrapped(`${plain(last?.message ?? secret.detail)}`, columns, '  ')]
      : []),
    ...(trouble === undefined && checks.length === 0 && last !== undefined
      ? [wrapped(`${paint('Do:', 'bold', colour)} ${plain(last.hint)}`, columns, '    ')]
      : []),
  ];
  return ['', paint(plain(pathOf(secret)), 'bold', colour), ...lines];
}
