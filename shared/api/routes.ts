/** All routes of the API. One line each; the router, the checks and the document know nothing else. */
import * as z from 'zod';
import { ok } from './answer.ts';
import type { ApiDependencies } from './dependencies.ts';
import { fields } from './fields.ts';
import { openApiDocument } from './openapi.ts';
import { type Route, route } from './route.ts';
import { acknowledgeRoutes } from './routes/acknowledge.ts';
import { adoptRoutes } from './routes/adopt.ts';
import { alertRoutes } from './routes/alert.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { freezeRoutes } from './routes/freeze.ts';
import { healthRoutes } from './routes/health.ts';
import { inspectRoutes } from './routes/inspect.ts';
import { listRoutes } from './routes/list.ts';
import { manyRoutes } from './routes/many.ts';
import { meRoutes } from './routes/me.ts';
import { onboardingRoutes } from './routes/onboarding.ts';
import { overviewRoutes } from './routes/overview.ts';
import { pauseRoutes } from './routes/pause.ts';
import { planRoutes } from './routes/plan.ts';
import { rehearseRoutes } from './routes/rehearse.ts';
import { releaseRoutes } from './routes/release.ts';
import { retireRoutes } from './routes/retire.ts';
import { rotateRoutes } from './routes/rotate.ts';
import { rotationRoutes } from './routes/rotations.ts';
import { tagRoutes } from './routes/tags.ts';

export function allRoutes(deps: ApiDependencies): readonly Route[] {
  const document = route(
    {
      id: 'getDescription',
      method: 'GET',
      path: '/openapi.json',
      needs: 'reader',
      covers: 'each',
      summary: 'This description',
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.record(z.string(), z.unknown()) } },
      params: fields({}),
      query: fields({}),
    },
    async () => ok(openApiDocument(routes, deps.version)),
  );
  const routes: readonly Route[] = [
    ...healthRoutes(deps),
    document,
    ...meRoutes(deps),
    ...overviewRoutes(deps),
    ...listRoutes(deps),
    ...inspectRoutes(deps),
    ...planRoutes(deps),
    ...rotateRoutes(deps),
    ...manyRoutes(deps),
    ...rotationRoutes(deps),
    ...retireRoutes(deps),
    ...pauseRoutes(deps),
    ...adoptRoutes(deps),
    ...releaseRoutes(deps),
    ...onboardingRoutes(deps),
    ...tagRoutes(deps),
    ...rehearseRoutes(deps),
    ...acknowledgeRoutes(deps),
    ...approvalRoutes(deps),
    ...freezeRoutes(deps),
    ...alertRoutes(deps),
  ];
  return routes;
}
