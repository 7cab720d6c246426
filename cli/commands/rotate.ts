import { randomUUID } from 'node:crypto';
import { many } from '../api/views.ts';
import { askAndFollow, followAll, waitingLine } from '../asked.ts';
import type { Command, Context } from '../command.ts';
import type { Exit } from '../exit-codes.ts';
import { must } from '../must.ts';
import { secretsNamed } from '../names.ts';
import { breakGlass, breakGlassOption, reasonOption, waitOptions } from '../options.ts';
import { reasonFor } from '../reason.ts';
import { isSelective, listSecrets, selectorOptions } from '../selection.ts';
import { tableLines } from '../terminal/table.ts';
import { Stop, usageStop } from '../trouble.ts';
import { secretsTable } from './list.ts';

export const rotate: Command = {
  name: 'rotate',
  summary: 'rotate one secret, several, or all that a selector fits',
  takes: '[NAME…]',
  count: [0, 1000],
  options: {
    ...selectorOptions,
    confirm: { type: 'string', value: 'COUNT', help: 'how many the selector fits; otherwise nothing is done' },
    yes: { type: 'boolean', short: 'y', help: 'confirm as many as the selector fits now, without asking' },
    force: { type: 'boolean', help: 'let the admin replace a credential although none that is known logs in' },
    ...breakGlassOption,
    ...reasonOption,
    ...waitOptions,
  },
  about: `Follows the rotation step by step. Ctrl-C ends the following, not the rotation. With a selector the number of secrets that it fits
must be confirmed: with --confirm, by typing it on a terminal, or whatever it is with --yes.`,
  examples: [
    'keyturn rotate orders-db --reason "new DBA"',
    'keyturn rotate orders-db billing-db -r "new rules" --no-wait',
    'keyturn rotate --tag team=shop --confirm 12 -r "new rules"',
  ],
  role: 'operator',
  async run(context) {
    const { api, given, vault } = context;
    const selective = isSelective(given);
    if (selective && given.args.length > 0)
      throw usageStop('names and a selector were given', 'Give names, or --state, --rotator and --tag.');
    if (selective) return rotateSelected(context);
    if (given.args.length === 0)
      throw usageStop('nothing says what to rotate', 'Name secrets, or select them with --state, --rotator or --tag.');
    const named = await secretsNamed(api, given.args, vault);
    const reason = await reasonFor(context);
    const force = given.flag('force') ? { force: true } : {};
    return askAndFollow(
      context,
      named.map((one) => ({ named: one, action: 'rotate', body: { reason, ...force, ...breakGlass(given) } })),
    );
  },
};

async function rotateSelected(context: Context): Promise<Exit> {
  const { api, given, vault, terminal, json, print } = context;
  if (given.flag('force')) throw usageStop('--force takes names, not a selector', 'Name the secrets.');
  const confirm = given.wholeNumber('confirm', 0, 10_000) ?? (await confirmed(context));
  const reason = await reasonFor(context);
  const body = { selector: selectorOf(context, vault), confirm, reason, ...breakGlass(given) };
  const asked = must(
    await api.ask({
      ...{ method: 'POST', path: ['rotations'], body, schema: many, withinMs: 120_000 },
      idempotencyKey: `cli-${randomUUID()}`,
    }),
  );
  if (asked.matched === 0)
    throw new Stop({ ...nothing, hint: 'See what there is with "keyturn list" and the same selector.' });
  if (asked.approval !== undefined) {
    if (json) print(asked);
    else terminal.err(waitingLine(asked.approval, context.now()));
    return 'not-now';
  }
  if (given.flag('no-wait') && json) {
    print(asked);
    return 'ok';
  }
  return followAll(context, asked.rotations);
}

const nothing = { exit: 'not-found', code: 'nothing-matched', message: 'the selector fits no secret' } as const;

/** A person sees what is meant before they say how many. */
async function confirmed({ api, given, vault, terminal, json, now }: Context): Promise<number> {
  const { secrets } = await listSecrets(api, given, vault, terminal);
  const fitting = secrets.filter(
    ({ state, candidateOf, manual }) =>
      candidateOf === undefined && manual !== true && state !== 'unmanaged' && state !== 'copy',
  );
  if (fitting.length === 0)
    throw new Stop({ ...nothing, hint: 'See what there is with "keyturn list" and the same selector.' });
  const usage = usageStop(
    `the selector fits ${fitting.length}, and nothing confirms that as many are meant`,
    `Look at them with "keyturn list" and the same selector, then give --confirm ${fitting.length}.`,
  );
  const sure = given.flag('yes');
  if (json && !sure) throw usage;
  const shown = json ? [] : tableLines(secretsTable(fitting, now()), terminal.columns, terminal.colour.err);
  for (const line of shown) terminal.err(line);
  if (sure) return fitting.length;
  const answer = await terminal.ask(`\nRotate these ${fitting.length}? Type the number: `);
  if (answer?.trim() === String(fitting.length)) return fitting.length;
  throw usage;
}

function selectorOf({ given }: Context, vault: string | undefined) {
  const [state, ...others] = given.list('state');
  if (others.length > 0) throw usageStop('--state may stand once here', 'Run the command once for each state.');
  const rotator = given.text('rotator');
  const tags = given.list('tag').map((tag): readonly [string, string] => {
    const at = tag.indexOf('=');
    if (at < 1) throw usageStop(`--tag "${tag}" has no value`, 'Give NAME=VALUE.');
    return [tag.slice(0, at), tag.slice(at + 1)];
  });
  return {
    ...(vault === undefined ? {} : { vault }),
    ...(state === undefined ? {} : { state }),
    ...(rotator === undefined ? {} : { rotator }),
    ...(tags.length === 0 ? {} : { tags: Object.fromEntries(tags) }),
  };
}
