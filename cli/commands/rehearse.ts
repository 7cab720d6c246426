/** A rotation tried on a throw-away twin. */
import { rehearsed } from '../api/views.ts';
import { inTurns } from '../asked.ts';
import type { Command, Context } from '../command.ts';
import { type Exit, worstOf } from '../exit-codes.ts';
import { type Named, pathOf, routeOf, secretsNamed } from '../names.ts';
import { reasonOption } from '../options.ts';
import { isSelective, listSecrets, selectorOptions } from '../selection.ts';
import { tellTrouble } from '../tell.ts';
import { paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { Stop, type Trouble, usageStop } from '../trouble.ts';

/** Issued keys of some providers take minutes to work everywhere. */
const withinMs = 225_000;

export interface RehearsalEnd {
  readonly named: Named;
  readonly how?: string;
  readonly detail?: string;
  readonly trouble?: Trouble;
}

export async function rehearseOne({ api }: Pick<Context, 'api'>, named: Named, reason: string): Promise<RehearsalEnd> {
  const path = routeOf(named, 'rehearse');
  const answer = await api.ask({ method: 'POST', path, body: { reason }, schema: rehearsed, withinMs });
  if (answer.kind === 'trouble') return { named, trouble: answer };
  return { named, how: answer.value.how, detail: answer.value.detail };
}

export function tellRehearsal(
  { terminal }: Pick<Context, 'terminal'>,
  { named, how, detail, trouble }: RehearsalEnd,
): void {
  const colour = terminal.colour.out;
  if (trouble === undefined) {
    const word = how === 'twin' ? paint('rehearsed', 'green', colour) : paint('looked at', 'yellow', colour);
    terminal.out(`${pathOf(named)} ${word}: ${plain(detail ?? '')}`);
    return;
  }
  terminal.out(`${pathOf(named)} ${paint('would fail', 'red', colour)}`);
  tellTrouble(terminal, trouble, false);
}

export const rehearse: Command = {
  name: 'rehearse',
  summary: 'try a rotation on a throw-away twin at the real target; touches neither the login in use nor the version',
  takes: '[NAME…]',
  count: [0, 1000],
  options: {
    ...selectorOptions,
    all: { type: 'boolean', help: 'every secret that opted in' },
    parallel: { type: 'string', value: 'N', help: 'so many secrets at once (4; 32 at most)' },
    ...reasonOption,
  },
  about: `Makes a login or a key of its own, proves it, compares its rights, revokes it, proves the refusal and removes it. Where there can be no
twin it says why, and looks at the rights. The tag rehearse=P30D has it done unasked. Exits with 1 where a rotation would fail.`,
  examples: ['keyturn rehearse orders-db', 'keyturn rehearse --all --json'],
  role: 'operator',
  async run(context) {
    const { given, terminal, json, print } = context;
    const named = await meant(context);
    const reason = given.text('reason')?.trim() || 'keyturn rehearse';
    let done = 0;
    const ended = await inTurns(named, given.wholeNumber('parallel', 1, 32) ?? 4, async (one) => {
      const end = await rehearseOne(context, one, reason);
      done += 1;
      terminal.live(`  ${done} of ${named.length} rehearsed …`);
      return end;
    });
    terminal.live('');
    if (json) print({ secrets: ended.map(forScripts) });
    else for (const one of ended) tellRehearsal(context, one);
    return exitOf(ended);
  },
};

async function meant({ api, given, vault, terminal }: Context): Promise<readonly Named[]> {
  const selective = isSelective(given) || given.flag('all');
  if (selective === given.args.length > 0)
    throw usageStop(
      'nothing, or two things, say what to rehearse',
      'Name secrets, or give --all, --state, --rotator or --tag.',
    );
  if (!selective) return secretsNamed(api, given.args, vault);
  const { secrets } = await listSecrets(api, given, vault, terminal);
  const own = secrets.filter(
    ({ candidateOf, manual, state }) =>
      candidateOf === undefined && manual !== true && !['unmanaged', 'copy'].includes(state),
  );
  if (own.length > 0) return own;
  throw new Stop({
    ...{ exit: 'not-found', code: 'nothing-matched', message: 'the selector fits no secret' },
    hint: 'See what there is with "keyturn list" and the same selector.',
  });
}

function forScripts({ named, how, detail, trouble }: RehearsalEnd) {
  const { kind: _kind, exit: _exit, ...error } = trouble ?? { kind: '', exit: '' };
  const { vault, secret } = named;
  return {
    vault,
    secret,
    outcome: how ?? 'failed',
    ...(detail === undefined ? {} : { detail }),
    ...(trouble === undefined ? {} : { error }),
  };
}

function exitOf(ended: readonly RehearsalEnd[]): Exit {
  return worstOf(ended.flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble.exit])));
}
