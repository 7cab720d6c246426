/** One rotation by its id. */
import { isFailure } from '../../errors.ts';
import { ok } from '../answer.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields, rotationId } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { rotationView, viewDelivery, viewRotation } from '../views/rotation.ts';

/** How soon a rotation that is not over is worth another look, in s. */
const lookAgainSeconds = 2;

export function rotationRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'getRotation',
        method: 'GET',
        path: '/rotations/{rotationId}',
        needs: 'reader',
        covers: 'each',
        summary: 'Show one rotation: how it stands, every attempt, every step, who was told',
        answers: { 200: { description: 'Carries `Retry-After` while it is not over.', schema: rotationView } },
        params: fields({ rotationId }),
        query: fields({}),
      },
      async ({ path, sees }) => {
        const [listed, news] = await Promise.all([
          deps.history.rotation(path.rotationId),
          deps.deliveries.of(path.rotationId),
        ]);
        if (isFailure(listed)) return failureProblem(listed);
        if (isFailure(news)) return failureProblem(news);
        const known = viewRotation(listed.records);
        // What the caller may not see looks like what is not there.
        if (known === undefined || !sees(known))
          return problem('rotation-unknown', `no rotation ${path.rotationId} is known`);
        const view = { ...known, deliveries: news.deliveries.map(viewDelivery) };
        const over = ['rotated', 'skipped', 'failed'].includes(view.state);
        return over ? ok(view) : { ...ok(view), headers: { 'retry-after': String(lookAgainSeconds) } };
      },
    ),
  ];
}
