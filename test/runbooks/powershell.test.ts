/** The PowerShell runbook, run by the real PowerShell: by Pester for its answers, and as a process for what only a process has. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { localApiKeys } from '../../local/api-keys.ts';
import { needPowerShell, powershellEnvironment } from '../../local/powershell/index.ts';
import { findSecrets } from '../canary.ts';
import { child, type Outcome } from '../cli/harness.ts';
import { startStage } from '../paths/stage.ts';
import { root } from '../tidy/files.ts';
import { begun, cases, failure, json, type Played, play, rotation, settings, words } from './cases.ts';

const { command, pester } = needPowerShell();
const [program, ...first] = command;
const runbook = join(root, 'runbooks/Rotate-Secret.ps1');
const quiet = ['-NoLogo', '-NoProfile', '-NonInteractive'];
const token = 'canaryToken.of-the.identity';

let folder: string;
const played: Played[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-powershell-'));
});
afterAll(async () => {
  await Promise.all(played.map(({ close }) => close()));
  await rm(folder, { recursive: true });
});

async function serve(answers: Parameters<typeof play>[0]): Promise<Played> {
  const one = await play(answers);
  played.push(one);
  return one;
}

function start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  // PowerShell keeps what it compiled in the account's folders.
  return child(program, [...first, ...quiet, ...args], { env: { ...powershellEnvironment, HOME: folder, ...env } });
}

/** An endpoint as Azure Automation has it, and an API that lets nobody in but who presents what it gave. */
async function identity(): Promise<{ readonly endpoint: string; readonly api: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const asked = new URL(request.url ?? '', 'http://localhost');
    const isRight =
      asked.pathname === '/token'
        ? request.headers['x-identity-header'] === 'header-of-the-platform' &&
          request.headers['metadata'] === 'true' &&
          asked.searchParams.get('resource') === 'api://keyturn' &&
          asked.searchParams.get('client_id') === 'me'
        : request.headers['authorization'] === `Bearer ${token}`;
    response.writeHead(isRight ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(asked.pathname === '/token' ? { access_token: token } : rotation('rotated')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    ...{ endpoint: `${url}/token`, api: url },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

describe('the PowerShell runbook', () => {
  it('keeps to every claim of Rotate-Secret.Tests.ps1, and to the same cases as the other runbooks', {
    timeout: 240_000,
  }, async () => {
    const served = await Promise.all(
      cases.map(async ([name, answers, exit, said]) => ({ name, exit, said, ...(await serve(answers)) })),
    );
    const platform = await identity();
    const given = {
      cases: served.map(({ name, exit, said, url }) => ({ name, exit, said, url })),
      running: (await serve([begun])).url,
      rotated: (await serve([json(200, rotation('rotated'))])).url,
      failed: (await serve([json(200, rotation('failed', { failure }))])).url,
      ...{ byToken: platform.api, identity: platform.endpoint, token },
    };
    const file = join(folder, 'cases.json');
    const report = join(folder, 'report.json');
    await writeFile(file, JSON.stringify(given));
    const script = [
      `Import-Module '${pester}'`,
      `$result = Invoke-Pester -Path '${join(root, 'test/runbooks/Rotate-Secret.Tests.ps1')}' -PassThru -Output Detailed`,
      `@{ total = $result.TotalCount; passed = $result.PassedCount } | ConvertTo-Json | Set-Content '${report}'`,
    ];
    const { out, err } = await start(['-Command', script.join('; ')], { KEYTURN_CASES: file });
    await platform.close();
    const counted = z
      .object({ total: z.number(), passed: z.number() })
      .parse(JSON.parse(await readFile(report, 'utf8')));
    expect(counted.passed, out + err).toBe(counted.total);
    expect(counted.total, 'the cases, and claims besides').toBeGreaterThan(cases.length + 15);
    for (const { name, keys } of served) expect(new Set(keys).size, `keys of one request: ${name}`).toBe(1);
  });

  it('gives the process its exit code, and standard error the next step', { timeout: 60_000 }, async () => {
    const { url, bodies } = await serve([json(200, rotation('failed', { failure }))]);
    const outcome = await start(
      ['-File', runbook, words[0] ?? '', 'a "quoted" \\reason\\ of\nalert 7 ü'],
      settings(url),
    );
    expect(outcome).toMatchObject({ exit: 1, err: expect.stringContaining('Do: store another See docs/errors/') });
    expect(JSON.parse(bodies[0] ?? '')).toEqual({ reason: 'a "quoted" \\reason\\ of alert 7 ü' });
  });

  it('ends with 130 on Ctrl-C, and says that the rotation goes on', { timeout: 60_000 }, async () => {
    const { url } = await serve([begun]);
    const env = { PATH: process.env['PATH'], HOME: folder, ...powershellEnvironment, ...settings(url) };
    const started = spawn(program, [...first, ...quiet, '-File', runbook, ...words], { env });
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
    expect({ exit, text }).toMatchObject({ exit: 130, text: expect.stringContaining('goes on by itself') });
  });

  it('rotates a secret of the built app, and says while the overlap runs what to do', {
    timeout: 180_000,
  }, async () => {
    const stage = await startStage();
    try {
      await stage.plant('book-powershell', { days: 90, tags: { overlap: 'P1D' } });
      const env = { KEYTURN_URL: stage.azure.host.url, KEYTURN_KEY: localApiKeys.operator };
      const run = () => start(['-File', runbook, 'local/book-powershell', 'a test'], env);
      const first = await run();
      expect(first).toMatchObject({ exit: 0, err: '' });
      expect(first.out).toContain(`rotated to version ${stage.newest('book-powershell').id}`);
      await stage.expectCurrentLogsIn('book-powershell');
      const second = await run();
      expect(second).toMatchObject({ exit: 6, err: expect.stringContaining('skipped: overlap-running') });
      expect(second.err).toContain('"keyturn retire book-powershell"');
      expect(findSecrets([first, second], [...Object.values(localApiKeys), ...stage.canaries()])).toEqual([]);
    } finally {
      await stage.close();
    }
  });
});
