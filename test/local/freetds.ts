/** FreeTDS's `tsql`, a client that shares no line with the driver of this project. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TsqlAsked {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  /** `require`: everything. `request`: the login at least. `off`: nothing. */
  readonly encryption: 'require' | 'request' | 'off';
  readonly tdsVersion?: '7.2' | '7.3' | '7.4';
  readonly batches: readonly string[];
}

export interface TsqlAnswer {
  readonly code: number | null;
  /** Rows and messages, as `tsql` writes them. */
  readonly text: string;
}

/** Runs the batches one after the other on one connection. */
export async function tsql(asked: TsqlAsked): Promise<TsqlAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'tsql-'));
  try {
    const settings = join(folder, 'freetds.conf');
    const { port, encryption, tdsVersion = '7.4' } = asked;
    await writeFile(
      settings,
      `[standin]\n  host = 127.0.0.1\n  port = ${port}\n  tds version = ${tdsVersion}\n  encryption = ${encryption}\n`,
    );
    const database = asked.database === undefined ? [] : ['-D', asked.database];
    const args = ['-S', 'standin', '-U', asked.user, '-P', asked.password, ...database];
    return await finished(args, settings, asked.batches.map((batch) => `${batch}\ngo\n`).join(''));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function finished(args: readonly string[], settings: string, input: string): Promise<TsqlAnswer> {
  const child = spawn('tsql', args, {
    env: { ...process.env, FREETDSCONF: settings, LC_ALL: 'C.UTF-8' },
    timeout: 20_000,
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => parts.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => parts.push(chunk));
  // It ends before it has read everything when its login is refused.
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${input}exit\n`);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text: Buffer.concat(parts).toString('utf8') }));
  });
}
