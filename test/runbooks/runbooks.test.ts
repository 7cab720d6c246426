/** The runbooks, as Azure Automation and cron run them, against the built app in a local Azure. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import { findSecrets } from '../canary.ts';
import { child, type Outcome } from '../cli/harness.ts';
import { type Stage, startStage } from '../paths/stage.ts';
import { root } from '../tidy/files.ts';

const python = join(root, 'runbooks/rotate_secret.py');
const shell = join(root, 'runbooks/rotate-secret.sh');
const printed: Outcome[] = [];
const far = { days: 90, tags: { overlap: 'P1D' } };

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

type Env = Readonly<Record<string, string>>;

const runbooks = [
  ['python', (words: readonly string[], env: Env) => child('python3', [python, ...words], { env })],
  ['shell', (words: readonly string[], env: Env) => child('sh', [shell, ...words], { env })],
] as const;

describe.each(runbooks)('the %s runbook', (language, start) => {
  const run = async (words: readonly string[], env: Env = {}): Promise<Outcome> => {
    const outcome = await start(words, {
      KEYTURN_URL: stage.azure.host.url,
      KEYTURN_KEY: localApiKeys.operator,
      ...env,
    });
    printed.push(outcome);
    return outcome;
  };

  it('rotates, waits, says the version and exits with 0', async () => {
    const name = `book-${language}`;
    await stage.plant(name, far);
    const { exit, out, err } = await run([`local/${name}`, 'a "quoted" \\reason\\ of\nalert 7']);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toContain(`local/${name} rotated to version ${stage.newest(name).id}`);
    expect(stage.vault.versions(name)).toHaveLength(2);
    await stage.expectCurrentLogsIn(name);
  });

  it('exits with 6 while the overlap runs', async () => {
    const { exit, err } = await run([`local/book-${language}`, 'again']);
    expect({ exit, err }).toMatchObject({ exit: 6, err: expect.stringContaining('skipped: overlap-running') });
    expect(err).toContain(`Do: Wait until then, or run "keyturn retire book-${language}"`);
    expect(stage.vault.versions(`book-${language}`)).toHaveLength(2);
  });

  it('exits with 1 and says code, hint and page when the rotation fails', async () => {
    stage.vault.put('book-no-admin', {
      value: stage.url('rotation_admin', stage.secret('wrong')),
      tags: { serves: 'book-*' },
    });
    const name = `book-broken-${language}`;
    const planted = await stage.plant(name, { ...far, tags: { ...far.tags, admin: 'book-no-admin' } });
    const { exit, err } = await run([`local/${name}`, 'a test']);
    expect(exit).toBe(1);
    expect(err).toMatch(/admin-refused: .*Do: Put a working connection.*See docs\/errors\/admin-refused\.md/);
    await stage.expectUntouched(planted);
  });

  it('exits with 5 when it is not over in time, and the rotation goes on', async () => {
    const name = `book-slow-${language}`;
    await stage.plant(name, far);
    stage.database.cut();
    const { exit, err } = await run([`local/${name}`, 'a test'], { KEYTURN_TIMEOUT: '1' });
    stage.database.mend();
    expect({ exit, err }).toMatchObject({ exit: 5, err: expect.stringContaining('goes on by itself') });
    await stage.said('rotated', name);
    expect(stage.vault.versions(name)).toHaveLength(2);
  });

  it('exits with 4 when it is denied: a wrong key, and a role that is missing', async () => {
    const name = `book-denied-${language}`;
    const planted = await stage.plant(name, far);
    const wrong = await run([`local/${name}`, 'a test'], { KEYTURN_KEY: 'canary'.repeat(8) });
    expect(wrong).toMatchObject({ exit: 4, err: expect.stringContaining('credential-refused') });
    expect((await run([`local/${name}`, 'a test', 'emergency'])).exit).toBe(4);
    await stage.expectUntouched(planted);
  });

  it('exits with 3 for what does not exist', async () => {
    expect(await run(['local/nothing-of-that-name', 'a test'])).toMatchObject({ exit: 3, out: '' });
  });

  it('exits with 7 when nobody answers', async () => {
    const { exit, err } = await run(['local/x', 'a test'], { KEYTURN_URL: 'http://127.0.0.1:9' });
    expect({ exit, err }).toMatchObject({ exit: 7, err: expect.stringContaining('app-down.md') });
  });

  it.each([
    ['no reason', ['local/x']],
    ['a name that is none', ['../freeze', 'r']],
    ['an action that is none', ['local/x', 'r', 'destroy']],
  ])('refuses %s with 2', async (_, words) => {
    expect(await run(words)).toMatchObject({ exit: 2, out: '' });
  });

  it.each([
    ['another machine without TLS', { KEYTURN_URL: 'http://keyturn.example' }],
    ['a host that only begins like this machine', { KEYTURN_URL: 'http://127.0.0.1.keyturn.example' }],
    ['no address', { KEYTURN_URL: '' }],
    ['nobody who calls', { KEYTURN_KEY: '' }],
    ['a timeout that is no number', { KEYTURN_TIMEOUT: 'soon' }],
  ])('refuses %s with 2', async (_, env) => {
    expect(await run(['local/x', 'r'], env)).toMatchObject({ exit: 2, out: '' });
  });
});

describe('the python runbook with a managed identity', () => {
  let endpoint: Server;
  let url: string;
  const asked: { readonly url: string; readonly header: unknown }[] = [];

  beforeAll(async () => {
    endpoint = createServer((request, response) => {
      asked.push({ url: request.url ?? '', header: request.headers['x-identity-header'] });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: 'canaryToken.of-the.identity', expires_in: '3600' }));
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const address = endpoint.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    url = `http://127.0.0.1:${address.port}/oauth2/token`;
  });
  afterAll(() => new Promise((resolve) => endpoint.close(resolve)));

  it('asks the endpoint of the platform for a token of the audience, and presents it', async () => {
    const env = {
      ...{ KEYTURN_URL: stage.azure.host.url, KEYTURN_AUDIENCE: 'api://keyturn', KEYTURN_CLIENT_ID: 'me' },
      ...{ IDENTITY_ENDPOINT: url, IDENTITY_HEADER: 'header-of-the-platform' },
    };
    const outcome = await child('python3', [python, 'local/book-python', 'a test'], { env });
    printed.push(outcome);
    // The local stack has no tenant, so it refuses every token: that it says so shows that the token was presented.
    expect(outcome).toMatchObject({ exit: 4, err: expect.stringContaining('credential-refused') });
    expect(asked).toHaveLength(1);
    expect(new URL(asked[0]?.url ?? '', url).searchParams.get('resource')).toBe('api://keyturn');
    expect(asked[0]).toMatchObject({ url: expect.stringContaining('client_id=me'), header: 'header-of-the-platform' });
  });

  it('exits with 4 when the identity gives no token', async () => {
    const env = {
      ...{ KEYTURN_URL: stage.azure.host.url, KEYTURN_AUDIENCE: 'api://keyturn' },
      ...{ IDENTITY_ENDPOINT: 'http://127.0.0.1:9/token', IDENTITY_HEADER: 'x' },
    };
    const outcome = await child('python3', [python, 'local/book-python', 'a test'], { env });
    expect(outcome).toMatchObject({ exit: 4, err: expect.stringContaining('managed identity') });
  });
});

it('no key, token or secret value was printed', () => {
  expect(printed.length).toBeGreaterThan(20);
  const secrets = [
    ...Object.values(localApiKeys),
    'canary'.repeat(8),
    'canaryToken.of-the.identity',
    ...stage.canaries(),
  ];
  expect(findSecrets(printed, secrets)).toEqual([]);
});
