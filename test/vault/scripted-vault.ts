/** A server that says what a test tells it to say: for faults on the wire, and for counting what was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly token: string | undefined;
}

export type Answer = (response: ServerResponse, seen: Seen) => void;

export interface ScriptedVault extends AsyncDisposable {
  readonly url: string;
  /** Requests that carried a token, in order. */
  readonly seen: Seen[];
  /** Answers for the requests with a token, in order; the last one stays. */
  answer(...answers: Answer[]): void;
}

export const challenge = 'Bearer authorization="https://login.windows.net/tenant", resource="https://vault.azure.net"';
export const serverDate = new Date('2026-03-01T12:00:00Z');

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', date: serverDate.toUTCString(), ...headers });
    response.end(JSON.stringify(body));
  };
}

export function fault(status: number, code: string, message: string, inner?: string): Answer {
  return json(status, { error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } });
}

/** The connection ends without an answer, after the whole request was received. */
export const cut: Answer = (response) => response.destroy();

export const silent: Answer = () => undefined;

export function bundle(url: string, name: string, version: string, more: Record<string, unknown> = {}): object {
  return {
    id: `${url}/secrets/${name}/${version}`,
    attributes: { enabled: true, created: 1_700_000_000, updated: 1_700_000_001, ...Object(more['attributes']) },
    tags: {},
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'attributes')),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

export async function startScriptedVault(): Promise<ScriptedVault> {
  const seen: Seen[] = [];
  let answers: Answer[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const token = request.headers.authorization;
      const one = { method: request.method ?? '', path: request.url ?? '', body, token };
      if (token === undefined) {
        response.writeHead(401, { 'www-authenticate': challenge, date: serverDate.toUTCString() }).end('{}');
        return;
      }
      seen.push(one);
      const next = answers.length > 1 ? answers.shift() : answers[0];
      if (next === undefined) throw new Error('the script has no answer');
      next(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    answer: (...next) => {
      answers = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
