/**
 * HTTP streaming: the request goes past the invocation to the server that the library runs in the worker, and its answer comes back the same
 * way, as it is written. Source: DefaultHttpProxyService of Azure/azure-functions-host, httpProxy.ts of Azure/azure-functions-nodejs-library.
 */
import { randomUUID } from 'node:crypto';
import { request as forward, type IncomingMessage } from 'node:http';
import { Server } from 'node:net';
import type { ProgrammingModel, TypedData } from './core-types.ts';
import type { Answer } from './http-answer.ts';
import type { Invoker } from './invoke.ts';

/** The address of the library's server; undefined where the app did not ask for streaming. */
export async function streamingAddress(model: ProgrammingModel | undefined): Promise<string | undefined> {
  const told: unknown = await onLoopback(async () => model?.getCapabilities?.({}));
  if (typeof told !== 'object' || told === null || !('HttpUri' in told)) return undefined;
  return typeof told.HttpUri === 'string' ? told.HttpUri : undefined;
}

/** The library listens on every interface, which a worker in Azure may; here other machines of the network could reach it. */
async function onLoopback<Result>(start: () => Promise<Result>): Promise<Result> {
  const original = Server.prototype.listen;
  Server.prototype.listen = new Proxy(original, {
    apply: (target, self, args: unknown[]) => {
      const [port, ...rest] = typeof args[0] === 'number' ? args : [0, ...args];
      return Reflect.apply(target, self, [port, '127.0.0.1', ...rest]);
    },
  });
  try {
    return await start();
  } finally {
    Server.prototype.listen = original;
  }
}

export interface StreamTarget {
  readonly address: string;
  readonly functionName: string;
  readonly metadata: Readonly<Record<string, TypedData>>;
}

/** Answers as soon as the function has begun to; 500 where it threw before. A function that returns nothing never answers. */
export async function streamHttp(
  request: IncomingMessage,
  url: URL,
  { address, functionName, metadata }: StreamTarget,
  invoker: Invoker,
): Promise<Answer> {
  const invocationId = randomUUID();
  const onward = forward(new URL(`${url.pathname}${url.search}`, address.replace('localhost', '127.0.0.1')), {
    method: request.method ?? 'GET',
    headers: {
      ...request.headers,
      'x-forwarded-host': url.host,
      'x-forwarded-proto': url.protocol.slice(0, -1),
      'x-ms-invocation-id': invocationId,
    },
  });
  const answered = new Promise<Answer>((resolve, reject) => {
    onward.once('response', (response) => resolve(answerOf(response)));
    // Nobody is there any more to be answered, where the request itself broke off.
    onward.on('error', (error) => (request.complete ? reject(error) : resolve({ status: 500 })));
  });
  request.pipe(onward);
  // Who goes away takes the rest of the body along; the function runs on.
  request.once('close', () => request.complete || onward.destroy());
  const outcome = invoker.run(functionName, {
    invocationId,
    data: { http: {} },
    metadata,
    reason: 'This function was programmatically called via the host APIs.',
  });
  // A function that has ended well has written its answer, which may still be on its way.
  const first = await Promise.race([
    answered,
    outcome.then(async (ended) => (ended.kind === 'failed' ? ended : answered)),
  ]);
  if (!('kind' in first)) return first;
  answered.catch(() => undefined);
  onward.destroy();
  return { status: 500 };
}

// What belongs to one connection is not passed on, and the id is the host's own.
const notPassedOn = new Set(['connection', 'keep-alive', 'transfer-encoding', 'x-ms-invocation-id']);

function answerOf(answered: IncomingMessage): Answer {
  const given = Object.entries(answered.headers).filter(([name]) => !notPassedOn.has(name));
  const headers = Object.fromEntries(given.map(([name, value]) => [name, value ?? '']));
  return { status: answered.statusCode ?? 500, headers, body: answered };
}
