/** The switch that stops everything automatic. */
import * as z from 'zod';
import type { FreezeState } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import { ok } from '../answer.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields, reason, time } from '../fields.ts';
import { failureProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';

export const freezeView = z.object({
  frozen: z.boolean(),
  by: z.string().optional(),
  reason: z.string().optional(),
  since: time.optional(),
});

export function viewFreeze({ frozen, by, reason, since }: FreezeState): z.infer<typeof freezeView> {
  return {
    frozen,
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
    ...(since === undefined ? {} : { since: since.toISOString() }),
  };
}

export function freezeRoutes(deps: ApiDependencies): readonly Route[] {
  const facts = {
    path: '/freeze',
    params: fields({}),
    query: fields({}),
  } as const;
  return [
    route(
      {
        ...facts,
        id: 'getFreeze',
        method: 'GET',
        needs: 'reader',
        covers: 'each',
        summary: 'Whether automatic rotations are stopped, by whom and why',
        answers: { 200: { description: 'The switch.', schema: freezeView } },
      },
      async () => {
        const state = await deps.freeze.read();
        return isFailure(state) ? failureProblem(state) : ok(viewFreeze(state));
      },
    ),
    route(
      {
        ...facts,
        id: 'setFreeze',
        method: 'PUT',
        needs: 'operator',
        summary: 'Stop automatic rotations, or let them go on',
        description:
          'While frozen nothing is rotated by itself. What a person asks for is still done, and old credentials still end at their deadline.',
        answers: { 200: { description: 'The switch as it is now.', schema: freezeView } },
        body: fields({ frozen: z.boolean('takes true or false'), reason }),
      },
      async ({ body, caller, log }) => {
        const state = await deps.freeze.set({ ...body, by: caller.name, at: deps.now() });
        if (isFailure(state)) return failureProblem(state);
        log.warn(body.frozen ? 'frozen' : 'unfrozen', { by: caller.name, reason: body.reason });
        return ok(viewFreeze(state));
      },
    ),
  ];
}
