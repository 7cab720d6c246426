import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';

/** Between the platform's requests and the HTTP API's. */
export function httpHandler(
  load: LoadApp,
): (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit> {
  return async (request, context) => {
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
}
