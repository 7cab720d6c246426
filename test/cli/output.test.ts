/** Answers in the forms that az has: tables, JSON, tab-separated text, and parts of them by JMESPath. */
import { createServer, type Server } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { yamlLines } from '../../cli/output-yaml.ts';
import { keyturn, type Seat } from './harness.ts';

const more = { enabled: true, createdAt: '2026-01-01T00:00:00Z', tags: { team: 'shop' } };
const orders = { vault: 'v', secret: 'orders-db', state: 'due', detail: 'a\tb\u001b[2J\nc', ...more };
const billing = { vault: 'v', secret: 'billing-db', state: 'healthy', detail: '', hints: ['x', 'y'], ...more };
const inspected = { ...orders, version: '1', warnings: [], versions: [] };
const missing = { status: 404, code: 'secret-missing', detail: 'no such secret', hint: 'Look at the name.' };

let server: Server;
let requests: string[] = [];
let seat: Seat;
let refusesListing = false;

beforeAll(async () => {
  server = createServer(({ method, url = '' }, response) => {
    requests.push(`${method} ${url}`);
    const listing = url.startsWith('/api/v1/secrets');
    const found = url.endsWith('/orders-db');
    const endless = url.includes('vault=endless') ? { next: 'more' } : {};
    const [status, body] = listing
      ? refusesListing
        ? [403, { code: 'role-missing', detail: 'no', hint: 'no' }]
        : [200, { secrets: [orders, billing], warnings: [], ...endless }]
      : found
        ? [200, inspected]
        : [404, missing];
    response.writeHead(Number(status), { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  seat = { env: { KEYTURN_URL: `http://127.0.0.1:${address.port}`, KEYTURN_KEY: 'k' } };
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function asked(...words: readonly string[]) {
  requests = [];
  return keyturn(words, seat);
}

describe('the form of an answer', () => {
  it('-o json, -ojson, --output=json and --json print the same, the whole answer', async () => {
    const { out } = await asked('list', '--json');
    expect(JSON.parse(out)).toEqual({ secrets: [orders, billing], warnings: [] });
    for (const words of [['-o', 'json'], ['-ojson'], ['--output=json'], ['--output', 'json']])
      expect(await asked('list', ...words)).toMatchObject({ exit: 0, out });
  });

  it('-o table is the text for people', async () => {
    expect((await asked('list', '-o', 'table')).out).toBe((await asked('list')).out);
  });

  it('-o tsv gives each secret a line and each field a column, also where a secret lacks it', async () => {
    const lines = (await asked('list', '-o', 'tsv')).out.split('\n').map((line) => line.split('\t'));
    expect(lines).toEqual([
      ['v', 'orders-db', 'due', String.raw`a\tb\u001b[2J\nc`, 'true', '2026-01-01T00:00:00Z', '', ''],
      ['v', 'billing-db', 'healthy', '', 'true', '2026-01-01T00:00:00Z', '', '2'],
    ]);
  });

  it('-o yaml is read by a YAML parser as the same answer', async () => {
    const { exit, out } = await asked('list', '-o', 'yaml');
    expect(exit).toBe(0);
    expect(parse(out)).toEqual({ secrets: [orders, billing], warnings: [] });
    expect(out.split('\n').slice(0, 3)).toEqual(['secrets:', '  - vault: v', '    secret: orders-db']);
    expect(out).not.toContain('\u001b');
  });

  it('whatever JSON holds, -o yaml holds, for readers of YAML 1.1 and 1.2', () => {
    const awkward = [
      'yes',
      'No',
      '~',
      '0x1f',
      '1e3',
      '2026-01-01',
      '- a',
      'a: b',
      '#',
      ' x',
      'x ',
      '',
      'ä\u2028',
      '\u009b2J',
    ];
    const json = fc.jsonValue({ stringUnit: 'binary' });
    fc.assert(
      fc.property(
        fc.oneof(json, fc.constantFrom(...awkward), fc.dictionary(fc.constantFrom(...awkward), json)),
        (value) => {
          const text = yamlLines(JSON.parse(JSON.stringify(value))).join('\n');
          for (const version of ['1.1', '1.2'] as const)
            expect(parse(text, { version })).toEqual(JSON.parse(JSON.stringify(value)));
        },
      ),
    );
  });

  it.each([
    [['--query', 'secrets[].secret', '-o', 'tsv'], 'orders-db\nbilling-db'],
    [['--query', 'secrets[].[secret, state]', '-o', 'tsv'], 'orders-db\tdue\nbilling-db\thealthy'],
    [['--query', 'length(secrets)', '-o', 'tsv'], '2'],
    [['--query', 'length(secrets)'], '2'],
    [['--query', "secrets[?state=='due'].tags.team | [0]"], '"shop"'],
    [['--query', 'secrets[9].secret', '-o', 'tsv'], ''],
    [['--query', 'secrets[9].secret'], 'null'],
    [
      ['--query', 'secrets[].{name: secret, state: state}', '-o', 'table'],
      'NAME        STATE\norders-db   due\nbilling-db  healthy',
    ],
  ])('list %j', async (words, out) => {
    expect(await asked('list', ...words)).toMatchObject({ exit: 0, out });
  });

  it('a query asks for one value of one secret', async () => {
    expect((await asked('get', 'v/orders-db', '--query', 'state', '-o', 'tsv')).out).toBe('due');
  });

  it.each([
    [['-o', 'xml'], 'table, json, yaml, tsv'],
    [['--json', '-o', 'tsv'], 'contradict'],
    [['--query', 'secrets['], 'no JMESPath expression'],
    [['--query', '"secrets'], 'no JMESPath expression'],
    [['--query', 'name()'], 'no JMESPath expression'],
  ])('%j is refused with 2, and nothing was asked for', async (words, says) => {
    const outcome = await asked('rotate', 'v/orders-db', '-r', 'x', ...words);
    expect(outcome).toMatchObject({ exit: 2, out: '' });
    expect(outcome.err).toContain(says);
    expect(requests).toEqual([]);
  });

  it('a query that does not fit the answer ends with 1 and says that the command is done', async () => {
    const outcome = await asked('list', '--query', 'abs(secrets)');
    expect(outcome).toMatchObject({ exit: 1, out: '' });
    expect(outcome.err).toContain('query-unfit');
    expect(outcome.err).toContain('is done');
  });

  it.each([['--json'], ['-ojson'], ['--output=json']])('%s makes errors JSON too', async (word) => {
    const { err } = await asked('show', 'v/nothing-like-it', word);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'secret-missing' } });
  });
});

describe('other names', () => {
  it.each([
    ['ls', 'list', []],
    ['get', 'show', ['v/orders-db']],
  ])('%s does what %s does, and has its help', async (alias, name, args) => {
    expect(await asked(alias, ...args)).toEqual(await asked(name, ...args));
    expect(await asked(alias, '--help')).toEqual(await asked(name, '--help'));
    expect((await asked('help')).out).toContain(`  ${name}, ${alias}`);
    expect((await asked('completion', 'bash')).out).toContain(` ${alias} `);
  });

  it('help names --version', async () => {
    expect((await asked('help')).out).toMatch(/^ {2}--version +the version/m);
  });
});

describe('the name of a secret that is not there', () => {
  it('is answered with the one that was probably meant, after one reading of the list', async () => {
    const outcome = await asked('show', 'v/oders-db');
    expect(outcome).toMatchObject({ exit: 3, err: expect.stringContaining('Did you mean "orders-db"? Look at') });
    expect(requests).toEqual(['GET /api/v1/vaults/v/secrets/oders-db', 'GET /api/v1/secrets?vault=v']);
  });

  it('is answered as before where nothing is near', async () => {
    expect((await asked('show', 'v/nothing-like-it')).err).not.toContain('Did you mean');
  });

  it('is answered as before where the caller may not list', async () => {
    refusesListing = true;
    const outcome = await asked('show', 'v/oders-db');
    refusesListing = false;
    expect(outcome).toMatchObject({ exit: 3, err: expect.stringContaining('secret-missing') });
    expect(outcome.err).not.toMatch(/Did you mean|role-missing/);
  });

  it('several of them read the list of their vault once, and no more than four pages', async () => {
    await asked('rotate', 'endless/oders-db', 'endless/biling-db', '-r', 'x');
    expect(requests.filter((one) => one.startsWith('GET /api/v1/secrets'))).toHaveLength(4);
  });

  it('that is there costs no reading of the list', async () => {
    await asked('show', 'v/orders-db');
    expect(requests).toHaveLength(1);
  });
});
