/** The demo as a newcomer runs it, on a machine with npm and no server, in a terminal of 80 columns. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HiddenPrograms, withoutPrograms } from './hidden-programs.ts';

const program = fileURLToPath(new URL('../../local/demo/main.ts', import.meta.url));

let machine: HiddenPrograms;
let code: number | null = null;
let said = '';
beforeAll(async () => {
  machine = await withoutPrograms(['mariadbd', 'redis-server']);
  const env = { ...process.env, PATH: machine.path, NO_COLOR: '1' };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  [code] = await once(child, 'close');
}, 120_000);
afterAll(() => machine.close());

describe('the demo on a machine without servers', () => {
  it('keeps its promises', () => {
    expect({ code, said }).toMatchObject({ code: 0 });
  });

  it('says what it is about before anything is started, and what it starts while it does', () => {
    const lines = said.split('\n');
    expect(lines[0]).toMatch(/^Keyturn: secrets come near their expiry/);
    const ready = lines.flatMap((line) => / s {2}(.+): ready$/.exec(line)?.[1] ?? []);
    expect(ready).toEqual(expect.arrayContaining(['Postgres', 'vault (emulator)', 'stand-in for SQL Server']));
    expect(ready.at(-1)).toBe('functions host with Keyturn in it');
  });

  it('fits 80 columns', () => {
    expect(said.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('names what it leaves out, at the start and at the end, with the command that brings it', () => {
    const command = 'apt-get install mariadb-client-core mariadb-server-core redis-server';
    const flat = said.replace(/\s+/g, ' ');
    const names = 'shop-db (no mariadbd), cache (no redis-server), cache-cluster (no redis-server)';
    expect(flat).toContain(`left out, as this machine lacks their servers: ${names}. To see them: ${command}`);
    expect(flat).toContain(
      `Every promise was kept for the 9 of 12 secrets that this machine can show. Not shown: ${names}. To see them too: ${command}`,
    );
    expect(said).not.toContain('Every promise was kept.');
  });

  it('explains calls that failed, and failures that belong to it', () => {
    const failed = Number(/^reports-db .* (\d+)$/m.exec(said)?.[1]);
    expect(/^Why \d+ calls? of reports-db failed$/m.test(said)).toBe(failed > 0);
    expect(said).toMatch(/^billing-db was not rotated, as it should be: its admin is refused$/m);
    expect(said).toMatch(/^ {2}next {2}Put a working connection/m);
  });

  it('ends with what to try next', () => {
    const last = said.slice(said.indexOf('\nNext\n'));
    for (const next of ['npm start', 'docs/quickstart.md', 'docs/rotators/', 'npm run demo -- --steps'])
      expect(last).toContain(`\n  ${next}  `);
  });
});
