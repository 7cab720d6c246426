import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';

/**
 * The HTTP API and the receiver of alerts. Both let everybody in and leave it to the code to decide who may do what: the platform's own
 * keys know no roles, and its authentication would lock Event Grid out (docs/decisions/8-api-access.md).
 */
export function registerHttp(load: LoadApp): void {
  const handler = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    const { api } = await load();
    const { method, url, headers } = request;
    const answer = await (await api()).handle(
      {
        method,
        url,
        header: (name) => headers.get(name) ?? undefined,
        body: async () => new Uint8Array(await request.arrayBuffer()),
      },
      logTo(context),
    );
    const { status, body } = answer;
    return { status, headers: { ...answer.headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  };
  app.http('api', {
    authLevel: 'anonymous',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    route: 'v1/{*path}',
    handler,
  });
  // A function of its own, so that an action group of Azure Monitor finds it by name.
  app.http('onAlert', { authLevel: 'anonymous', methods: ['POST'], route: 'v1/alerts', handler });
}
