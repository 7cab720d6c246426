/** A secret leaves Keyturn. */
import * as z from 'zod';
import type { Command } from '../command.ts';
import type { Exit } from '../exit-codes.ts';
import { must } from '../must.ts';
import { pathOf, routeOf, secretNamed } from '../names.ts';
import { reasonOption } from '../options.ts';
import { reasonFor } from '../reason.ts';
import { paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { absolute } from '../terminal/time.ts';
import { usageStop } from '../trouble.ts';

const view = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  state: z.string(),
  overlapEndsAt: z.string().optional(),
  retired: z.array(z.string()),
  sessions: z.array(z.string()),
  consumers: z.array(z.string()),
  versions: z.array(z.object({ version: z.string(), tags: z.array(z.string()) })),
  left: z.record(z.string(), z.string()),
});

export const release: Command = {
  name: 'release',
  summary: 'take a secret out of Keyturn: end its overlap and take the tags away',
  takes: 'NAME',
  count: [1, 1],
  options: { yes: { type: 'boolean', help: 'do not ask, after the plan is shown' }, ...reasonOption },
  about:
    'Shows the plan first. The current credential goes on working, and nobody rotates it any more. While somebody uses the old credential, it says who, changes nothing and exits with 6.',
  examples: ['keyturn release orders-db --reason "the shop is switched off"'],
  role: 'operator',
  async run(context) {
    const { api, given, vault, terminal, json, print, now } = context;
    const named = await secretNamed(api, given.args, vault);
    const path = routeOf(named, 'release');
    const planned = must(await api.ask({ path, schema: view }));
    const sure = given.flag('yes');
    if (json && !sure) {
      print(planned);
      return 'not-now';
    }
    if (!json) {
      for (const { version, tags } of planned.versions) terminal.err(`  ${version} loses ${plain(tags.join(', '))}`);
      if (planned.overlapEndsAt !== undefined)
        terminal.err(`  the old credential is ended now, and not ${absolute(planned.overlapEndsAt, now())}`);
    }
    if (!sure) {
      const answer = await terminal.ask(`Release ${pathOf(named)}? Type its name: `);
      if (answer?.trim() !== named.secret)
        throw usageStop(
          'nothing was released',
          `Look at the plan, then run it again with --yes, or type ${named.secret}.`,
        );
    }
    const body = { reason: await reasonFor(context) };
    const one = must(await api.ask({ method: 'POST', path, body, schema: view, withinMs: 200_000 }));
    const exit: Exit = one.state === 'released' ? 'ok' : 'not-now';
    if (json) {
      print(one);
      return exit;
    }
    const word = paint(one.state, exit === 'ok' ? 'green' : 'yellow', terminal.colour.out);
    const dead = one.retired.length === 0 ? '' : `: ${one.retired.join(', ')} is refused`;
    terminal.out(`${pathOf(named)} ${word}${plain(dead)}`);
    for (const session of one.sessions) terminal.out(`  session  ${plain(session)}`);
    for (const consumer of one.consumers) terminal.out(`  consumer ${plain(consumer)} has not acknowledged`);
    return exit;
  },
};
