/** What rotate, emergency and rollback share: ask, follow, tell how it ended. */
import { randomUUID } from 'node:crypto';
import { type Approval, type Rotation, rotation, secret as secretView } from './api/views.ts';
import type { Context } from './command.ts';
import { type Exit, worstOf } from './exit-codes.ts';
import { type Named, pathOf, routeOf } from './names.ts';
import { tellTrouble, troubleLines } from './tell.ts';
import { paint } from './terminal/paint.ts';
import { plain, wrapped } from './terminal/text.ts';
import { absolute } from './terminal/time.ts';
import type { Trouble } from './trouble.ts';
import { StepWriter, type Watched, watch } from './watch.ts';

export interface Request {
  readonly named: Named;
  /** The last part of the route: rotate, emergency or rollback. */
  readonly action: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Ended {
  readonly named: Named;
  readonly exit: Exit;
  readonly rotation?: Rotation;
  readonly trouble?: Trouble;
}

/** How many are asked for, or looked at, at once. */
const mostAtOnce = 8;

/** Asks for all of them and follows each to its end. */
export async function askAndFollow(context: Context, requests: readonly Request[]): Promise<Exit> {
  const alone = requests.length === 1;
  const ended = await inTurns(requests, mostAtOnce, async (request) => {
    const { named, action, body } = request;
    const answer = await context.api.ask({
      method: 'POST',
      path: routeOf(named, action),
      body,
      schema: rotation,
      idempotencyKey: `cli-${randomUUID()}`,
    });
    const one =
      answer.kind === 'trouble'
        ? { named, exit: answer.exit, trouble: answer }
        : await follow(context, named, answer.value, alone);
    await tell(context, one, alone);
    return one;
  });
  return finish(context, ended);
}

/** Follows rotations that are in the queue already. */
export async function followAll(context: Context, asked: readonly (Named & { rotationId: string })[]): Promise<Exit> {
  const ended = await inTurns(asked, mostAtOnce, async ({ rotationId, ...named }) => {
    const start = { ...named, rotationId, state: 'queued', requestedBy: '', reason: '' };
    const one = await follow(context, named, { ...start, retired: false, warnings: [], attempts: [] }, false);
    await tell(context, one, false);
    return one;
  });
  return finish(context, ended);
}

/** Works on all, so many at once, and gives the results in the given order. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>();
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results.set(index, await work(item, index));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** What a person does next where a second one is asked for. */
export function waitingLine({ approvalId, expiresAt }: Approval, now: Date): string {
  return `  waits for a second person until ${absolute(expiresAt, now)}: keyturn approve ${approvalId}`;
}

async function follow(context: Context, named: Named, start: Rotation, alone: boolean): Promise<Ended> {
  const { api, signal, terminal, json } = context;
  if (start.approval !== undefined && !json) terminal.err(waitingLine(start.approval, context.now()));
  if (context.given.flag('no-wait'))
    return { named, exit: start.approval === undefined ? 'ok' : 'not-now', rotation: start };
  const writer = alone && !json ? new StepWriter(terminal, context.now) : undefined;
  if (alone && !json) terminal.err(`${pathOf(named)}: rotation ${start.rotationId}`);
  const timeoutMs = (context.given.wholeNumber('timeout', 1, 86_400) ?? 300) * 1000;
  const seen = (rotation: Rotation): void => writer?.see(rotation);
  const watched = await watch(start, { api, signal, deadlineMs: performance.now() + timeoutMs, seen });
  terminal.live('');
  return { named, ...outcomeOf(watched, start.rotationId) };
}

function outcomeOf(watched: Watched, rotationId: string): Omit<Ended, 'named'> {
  switch (watched.kind) {
    case 'trouble':
      return { exit: watched.exit, trouble: { ...watched, rotationId } };
    case 'late':
      // What waits for a person does not go on by itself.
      return {
        exit: watched.rotation.state === 'awaiting-approval' ? 'not-now' : 'timed-out',
        rotation: watched.rotation,
      };
    case 'over':
      return { exit: exitOf(watched.rotation.state), rotation: watched.rotation };
  }
}

function exitOf(state: string): Exit {
  if (state === 'rotated') return 'ok';
  return state === 'skipped' ? 'not-now' : 'failed';
}

async function tell(context: Context, ended: Ended, alone: boolean): Promise<void> {
  if (context.json) return;
  const { terminal, now } = context;
  const name = pathOf(ended.named);
  const { rotation, trouble } = ended;
  if (trouble !== undefined) {
    if (!alone) terminal.err(`${name}:`);
    tellTrouble(terminal, trouble, false);
  }
  if (rotation === undefined) return;
  const say = (colour: 'red' | 'green' | 'yellow', word: string, more: string): void =>
    terminal.out(`${name} ${paint(word, colour, terminal.colour.out)}${more === '' ? '' : ` ${plain(more)}`}`);
  if (context.given.flag('no-wait')) return say('yellow', rotation.state, rotation.rotationId);
  switch (ended.exit) {
    case 'ok':
      say('green', 'rotated', `to version ${rotation.to ?? 'unknown'}`);
      for (const line of alone ? await afterwards(context, ended.named, rotation, now()) : []) terminal.out(line);
      return;
    case 'not-now':
      say('yellow', rotation.state, rotation.detail ?? '');
      return rotation.hint === undefined
        ? undefined
        : terminal.err(wrapped(`Do: ${plain(rotation.hint)}`, terminal.columns, '  '));
    case 'timed-out':
      say('yellow', rotation.state, `still; ${stillText(rotation, now())}`);
      return terminal.err(`  Look again with: keyturn rotation ${rotation.rotationId} --wait`);
    default:
      say('red', rotation.to === undefined ? 'failed' : 'half done', halfDone(rotation));
      for (const line of warningLines(context, rotation)) terminal.err(line);
      if (rotation.failure === undefined) return;
      for (const line of troubleLines(rotation.failure, terminal.columns, terminal.colour.err, '  '))
        terminal.err(line);
  }
}

/** The new version is there, and what comes after it is not done. */
function halfDone({ to }: Rotation): string {
  return to === undefined ? '' : `version ${to} is current, but what comes after it failed`;
}

function stillText({ nextTryAt, failure }: Rotation, now: Date): string {
  const why = failure === undefined ? '' : ` (${failure.code})`;
  return nextTryAt === undefined ? `it goes on by itself${why}` : `tried again ${absolute(nextTryAt, now)}${why}`;
}

function warningLines({ terminal }: Context, { warnings }: Rotation): readonly string[] {
  return warnings.map((warning) => wrapped(plain(warning), terminal.columns, '  warning: '));
}

/** What a person wants to know next: until when the new one is good, and until when the old one is. */
async function afterwards(context: Context, named: Named, done: Rotation, now: Date): Promise<readonly string[]> {
  const warnings = warningLines(context, done);
  const looked = await context.api.ask({ path: routeOf(named), schema: secretView });
  if (looked.kind === 'trouble' || looked.value.rotationId !== done.rotationId) return warnings;
  const { expiresAt, retireBy, retired, consumers = [] } = looked.value;
  const old =
    retired === true
      ? 'refused everywhere'
      : retireBy === undefined
        ? 'dead'
        : `works until ${absolute(retireBy, now)}`;
  return [
    ...(expiresAt === undefined ? [] : [`  new credential  expires ${absolute(expiresAt, now)}`]),
    `  old credential  ${old}`,
    ...(consumers.length === 0 ? [] : [`  waiting for     ${plain(consumers.join(', '))} to acknowledge`]),
    ...warnings,
  ];
}

function finish(context: Context, ended: readonly Ended[]): Exit {
  const { terminal, json, print } = context;
  if (json) {
    const rotations = ended.map(({ named, exit, rotation, trouble }) => {
      const { kind: _kind, exit: _exit, ...error } = trouble ?? { kind: '', exit: '' };
      return { ...named, outcome: exit, ...(rotation ?? {}), ...(trouble === undefined ? {} : { error }) };
    });
    print({ rotations });
  } else if (ended.length > 1) {
    const good = ended.filter(({ exit }) => exit === 'ok').length;
    terminal.err(`${good} of ${ended.length} ${context.given.flag('no-wait') ? 'queued' : 'rotated'}`);
  }
  return worstOf(ended.map(({ exit }) => exit));
}
