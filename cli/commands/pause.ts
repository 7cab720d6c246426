/** No automatic work on one secret, and its end. */
import { parseDuration } from '../../shared/config/duration.ts';
import { paused, resumed } from '../api/views.ts';
import type { Command } from '../command.ts';
import { must } from '../must.ts';
import { pathOf, routeOf, secretNamed } from '../names.ts';
import { reasonOption } from '../options.ts';
import { reasonFor } from '../reason.ts';
import { paint } from '../terminal/paint.ts';
import { absolute } from '../terminal/time.ts';
import { usageStop } from '../trouble.ts';

/** A time as the API takes it, or a duration as it was given. */
function untilOf(text: string): string {
  const duration = parseDuration(text);
  if (duration.kind === 'duration' && duration.ms > 0) return text;
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw usageStop(
    `--until does not take "${text}"`,
    'Give a time like 2026-03-01T06:00 (of this machine’s zone) or 2026-03-01T06:00Z, or a duration like PT12H or P3D.',
  );
}

export const pause: Command = {
  name: 'pause',
  summary: 'start no automatic rotation of a secret',
  takes: 'NAME',
  count: [1, 1],
  options: {
    until: { type: 'string', value: 'TIME', help: 'a time or a duration (PT12H, P3D); without it until it is resumed' },
    ...reasonOption,
  },
  about:
    'What a person asks for is still done, what stopped halfway is finished, and old credentials still end. For all secrets: keyturn freeze.',
  examples: [
    'keyturn pause orders-db --until P3D --reason "migration"',
    'keyturn pause orders-db --reason "vendor is on it"',
  ],
  role: 'operator',
  async run(context) {
    const { api, given, vault, terminal, json, print, now } = context;
    const text = given.text('until');
    const until = text === undefined ? {} : { until: untilOf(text) };
    const named = await secretNamed(api, given.args, vault);
    const body = { reason: await reasonFor(context), ...until };
    const path = routeOf(named, 'pause');
    const one = must(await api.ask({ method: 'POST', path, body, schema: paused, withinMs: 60_000 }));
    if (json) print(one);
    else {
      const end = one.pausedUntil === undefined ? 'until it is resumed' : `until ${absolute(one.pausedUntil, now())}`;
      terminal.out(`${pathOf(named)} ${paint('paused', 'yellow', terminal.colour.out)} ${end}`);
    }
    return 'ok';
  },
};

export const resume: Command = {
  name: 'resume',
  summary: 'end a pause, forget failures, and have the secret looked at again',
  takes: 'NAME',
  count: [1, 1],
  options: reasonOption,
  about: 'It is rotated if it is due, and its old credential is ended if its time is over.',
  examples: ['keyturn resume orders-db --reason "rights are granted"'],
  role: 'operator',
  async run(context) {
    const { api, given, vault, terminal, json, print } = context;
    const named = await secretNamed(api, given.args, vault);
    const body = { reason: await reasonFor(context) };
    const path = routeOf(named, 'resume');
    const one = must(await api.ask({ method: 'POST', path, body, schema: resumed, withinMs: 60_000 }));
    if (json) print(one);
    else {
      const forgotten =
        one.failuresBefore === 1 ? '1 failure is forgotten' : `${one.failuresBefore} failures are forgotten`;
      const ended = one.wasPaused ? 'the pause is over, ' : '';
      terminal.out(`${pathOf(named)} ${paint('resumed', 'green', terminal.colour.out)}: ${ended}${forgotten}`);
    }
    return 'ok';
  },
};
