/** The lines that `npm start` prints are typed as they stand, in the folder where it was started. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWebhookReceiver, type WebhookReceiver } from '../../local/receivers/webhook.ts';
import { launcher } from '../cli/harness.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../local/start.ts', import.meta.url));
const anyPorts = ['port', 'vault-port', 'postgres-port', 'blob-port', 'queue-port', 'table-port'].flatMap((name) => [
  `--${name}`,
  '0',
]);

let folder: string;
let stack: ChildProcess;
let app: WebhookReceiver;
let said = '';

async function says(words: RegExp): Promise<void> {
  while (!words.test(said)) await once(stack.stdout ?? stack, 'data');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-start-'));
  await mkdir(join(folder, 'bin'));
  // As npx finds it in the project's folder.
  await writeFile(join(folder, 'bin', 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${launcher}' "$@"\n`);
  await chmod(join(folder, 'bin', 'npx'), 0o755);
  app = await startWebhookReceiver('');
  const options = [...anyPorts, '--set', 'KEYTURN_OVERLAP=PT20M', '--channel', `my-app=${app.url}`];
  stack = spawn(process.execPath, [program, ...options], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  stack.stdout?.setEncoding('utf8').on('data', (text) => (said += text));
  await says(/^ready$/m);
}, 120_000);

afterAll(async () => {
  stack.kill('SIGTERM');
  await once(stack, 'close');
  await app.close();
  await rm(folder, { recursive: true });
});

/** Types lines and gives what they print. */
async function typed(lines: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
  const { stdout } = await run('sh', ['-e', '-c', lines], { cwd: folder, env });
  return stdout;
}

/** The lines of the text below this heading. */
function below(heading: string): string {
  const [, after = ''] = said.split(`\n${heading}\n`);
  return `. .local/env.sh\n${after.slice(0, after.search(/\n(?! )/))}`;
}

it('list and rotate: the sample has a new version, and the old one lives as long as --set says', async () => {
  const out = await typed(below('In another terminal, in this folder'));
  expect(out).toContain('orders-db');
  expect(out).toMatch(/local\/orders-db rotated to version [0-9a-f]{32}/);
  expect(out).toContain('(in 20 min)');
});

it('the webhook of --channel takes the news, signed with the secret that was made for it', async () => {
  const [, vault = ''] = /VAULT='(.+)'/.exec(await readFile(join(folder, '.local', 'env.sh'), 'utf8')) ?? [];
  const headers = { authorization: 'Bearer any' };
  const answer = await fetch(`${vault}/secrets/my-app-signing?api-version=7.5`, { headers });
  app.secret = String(Reflect.get(Object(await answer.json()), 'value'));
  await typed('npx keyturn rotate reports-db --local --reason "news"');
  await says(/my-app took the signed message/);
  expect(app.received.map(({ data }) => data['secret'])).toContain('reports-db');
});

it('put: a secret of one’s own opts in and rotates', async () => {
  const out = await typed(below('Put a secret of your own, with the tag that opts it in'));
  expect(out).toMatch(/local\/my-key rotated to version [0-9a-f]{32}/);
});

it('move the clock: what is near its expiry is rotated, and times are told from the clock as it is then', async () => {
  await typed(below("Move the vault's clock by 61 days: what is near its expiry is rotated"));
  await says(/my-key +rotated: (.|\n)*my-key +rotated: /);
  const out = await typed('npx keyturn show my-key --local');
  expect(out).toMatch(/^expires .*\(in 90 d\)$/m);
  const list = await typed('npx keyturn list --local');
  expect(list).toMatch(/my-key +in 90 d +in 60 d/);
});

it('what it prints is for people: no JSON, trouble with its next step, and the files with keys are for one user', async () => {
  await says(/billing-db +failed: admin-refused/);
  expect(said.slice(said.search(/^ready$/m))).not.toMatch(/[{}]|"event"/);
  expect(said.replace(/\s+/g, ' ')).toContain('Next: Put a working connection into the admin secret of billing-db');
  for (const file of ['env.sh', 'azure.json'])
    expect((await stat(join(folder, '.local', file))).mode & 0o777, file).toBe(0o600);
});
