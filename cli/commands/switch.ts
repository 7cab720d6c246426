/** The switch that stops everything automatic, and whether the app is well. */
import { freeze as freezeView, type Health, health as healthView } from '../api/views.ts';
import type { Command, Context } from '../command.ts';
import type { Exit } from '../exit-codes.ts';
import { must } from '../must.ts';
import { reasonOption } from '../options.ts';
import { reasonFor } from '../reason.ts';
import { type Field, fieldLines } from '../terminal/fields.ts';
import { plain } from '../terminal/text.ts';
import { absolute } from '../terminal/time.ts';

async function set(context: Context, frozen: boolean): Promise<Exit> {
  const { api, terminal, json, print } = context;
  const body = { frozen, reason: await reasonFor(context) };
  const state = must(await api.ask({ method: 'PUT', path: ['freeze'], body, schema: freezeView }));
  if (json) print(state);
  else
    terminal.out(
      state.frozen
        ? 'frozen: nothing is rotated by itself; what a person asks for still is, and old credentials still end'
        : 'not frozen: rotations go on',
    );
  return 'ok';
}

export const freeze: Command = {
  name: 'freeze',
  summary: 'stop everything automatic',
  takes: '',
  count: [0, 0],
  options: reasonOption,
  about: 'What a person asks for is still done, and old credentials still end at their deadline.',
  examples: ['keyturn freeze --reason "release day"'],
  role: 'operator',
  run: (context) => set(context, true),
};

export const unfreeze: Command = {
  name: 'unfreeze',
  summary: 'let it go on',
  takes: '',
  count: [0, 0],
  options: reasonOption,
  examples: ['keyturn unfreeze --reason "release is out"'],
  role: 'operator',
  run: (context) => set(context, false),
};

type Reach = Health['storage'];

function reached(name: string, { reachable, ms, code, detail, hint }: Reach): readonly Field[] {
  if (reachable) return [{ name, value: `answers in ${ms} ms`, colour: 'green' }];
  return [
    { name, value: `${code ?? 'no answer'}: ${plain(detail ?? '')}`, colour: 'red' },
    { name: '', value: hint === undefined ? undefined : `Do: ${hint}` },
  ];
}

/** What `health` and `doctor` say of the app itself. */
export function healthFields(one: Health, now: Date): readonly Field[] {
  const { freeze } = one;
  const since = freeze?.frozen === true ? `by ${freeze.by ?? 'somebody'}, ${absolute(freeze.since, now)}` : '';
  return [
    { name: 'version', value: one.version },
    ...one.vaults.flatMap((vault) => reached(`vault ${vault.vault}`, vault)),
    ...reached('storage', one.storage),
    { name: 'frozen', value: since === '' ? undefined : `${since}: ${freeze?.reason ?? ''}`, colour: 'yellow' },
    { name: 'failing', value: counted(one.failing), colour: 'red' },
    { name: 'paused', value: counted(one.paused), colour: 'red' },
    { name: 'retrying', value: counted(one.retrying), colour: 'yellow' },
  ];
}

function counted(count = 0): string | undefined {
  return count === 0 ? undefined : count === 1 ? '1 secret' : `${count} secrets`;
}

export const health: Command = {
  name: 'health',
  summary: 'whether the app reaches its vaults and its storage account, whether it is frozen',
  takes: '',
  count: [0, 0],
  options: {},
  about: 'Exits with 1 if something is not reached.',
  examples: ['keyturn health'],
  role: 'reader',
  async run({ api, terminal, json, print, now }) {
    const one = must(await api.ask({ path: ['health', 'details'], schema: healthView }));
    if (json) print(one);
    else
      for (const line of fieldLines(healthFields(one, now()), terminal.columns, terminal.colour.out))
        terminal.out(line);
    return one.status === 'healthy' ? 'ok' : 'failed';
  },
};
