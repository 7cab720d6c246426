import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { startPostgres } from '../../local/postgres.ts';

async function serverVersion(url: string, ca?: string): Promise<string> {
  const client = new Client({ connectionString: url, ssl: ca === undefined ? false : { ca } });
  await client.connect();
  try {
    return String((await client.query('SHOW server_version')).rows[0].server_version);
  } finally {
    await client.end();
  }
}

test('a server takes its admin, logs every statement, and refuses connections after close', async () => {
  const server = await startPostgres();
  expect(await serverVersion(server.adminUrl)).toMatch(/^\d+/);
  expect(server.log()).toContain('SHOW server_version');
  await server.close();
  await expect(serverVersion(server.adminUrl)).rejects.toThrow(/ECONNREFUSED/);
});

test('a TLS server is trusted through its authority only, and takes no plain connection', async () => {
  const server = await startPostgres({ tls: true });
  try {
    expect(await serverVersion(server.adminUrl, server.caPem)).toMatch(/^\d+/);
    await expect(serverVersion(`${server.adminUrl}?sslmode=verify-full`)).rejects.toThrow(/certificate/);
    await expect(serverVersion(server.adminUrl)).rejects.toThrow(/no pg_hba.conf entry/);
  } finally {
    await server.close();
  }
});

test('a server ends with the process that started it, even when that is killed', async () => {
  const module = new URL('../../local/postgres.ts', import.meta.url);
  const program = `
    const { startPostgres } = await import(${JSON.stringify(module.href)});
    console.log((await startPostgres()).port);
    setInterval(() => undefined, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line]: unknown[] = await once(owner.stdout, 'data');
  const port = Number(String(line));
  expect(await listens(port)).toBe(true);
  owner.kill('SIGKILL');
  await expect.poll(() => listens(port), { timeout: 10_000, interval: 50 }).toBe(false);
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
