/** What the API may answer to a runbook, and what each of the runbooks is to make of it. */
import { createServer, type ServerResponse } from 'node:http';

/** What all of them are started with. */
export const words: readonly string[] = ['contoso-kv/orders-db', 'a test'];

export type Answer = (response: ServerResponse) => void;
export const json =
  (status: number, body: unknown): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const cut: Answer = (response) => void response.destroy();
const gateway =
  (status: number): Answer =>
  (response) =>
    void response.writeHead(status).end('<html>not Keyturn</html>');
const problem =
  (status: number, code: string): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ status, code, detail: 'why', hint: 'do it', page: 'docs/x.md' }));
  };

// Other parts of an answer have states of their own: none of them is the rotation's.
export const rotation = (state: string, more = {}) => ({
  ...{ rotationId: 'a'.repeat(32), state, to: 'b'.repeat(32) },
  attempts: [{ reason: 'a test', state: 'skipped', steps: [{ state: 'failed' }] }],
  deliveries: [{ channel: 'ops', state: 'pending', code: 'channel-refused' }],
  ...more,
});
export const begun = json(202, rotation('running'));
export const failure = {
  code: 'admin-refused',
  message: 'the admin is refused',
  hint: 'store another',
  page: 'docs/errors/admin-refused.md',
};

/** A name, answers of which each serves one request and the last one all that follow, the exit code, and what is said. */
export type Case = readonly [name: string, answers: readonly Answer[], exit: number, said: string];

export const cases: readonly Case[] = [
  [
    'rotated, with a channel whose message is under way',
    [begun, json(200, rotation('rotated'))],
    0,
    'rotated to version bbbb',
  ],
  [
    'skipped',
    [begun, json(200, rotation('skipped', { detail: 'overlap-running: until noon', hint: 'Wait until then.' }))],
    6,
    'skipped: overlap-running: until noon; nothing was changed. Do: Wait until then.',
  ],
  [
    'tried again, with the cause and the time',
    [
      begun,
      json(200, rotation('retrying', { failure, nextTryAt: '2026-03-01T03:00:00Z' })),
      json(200, rotation('rotated')),
    ],
    0,
    'retrying: admin-refused: the admin is refused; next try at 2026-03-01T03:00:00Z',
  ],
  [
    'failed',
    [begun, json(200, rotation('failed', { failure }))],
    1,
    'admin-refused: the admin is refused Do: store another',
  ],
  ['a gateway that answers 502 once', [gateway(502), json(200, rotation('rotated'))], 0, 'rotated'],
  ['a gateway that always answers 503', [gateway(503)], 7, 'not as Keyturn does'],
  ['500 of the app itself', [gateway(500)], 7, 'not as Keyturn does'],
  ['401', [problem(401, 'credential-refused')], 4, 'credential-refused'],
  ['401 while it waits', [begun, problem(401, 'credential-refused')], 4, 'credential-refused'],
  ['404', [problem(404, 'secret-missing')], 3, 'secret-missing'],
  ['409, the request is being taken in', [problem(409, 'key-in-work'), json(200, rotation('rotated'))], 0, 'rotated'],
  ['409 all the time', [problem(409, 'key-in-work')], 6, 'key-in-work'],
  ['409 of another request', [problem(409, 'key-used')], 1, 'key-used'],
  ['a connection that is cut before the answer, once', [cut, json(200, rotation('rotated'))], 0, 'rotated'],
  ['a connection that is always cut', [cut], 7, 'gave no answer'],
  ['a connection that is cut while it waits', [begun, cut, gateway(504), json(200, rotation('rotated'))], 0, 'rotated'],
  [
    'a redirect',
    [(response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
    7,
    'status 302',
  ],
  ['an answer that is no rotation', [json(200, { state: 'rotated' })], 7, 'not as Keyturn does'],
];

export interface Played {
  readonly url: string;
  /** The idempotency keys of the requests that asked for something. */
  readonly keys: readonly (string | undefined)[];
  /** Bodies of those requests. */
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

/** Serves the answers on loopback. */
export async function play(answers: readonly Answer[]): Promise<Played> {
  const keys: (string | undefined)[] = [];
  const bodies: string[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    const at = Math.min(count, answers.length - 1);
    count += 1;
    request.on('end', () => {
      if (request.method === 'POST') {
        keys.push(String(request.headers['idempotency-key']));
        bodies.push(body);
      }
      answers[at]?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    ...{ url: `http://127.0.0.1:${address.port}`, keys, bodies },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export const settings = (url: string) => ({ KEYTURN_URL: url, KEYTURN_KEY: 'k'.repeat(40) });
