import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import type { Body } from '../shared/api/read-body.ts';
import { logTo } from '../shared/telemetry.ts';
import type { LoadApp } from './load-app.ts';

/** Between the platform's requests and the HTTP API's. */
export function httpHandler(
  load: LoadApp,
): (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit> {
  return async (request, context) => {
    const [{ api }, { httpAnswer }] = await Promise.all([load(), import('./http-answer.ts')]);
    const { method, url, headers } = request;
    const answer = await (await api()).handle(
      {
        method,
        url,
        header: (name) => headers.get(name) ?? undefined,
        body: (longest) => bodyOf(request, longest),
      },
      logTo(context),
    );
    return httpAnswer(answer, method, headers.get('if-none-match') ?? '');
  };
}

/**
 * Reads to the end and keeps no more than was asked for: an answer to a request that is still being sent may be lost with its connection.
 */
async function bodyOf({ body }: HttpRequest, longest: number): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length <= longest) chunks.push(chunk);
  }
  return length <= longest ? { kind: 'bytes', bytes: Buffer.concat(chunks) } : { kind: 'too-large' };
}
