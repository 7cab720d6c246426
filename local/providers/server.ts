/** What all stand-ins of providers share: an HTTP server on loopback that keeps a record, and can be told to fail in named ways. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly path: string;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON; text as it is. */
  readonly body?: unknown;
}

/**
 * Ways to fail. `before` happens instead of the effect, `after` once the effect has happened, so that the caller cannot know of it.
 * `cut`: the connection ends without an answer. `silent`: it stays open without one. `reply`: this is answered instead.
 */
export interface Fault {
  readonly when: 'before' | 'after';
  readonly how: 'cut' | 'silent' | Reply;
  /** Which requests it is for; all when absent. */
  readonly on?: (asked: Asked) => boolean;
  /** How many times; 1 when absent. */
  readonly times?: number;
}

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface StandInServer {
  readonly url: string;
  readonly port: number;
  /** Every request that was answered, in order. Paths with their query; bodies and headers are not kept. */
  readonly requests: readonly Recorded[];
  /** Adds a fault; faults are used up in the order in which they were added. */
  fail(fault: Fault): void;
  /** Ends connections that were left silent, and forgets faults. */
  heal(): void;
  close(): Promise<void>;
}

const bodyLimit = 1_000_000;

/** Listens on a free loopback port. `answer` is never called for a request with a fault that comes before. */
export async function startServer(answer: (asked: Asked) => Reply | Promise<Reply>): Promise<StandInServer> {
  const requests: Recorded[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(request);
    const fault = take(asked);
    if (fault?.when === 'before') return fail(fault, asked, response);
    const reply = await answer(asked);
    if (fault !== undefined) return fail(fault, asked, response);
    send(asked, reply, response);
  }

  function take(asked: Asked): Fault | undefined {
    const found = faults.find(({ fault, left }) => left > 0 && (fault.on?.(asked) ?? true));
    if (found !== undefined) found.left -= 1;
    return found?.fault;
  }

  function fail(fault: Fault, asked: Asked, response: ServerResponse): void {
    if (fault.how === 'cut') response.destroy();
    else if (fault.how !== 'silent') send(asked, fault.how, response);
  }

  function send(asked: Asked, reply: Reply, response: ServerResponse): void {
    requests.push({ method: asked.method, path: asked.path + asked.url.search, status: reply.status });
    const text = reply.body === undefined || typeof reply.body === 'string';
    response.writeHead(reply.status, { ...(text ? {} : { 'content-type': 'application/json' }), ...reply.headers });
    response.end(text ? reply.body : JSON.stringify(reply.body));
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the stand-in has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    fail: (fault) => faults.push({ fault, left: fault.times ?? 1 }),
    heal() {
      faults.length = 0;
      server.closeAllConnections();
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > bodyLimit) throw new Error('the request is too large');
    parts.push(bytes);
  }
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? '127.0.0.1'}`);
  return {
    method: request.method ?? 'GET',
    url,
    path: url.pathname,
    header: (name) => {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value[0] : value;
    },
    body: Buffer.concat(parts).toString('utf8'),
  };
}

/** Parsed JSON object, or undefined. */
export function readJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
