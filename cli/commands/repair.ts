/** What is for versions that somebody else wrote. */
import * as z from 'zod';
import { plan as planView } from '../api/views.ts';
import { askAndFollow } from '../asked.ts';
import type { Command } from '../command.ts';
import { must } from '../must.ts';
import { pathOf, routeOf, secretNamed } from '../names.ts';
import { breakGlass, breakGlassOption, reasonOption, waitOptions } from '../options.ts';
import { reasonFor } from '../reason.ts';
import { plain } from '../terminal/text.ts';
import { planWithinMs, tellPlan } from './plan.ts';

const adopted = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  version: z.string(),
  tags: z.record(z.string(), z.string()),
});

export const adopt: Command = {
  name: 'adopt',
  summary: 'a secret lost its tags with a new version: put those of the last managed version back',
  takes: 'NAME',
  count: [1, 1],
  options: { ...reasonOption },
  about: 'The credential of the newest version is proven by a login first. Tags that it has stay as they are.',
  examples: ['keyturn adopt orders-db --reason "was set without --tags"'],
  role: 'operator',
  async run(context) {
    const { api, given, vault, terminal, json, print } = context;
    const named = await secretNamed(api, given.args, vault);
    const body = { reason: await reasonFor(context) };
    const one = must(await api.ask({ method: 'POST', path: routeOf(named, 'adopt'), body, schema: adopted }));
    if (json) print(one);
    else {
      const tags = Object.entries(one.tags).map(([name, value]) => `${name}=${value}`);
      terminal.out(`${pathOf(named)} is managed again: ${plain(tags.join('  '))}`);
    }
    return 'ok';
  },
};

export const repair: Command = {
  name: 'repair',
  summary: 'the current version does not log in: go back to the last one that does, or make a new credential',
  takes: 'NAME',
  count: [1, 1],
  options: {
    force: { type: 'boolean', help: 'also to a credential that was revoked in an emergency. Needs the role emergency' },
    ...breakGlassOption,
    ...reasonOption,
    ...waitOptions,
  },
  about:
    'Shows the plan first, and stops where nothing is to be done or it cannot be done. "keyturn plan NAME --mode repair" shows the plan alone.',
  examples: ['keyturn repair orders-db --reason "Terraform wrote the old password back"'],
  role: 'operator',
  roleFor: (given) => (given.flag('force') ? 'emergency' : 'operator'),
  async run(context) {
    const { api, given, vault, terminal, json, print, now } = context;
    const named = await secretNamed(api, given.args, vault);
    const reason = await reasonFor(context);
    const query = [['mode', 'repair'] as const];
    const planned = { path: routeOf(named, 'plan'), query, schema: planView, withinMs: planWithinMs };
    const one = must(await api.ask(planned));
    const insists = given.flag('force');
    const stops = one.outcome === 'would-skip' || (one.outcome === 'would-fail' && !insists);
    if (!json) tellPlan(one, terminal, now());
    else if (stops) print(one);
    if (stops) return one.outcome === 'would-skip' ? 'not-now' : 'failed';
    const body = { reason, ...(insists ? { force: true } : {}), ...breakGlass(given) };
    return askAndFollow(context, [{ named, action: 'repair', body }]);
  },
};
