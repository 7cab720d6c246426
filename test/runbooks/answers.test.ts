/** What the runbooks make of answers that are no success: the same in each of them, on a server that answers by a script. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programFolders } from '../../local/programs.ts';
import { child, type Outcome } from '../cli/harness.ts';
import { root } from '../tidy/files.ts';

const id = 'a'.repeat(32);
const runbooks = {
  python: ['python3', join(root, 'runbooks/rotate_secret.py')],
  shell: ['sh', join(root, 'runbooks/rotate-secret.sh')],
} as const;
const words = ['contoso-kv/orders-db', 'a test'];

type Answer = (response: ServerResponse) => void;
const json =
  (status: number, body: unknown): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const cut: Answer = (response) => void response.destroy();
const gateway =
  (status: number): Answer =>
  (response) =>
    void response.writeHead(status).end('<html>not Keyturn</html>');
const problem = (status: number, code: string) =>
  json(status, { status, code, detail: 'why', hint: 'do it', page: 'docs/x.md' });

// Other parts of an answer have states of their own: none of them is the rotation's.
const rotation = (state: string, more = {}) => ({
  ...{ rotationId: id, state, to: 'b'.repeat(32) },
  attempts: [{ reason: 'overlap-running', state: 'skipped', steps: [{ state: 'failed' }] }],
  deliveries: [{ channel: 'ops', state: 'pending', code: 'channel-refused' }],
  ...more,
});
const begun = json(202, rotation('running'));
const failure = {
  code: 'admin-refused',
  message: 'the admin is refused',
  hint: 'store another',
  page: 'docs/errors/admin-refused.md',
};

/** Each answers one request; the last one all that follow. */
const cases: readonly (readonly [string, readonly Answer[], number, string])[] = [
  [
    'rotated, with a channel whose message is under way',
    [begun, json(200, rotation('rotated'))],
    0,
    'rotated to version bbbb',
  ],
  ['skipped', [begun, json(200, rotation('skipped'))], 6, 'overlap-running'],
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

interface Played {
  readonly url: string;
  readonly keys: readonly (string | undefined)[];
  close(): Promise<void>;
}

async function play(answers: readonly Answer[]): Promise<Played> {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (request.method === 'POST') keys.push(String(request.headers['idempotency-key']));
    const at = Math.min(count, answers.length - 1);
    count += 1;
    answers[at]?.(response);
  });
  let count = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    ...{ url: `http://127.0.0.1:${address.port}`, keys },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const env = (url: string) => ({ KEYTURN_URL: url, KEYTURN_KEY: 'k'.repeat(40) });

describe.each(Object.entries(runbooks))('the %s runbook', (_, [command, file]) => {
  it.concurrent.each(cases)('%s', { timeout: 60_000 }, async (_, answers, exit, said) => {
    const { url, keys, close } = await play(answers);
    const outcome = await child(command, [file, ...words], { env: env(url) });
    await close();
    expect(outcome, `${outcome.out}${outcome.err}`).toMatchObject({ exit });
    expect(outcome.out + outcome.err).toContain(said);
    expect(new Set(keys).size, 'keys of one request').toBe(1);
  });

  it('Ctrl-C ends it with 130, and it says that the rotation goes on', { timeout: 60_000 }, async () => {
    const { url, close } = await play([begun]);
    const started = spawn(command, [file, ...words], { env: { PATH: process.env['PATH'], ...env(url) } });
    let text = '';
    const exit = await new Promise<number | null>((resolve) => {
      const read = (chunk: Buffer): void => {
        text += chunk.toString();
        if (text.includes('running') && !started.killed) started.kill('SIGINT');
      };
      started.stdout.on('data', read);
      started.stderr.on('data', read);
      started.on('close', resolve);
    });
    await close();
    expect({ exit, text }).toMatchObject({ exit: 130, text: expect.stringContaining('goes on by itself') });
  });
});

/** The interpreter itself: what stands on the path may be a script that finds it. */
const python = (): string =>
  execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

describe('the shell runbook reads JSON', () => {
  /** A PATH without the parsers that are not named. */
  async function withParsers(names: readonly string[], url: string): Promise<Outcome> {
    const folder = await mkdtemp(join(tmpdir(), 'keyturn-parsers-'));
    await mkdir(join(folder, 'bin'));
    const tools = ['sh', 'curl', 'grep', 'sed', 'tr', 'tail', 'head', 'od', 'date', 'sleep', ...names];
    for (const name of tools) {
      const at =
        name === 'python3'
          ? python()
          : programFolders()
              .map((one) => join(one, name))
              .find(existsSync);
      if (at !== undefined) await symlink(at, join(folder, 'bin', name));
    }
    try {
      return await child('sh', [runbooks.shell[1], ...words], { env: { ...env(url), PATH: join(folder, 'bin') } });
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it.each(['jq', 'python3', 'perl'])('with %s alone', { timeout: 60_000 }, async (parser) => {
    const quoted = { ...failure, message: 'the "admin" is\nrefused \\ ü' };
    const { url, close } = await play([json(200, rotation('failed', { failure: quoted }))]);
    const outcome = await withParsers([parser], url);
    await close();
    expect(outcome).toMatchObject({ exit: 1 });
    expect(outcome.err).toContain('admin-refused: the "admin" is refused \\ ü Do: store another');
  });

  it('with none of them says what is missing, and asks for nothing', async () => {
    const { url, keys, close } = await play([begun]);
    const outcome = await withParsers([], url);
    await close();
    expect(outcome).toMatchObject({ exit: 2, err: expect.stringContaining('jq, python3 or perl') });
    expect(keys).toEqual([]);
  });
});
