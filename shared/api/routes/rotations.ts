/** One rotation by its id. */
import { isFailure } from '../../errors.ts';
import { ok } from '../answer.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields, rotationId } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { rotationView, viewRotation } from '../views/rotation.ts';

/** How soon a rotation that is not over is worth another look, in s. */
const lookAgainSeconds = 2;

export function rotationRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/rotations/{rotationId}',
        needs: 'reader',
        summary: 'Show one rotation: how it stands, every attempt, every step',
        answers: { 200: { description: 'Carries `Retry-After` while it is not over.', schema: rotationView } },
        params: fields({ rotationId }),
        query: fields({}),
      },
      async ({ path }) => {
        const listed = await deps.history.rotation(path.rotationId);
        if (isFailure(listed)) return failureProblem(listed);
        const view = viewRotation(listed.records);
        if (view === undefined) return problem('rotation-unknown', `no rotation ${path.rotationId} is known`);
        const over = ['rotated', 'skipped', 'failed'].includes(view.state);
        return over ? ok(view) : { ...ok(view), headers: { 'retry-after': String(lookAgainSeconds) } };
      },
    ),
  ];
}
