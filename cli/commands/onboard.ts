/** From a secret that nobody looks after to one that is managed: what it would come to, then the tags, then a rehearsal. */
import { listsName } from '../../shared/engine/policy/glob.ts';
import { type OnboardingView, onboarding, type Secret, tagged } from '../api/views.ts';
import { inTurns } from '../asked.ts';
import type { Command, Context } from '../command.ts';
import { type Exit, worstOf } from '../exit-codes.ts';
import { pathOf, routeOf, secretsNamed } from '../names.ts';
import { reasonOption } from '../options.ts';
import { listEverything } from '../selection.ts';
import { tellTrouble, troubleLines } from '../tell.ts';
import { type Colour, paint } from '../terminal/paint.ts';
import { plain, wrapped } from '../terminal/text.ts';
import { Stop, type Trouble, usageStop } from '../trouble.ts';
import { planWithinMs } from './plan.ts';
import { type RehearsalEnd, rehearseOne } from './rehearse.ts';

/**
 * `managed`: it was already, and nothing differs. `ready`: the tags would be set. `onboarded`: they are, and a rehearsal succeeded or looked.
 * `blocked`: a right, an admin or a tag is missing. `unfit`: no rotator fits, or only its name says which. `failed`: it broke off.
 */
export type Onboarded = 'managed' | 'ready' | 'onboarded' | 'blocked' | 'unfit' | 'failed';

interface Ended {
  readonly secret: Secret;
  readonly outcome: Onboarded;
  readonly why: string;
  readonly proposal?: OnboardingView;
  readonly trouble?: Trouble;
  readonly rehearsal?: RehearsalEnd;
}

const colours: Readonly<Record<Onboarded, Colour>> = {
  managed: 'dim',
  ready: 'cyan',
  onboarded: 'green',
  blocked: 'yellow',
  unfit: 'yellow',
  failed: 'red',
};

export const onboard: Command = {
  name: 'onboard',
  summary: 'put secrets under management: shows the tags and the plan, with --yes sets them and rehearses',
  takes: '[NAME…]',
  count: [0, 1000],
  options: {
    all: { type: 'boolean', help: 'every secret that is not managed yet' },
    where: {
      type: 'string',
      multiple: true,
      value: 'FIELD=VALUE',
      help: 'with --all: only where name, vault or tag:NAME fits (* for any characters); several: all of them',
    },
    set: { type: 'string', multiple: true, value: 'TAG=VALUE', help: 'a tag to set, over what is proposed' },
    yes: { type: 'boolean', short: 'y', help: 'set the tags and rehearse' },
    'no-rehearse': { type: 'boolean', help: 'set the tags and leave the rehearsal out' },
    parallel: { type: 'string', value: 'N', help: 'so many secrets at once (4; 32 at most)' },
    ...reasonOption,
  },
  about: `The app reads the value to tell what it is for, and logs in at the target to look; nothing is changed without --yes, and with it only what
differs, so it can be run again. What cannot be managed is named with its reason and, where one helps, with the line to paste; it exits with 1 then.`,
  examples: [
    'keyturn onboard orders-db',
    'keyturn onboard orders-db --set admin=postgres-admin --yes -r "first secrets"',
    'keyturn onboard --all --where "name=orders-*" --yes -r "first secrets"',
  ],
  role: 'operator',
  async run(context) {
    const { given, terminal, json, print } = context;
    const asked = askedTags(given.list('set'));
    const { secrets, all, unlisted } = await meant(context);
    let done = 0;
    const ended = await inTurns(secrets, given.wholeNumber('parallel', 1, 32) ?? 4, async (secret) => {
      const end = await onboardOne(context, secret, all, asked);
      done += 1;
      terminal.live(`  ${done} of ${secrets.length} …`);
      return end;
    });
    terminal.live('');
    if (json) print({ secrets: ended.map(forScripts), unlisted });
    else report(context, ended);
    return exitOf(ended, unlisted);
  },
};

function askedTags(given: readonly string[]): Readonly<Record<string, string>> {
  const entries = given.map((text): readonly [string, string] => {
    const at = text.indexOf('=');
    if (at < 1) throw usageStop(`--set "${text}" has no value`, 'Give TAG=VALUE.');
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}

interface Meant {
  readonly secrets: readonly Secret[];
  /** Of all vaults: where admins are looked for. */
  readonly all: readonly Secret[];
  readonly unlisted: readonly Trouble[];
}

async function meant(context: Context): Promise<Meant> {
  const { api, given, vault, terminal } = context;
  const wheres = given.list('where').map(whereOf);
  if (given.flag('all') === given.args.length > 0)
    throw usageStop(
      'nothing, or two things, say what to onboard',
      'Name secrets, or give --all, with --where for some of them.',
    );
  const named = given.flag('all') ? undefined : await secretsNamed(api, given.args, vault);
  const { secrets: all, unlisted } = await listEverything(api, vault, terminal);
  for (const { vault: name, trouble } of unlisted) {
    terminal.err(`${name} cannot be listed; its secrets are left as they are:`);
    tellTrouble(terminal, trouble, false);
  }
  const troubles = unlisted.map(({ trouble }) => trouble);
  if (named === undefined) {
    const secrets = all.filter((one) => isOpen(one) && wheres.every((fits) => fits(one)));
    if (secrets.length > 0 || unlisted.length > 0) return { secrets, all, unlisted: troubles };
    throw nothing('no secret that is not managed fits');
  }
  const byPath = new Map(all.map((one) => [pathOf(one).toLowerCase(), one]));
  const secrets = named.map((one) => {
    const found = byPath.get(pathOf(one).toLowerCase());
    if (found === undefined) throw nothing(`there is no secret ${pathOf(one)}`);
    return found;
  });
  return { secrets, all, unlisted: troubles };
}

function nothing(message: string): Stop {
  const hint = 'See what there is with "keyturn list --state unmanaged".';
  return new Stop({ exit: 'not-found', code: 'nothing-matched', message, hint });
}

/** Not managed, and nothing that another one manages. */
function isOpen({ candidateOf, tags, state }: Secret): boolean {
  if (candidateOf !== undefined || state === 'copy') return false;
  return tags['rotator'] === undefined && tags['serves'] === undefined;
}

function whereOf(text: string): (secret: Secret) => boolean {
  const [, field = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (field === 'name') return ({ secret }) => listsName(value, secret);
  if (field === 'vault') return ({ vault }) => listsName(value, vault);
  if (field.startsWith('tag:')) return ({ tags }) => tags[field.slice(4)] === value;
  throw usageStop(`--where does not take "${text}"`, 'Give name=PATTERN, vault=PATTERN or tag:NAME=VALUE.');
}

async function onboardOne(
  context: Context,
  secret: Secret,
  all: readonly Secret[],
  asked: Readonly<Record<string, string>>,
): Promise<Ended> {
  const proposed = await propose(context, secret, all, asked);
  if (proposed.kind === 'trouble') return { secret, outcome: 'failed', why: proposed.message, trouble: proposed };
  const proposal = proposed.value;
  const judged = judge(proposal);
  if (judged !== undefined) return { secret, proposal, ...judged };
  const isSame = Object.entries(proposal.set).every(([name, value]) => proposal.before[name] === value);
  if (!context.given.flag('yes')) return { secret, proposal, outcome: isSame ? 'managed' : 'ready', why: '' };
  return setAndRehearse(context, secret, proposal, isSame);
}

/** Where several admins serve it, the first one whose server it is. */
const mostAdmins = 4;

async function propose(
  { api }: Context,
  secret: Secret,
  all: readonly Secret[],
  asked: Readonly<Record<string, string>>,
) {
  const path = routeOf(secret, 'onboarding');
  const ask = (set: Readonly<Record<string, string>>) =>
    api.ask({ method: 'POST', path, body: { set }, schema: onboarding, withinMs: planWithinMs });
  const first = await ask(asked);
  if (first.kind === 'trouble' || !takesAdmin(first.value)) return first;
  const admins = all
    .filter(
      ({ vault, tags }) =>
        vault === secret.vault && listsName((tags['serves'] ?? '').split(';')[0] ?? '', secret.secret),
    )
    .slice(0, mostAdmins);
  for (const admin of admins) {
    const next = await ask({ ...asked, admin: admin.secret });
    if (next.kind === 'answer' && judge(next.value) === undefined) return next;
    if (next.kind === 'answer' && !otherServer.has(next.value.problem?.code ?? '')) return next;
  }
  return first;
}

/** What says that the admin is of another server. */
const otherServer: ReadonlySet<string> = new Set(['host-mismatch', 'admin-invalid', 'admin-refused']);

function takesAdmin({ set, before, guess }: OnboardingView): boolean {
  const named = set['admin'] ?? before['admin'];
  return (
    named === undefined && ['postgres', 'mysql', 'sql-server', 'redis'].includes(set['rotator'] ?? guess.rotator ?? '')
  );
}

/** Why it cannot be managed as it is; undefined where it can. */
function judge({ set, before, guess, checks, problem }: OnboardingView): Pick<Ended, 'outcome' | 'why'> | undefined {
  const rotator = set['rotator'] ?? before['rotator'];
  if (rotator === undefined) return { outcome: 'unfit', why: unfitText(guess) };
  if (problem !== undefined) return { outcome: 'blocked', why: problem.message };
  const failed = checks.filter(({ state }) => state === 'failed');
  return failed.length === 0 ? undefined : { outcome: 'blocked', why: failed.map(({ detail }) => detail).join('; ') };
}

function unfitText({ rotator, what, because, sure }: OnboardingView['guess']): string {
  if (rotator === undefined) return `it is ${what}: no rotator fits`;
  if (rotator === 'self-issued') return `it may be ${what}: if nobody else issues it, give --set rotator=self-issued`;
  if (rotator === 'manual') return `it is ${what}: to be reminded of it, give --set rotator=manual --set owner=WHO`;
  if (rotator === 'http-keys')
    return `it is ${what}: give --set rotator=http-keys --set provider=PROVIDER --set admin=SECRET`;
  return sure ? `it is ${what}` : `only its ${because} says that it is ${what}: give --set rotator=${rotator}`;
}

async function setAndRehearse(
  context: Context,
  secret: Secret,
  proposal: OnboardingView,
  isSame: boolean,
): Promise<Ended> {
  const { api, given } = context;
  const reason = given.text('reason')?.trim() || 'keyturn onboard';
  const { set } = proposal;
  if (!isSame) {
    const path = routeOf(secret, 'tags');
    const written = await api.ask({ method: 'POST', path, body: { reason, set }, schema: tagged, withinMs: 60_000 });
    if (written.kind === 'trouble')
      return { secret, proposal, outcome: 'failed', why: written.message, trouble: written };
  }
  if (given.flag('no-rehearse')) return { secret, proposal, outcome: isSame ? 'managed' : 'onboarded', why: '' };
  const rehearsal = await rehearseOne(context, secret, reason);
  const { trouble, detail = '' } = rehearsal;
  if (trouble === undefined) return { secret, proposal, outcome: 'onboarded', why: detail, rehearsal };
  return {
    secret,
    proposal,
    outcome: 'failed',
    why: `it is managed, and its rehearsal failed: ${trouble.message}`,
    trouble,
    rehearsal,
  };
}

function report({ terminal, given }: Context, ended: readonly Ended[]): void {
  for (const one of ended) for (const line of linesOn(one, terminal)) terminal.out(line);
  const order: readonly Onboarded[] = ['onboarded', 'ready', 'managed', 'blocked', 'unfit', 'failed'];
  const counts = order.flatMap((outcome) => {
    const count = ended.filter((one) => one.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  terminal.err(`\n${ended.length} ${ended.length === 1 ? 'secret' : 'secrets'}: ${counts.join(', ')}`);
  if (!given.flag('yes') && ended.some(({ outcome }) => outcome === 'ready'))
    terminal.err('Nothing was changed: give --yes to do it.');
}

function linesOn({ secret, outcome, why, proposal, trouble }: Ended, terminal: Context['terminal']): readonly string[] {
  const colour = terminal.colour.out;
  const head = `${pathOf(secret)} ${paint(outcome, colours[outcome], colour)}${why === '' ? '' : `: ${plain(why)}`}`;
  const changes =
    outcome === 'ready' || outcome === 'onboarded' || outcome === 'blocked'
      ? Object.entries(proposal?.set ?? {})
          .filter(([name, value]) => proposal?.before[name] !== value)
          .map(([name, value]) => `  ${paint(plain(`+ ${name} = ${value}`), 'green', colour)}`)
      : [];
  const fixes = (proposal?.checks ?? [])
    .filter(({ state, fix }) => state !== 'passed' && fix !== undefined)
    .map(({ name, fix = '' }) =>
      wrapped(`${paint('Do:', 'bold', colour)} ${plain(fix)} (${plain(name)})`, terminal.columns, '  '),
    );
  const told = proposal?.problem ?? trouble;
  const hint = told === undefined ? [] : troubleLines(told, terminal.columns, colour, '  ');
  return [head, ...changes, ...(outcome === 'onboarded' ? [] : [...fixes, ...hint])];
}

function forScripts({ secret, outcome, why, proposal, trouble, rehearsal }: Ended) {
  const { kind: _kind, exit: _exit, ...error } = trouble ?? { kind: '', exit: '' };
  return {
    ...{ vault: secret.vault, secret: secret.secret, outcome, why },
    ...(proposal === undefined ? {} : { proposal }),
    ...(rehearsal?.how === undefined ? {} : { rehearsed: rehearsal.how }),
    ...(trouble === undefined ? {} : { error }),
  };
}

function exitOf(ended: readonly Ended[], unlisted: readonly Trouble[]): Exit {
  const good: readonly Onboarded[] = ['managed', 'ready', 'onboarded'];
  const bad = ended.flatMap(({ outcome, trouble }): readonly Exit[] => {
    return good.includes(outcome) ? [] : [trouble?.exit === 'refused' ? 'refused' : 'failed'];
  });
  return worstOf([...bad, ...unlisted.map(({ exit }) => exit)]);
}
