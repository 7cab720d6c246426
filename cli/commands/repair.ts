/** What is for versions that somebody else wrote. */
import { plan as planView } from '../api/views.ts';
import { askAndFollow } from '../asked.ts';
import { type Command, printJson } from '../command.ts';
import { must } from '../must.ts';
import { routeOf, secretNamed } from '../names.ts';
import { reasonOption, waitOptions } from '../options.ts';
import { reasonFor } from '../reason.ts';
import { planWithinMs, tellPlan } from './plan.ts';

export const repair: Command = {
  name: 'repair',
  summary: 'the current version does not log in: go back to the last one that does, or make a new credential',
  takes: 'NAME',
  count: [1, 1],
  options: {
    force: { type: 'boolean', help: 'also to a credential that was revoked in an emergency. Needs the role emergency' },
    ...reasonOption,
    ...waitOptions,
  },
  about:
    'Shows the plan first, and stops where nothing is to be done or it cannot be done. "keyturn plan NAME --mode repair" shows the plan alone.',
  examples: ['keyturn repair orders-db --reason "Terraform wrote the old password back"'],
  role: 'operator',
  roleFor: (given) => (given.flag('force') ? 'emergency' : 'operator'),
  async run(context) {
    const { api, given, vault, terminal, json, now } = context;
    const named = await secretNamed(api, given.args, vault);
    const reason = await reasonFor(context);
    const query = [['mode', 'repair'] as const];
    const planned = { path: routeOf(named, 'plan'), query, schema: planView, withinMs: planWithinMs };
    const one = must(await api.ask(planned));
    const insists = given.flag('force');
    const stops = one.outcome === 'would-skip' || (one.outcome === 'would-fail' && !insists);
    if (!json) tellPlan(one, terminal, now());
    else if (stops) printJson(terminal, one);
    if (stops) return one.outcome === 'would-skip' ? 'not-now' : 'failed';
    const body = { reason, ...(insists ? { force: true } : {}) };
    return askAndFollow(context, [{ named, action: 'repair', body }]);
  },
};
