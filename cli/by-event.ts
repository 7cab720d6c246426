/** Follows a rotation that nobody asks for: the vault's own event has to bring it, by way of Event Grid. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attempt, history } from './api/views.ts';
import type { Context } from './command.ts';
import type { Exit } from './exit-codes.ts';
import { must } from './must.ts';
import { type Named, pathOf, routeOf } from './names.ts';
import { paint } from './terminal/paint.ts';

const lookEveryMs = 1_000;

/** Rotations that the history of the secret holds. One that Keyturn never had has none. */
export async function rotationsBefore({ api }: Context, named: Named): Promise<ReadonlySet<string>> {
  const answer = await api.ask({ path: routeOf(named, 'history'), schema: history });
  return new Set(answer.kind === 'trouble' ? [] : answer.value.attempts.map(({ rotationId }) => rotationId));
}

/** Waits for a rotation that was not there before, and says what brought it. */
export async function followEvent(context: Context, named: Named, before: ReadonlySet<string>): Promise<Exit> {
  const { api, signal, given, terminal, json, print } = context;
  const startedMs = performance.now();
  const withinMs = (given.wholeNumber('timeout', 1, 86_400) ?? 300) * 1_000;
  while (performance.now() - startedMs < withinMs) {
    const { attempts } = must(await api.ask({ path: routeOf(named, 'history'), schema: history }));
    const done = attempts.find((one) => !before.has(one.rotationId) && over.has(one.outcome));
    if (done !== undefined) return tell(context, named, done, Math.round((performance.now() - startedMs) / 1_000));
    await sleep(lookEveryMs, undefined, { signal });
  }
  if (json) print({ ...named, outcome: 'timed-out' });
  terminal.err(
    `No event of ${pathOf(named)} has reached the app within ${withinMs / 1_000} s. Look at the subscription with: keyturn doctor --deployment`,
  );
  return 'timed-out';
}

const over: ReadonlySet<string> = new Set(['rotated', 'failed', 'skipped']);

function tell({ terminal, json, print }: Context, named: Named, done: Attempt, seconds: number): Exit {
  const byEvent = done.requestedBy === 'near-expiry';
  const exit: Exit = done.outcome === 'rotated' && byEvent ? 'ok' : 'failed';
  if (json) {
    print({ ...named, outcome: exit, rotation: done });
    return exit;
  }
  const word = paint(done.outcome, exit === 'ok' ? 'green' : 'red', terminal.colour.out);
  terminal.out(`${pathOf(named)} ${word} after ${seconds} s, brought by ${done.requestedBy}`);
  if (!byEvent)
    terminal.err('It was found before its event came. Run it again; if that stays so, no event reaches the app.');
  return exit;
}
