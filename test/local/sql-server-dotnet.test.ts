import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { packetTypes, type SqlServer, startSqlServer } from '../../local/sql-server/index.ts';
import { dotnetClient } from '../dotnet-sql-client/run.ts';

const saPassword = 'Sa-Password-0001';
let server: SqlServer;
let folder: string;
let seen: ReadonlyMap<string, unknown>;
const inClear: number[] = [];

beforeAll(async () => {
  const certificates = await makeCertificates({ hosts: ['127.0.0.1', 'localhost'] });
  server = await startSqlServer({
    saPassword,
    certificate: certificates,
    onMessage: ({ type }, encrypted) => void (encrypted || inClear.push(type)),
  });
  server.addDatabase('orders', { tables: [{ name: 'items', columns: ['id'] }] });
  const first = `PASSWORD = N'Pa55-word-first'`;
  await server.run(
    `CREATE LOGIN changer WITH ${first}; CREATE LOGIN stale WITH ${first} MUST_CHANGE, CHECK_EXPIRATION = ON`,
  );
  folder = await mkdtemp(join(tmpdir(), 'sql-client-'));
  const certificate = join(folder, 'server.pem');
  await writeFile(certificate, certificates.cert);
  seen = await dotnetClient({ port: server.port, saPassword, certificate });
}, 180_000);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('Microsoft.Data.SqlClient', () => {
  test.each([
    ['Encrypt=Mandatory', 'sa'],
    ['Encrypt=Optional', 'sa'],
    ['Encrypt=Strict', 'sa'],
    ['Encrypt=False in a connection string', 'sa'],
    ['ServerProcessId', true],
    ['numbers of refused logins', ['18456', '4060,18456', '18488']],
    ['ChangePassword', ['changer', '18456']],
    ['ChangePassword of a login that must change it', 'stale'],
    ['ChangePassword to one that the policy refuses', '15118,18456'],
    ['Prepare', ['sa', 'changer']],
    ['a transaction', false],
    ['a connection out of a pool is as new', ['master', true, 'master']],
    ['a command that takes too long', ['-2,0', 1, 'Open']],
    ['what the server does not know', ['2812', '8009', 1, 'Open']],
    ['an output parameter', true],
  ])('%s', (name, expected) => {
    expect(seen.get(name)).toEqual(expected);
  });

  test('a parameter of each type comes back as it was sent, and as null', () => {
    const types = [...seen].filter(([name]) => name.startsWith('a parameter of type'));
    expect(types.length).toBe(30);
    expect(types.filter(([, outcome]) => outcome !== 'same')).toEqual([]);
  });

  test('a client that asks for no encryption sends its login through TLS and everything else in clear', () => {
    expect(inClear).toContain(packetTypes.batch);
    expect(inClear).not.toContain(packetTypes.login7);
  });
});
