import { authenticator } from '../shared/api/auth/authenticate.ts';
import { tokenChecker } from '../shared/api/auth/token.ts';
import type { ApiDependencies } from '../shared/api/dependencies.ts';
import { allRoutes } from '../shared/api/routes.ts';
import { type Api, makeApi } from '../shared/api/serve.ts';
import type { Settings } from '../shared/config/settings.ts';

/** The HTTP API over an app. Opens no connection; the tenant's keys are fetched when the first token comes. */
export function composeApi(app: ApiDependencies, { access, cloud, docsUrl }: Settings): Api {
  const { tenant } = access;
  const checkToken =
    tenant === undefined
      ? undefined
      : tokenChecker({ login: cloud.login, tenant: tenant.id, audiences: tenant.audiences, known: access });
  return makeApi(allRoutes(app), authenticator(access, checkToken), docsUrl);
}
