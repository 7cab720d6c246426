/** The http server of one instance: which part of the host a request is for. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { FunctionKeys } from '../messages.ts';
import { answerAdmin } from './admin.ts';
import type { App } from './app.ts';
import { levelOf, permits } from './authorize.ts';
import { answerEventGrid } from './event-grid.ts';
import { type Answer, send } from './http-answer.ts';
import { answerHttp } from './http-trigger.ts';
import { findRoute } from './routes.ts';

/** Listens on a free port of the loopback. */
export async function serve(
  app: App,
  keys: FunctionKeys,
  homepage: boolean,
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    answer(request, app, keys, homepage).then(
      (given) => send(response, given),
      (error: unknown) => {
        // Whatever the host itself trips over is a 500 without a word; the reason goes to the log alone.
        app.log({
          level: 'error',
          category: 'system',
          message: `An unhandled host error has occurred.\n${String(error)}`,
        });
        if (response.headersSent) response.destroy();
        else send(response, { status: 500 });
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return { server, port: address.port };
}

async function answer(request: IncomingMessage, app: App, keys: FunctionKeys, homepage: boolean): Promise<Answer> {
  const protocol = request.headers['x-forwarded-proto'] ?? 'http';
  // Joined, not resolved: a path that begins with two slashes must not become a host.
  const url = new URL(`${String(protocol)}://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`);
  // A function whose route takes the root goes before the host's own page, whatever is said of that: seen at the real host.
  const taken = findRoute(app.routes, request.method ?? 'GET', '/') !== undefined;
  if (url.pathname === '/' && !taken) return root(homepage);
  if (/^\/admin(?:\/|$)/i.test(url.pathname)) return answerAdmin(request, url, app, keys);
  const extension = /^\/runtime\/webhooks\/([^/]+)/i.exec(url.pathname)?.[1];
  if (extension === undefined) return answerHttp(request, url, app, keys);
  if (extension.toLowerCase() !== 'eventgrid' || app.eventGrid.size === 0) return { status: 404 };
  if (!permits(levelOf(request, url.searchParams, keys), 'system')) return { status: 401 };
  return answerEventGrid(request, url.searchParams, app.eventGrid, app.invoker);
}

function root(homepage: boolean): Answer {
  if (!homepage) return { status: 204 };
  const body = '<!DOCTYPE html><title>Function app</title><p>Your function app is up and running.</p>';
  return { status: 200, headers: { 'content-type': 'text/html' }, body };
}
