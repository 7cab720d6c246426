/** The query API of Log Analytics as Microsoft documents it, on loopback: who made a version, by the audit log of the vault. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { makeWire } from '../../shared/http/client.ts';
import { auditLogOf } from '../../shared/vault/audit-log.ts';

const workspace = '63613592-b6f7-4c3d-a390-22ba13102111';
const version = 'a'.repeat(32);
const createdAt = new Date('2026-03-01T10:00:00Z');
const made = { vault: 'contoso-kv', secret: 'orders-db', version, createdAt };
const columns = ['TimeGenerated', 'Id', 'CallerIpAddress', 'Identity'];
const upn = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn';
const person = { claim: { [upn]: 'anna@contoso.com', appid: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' } };
const at = (id: string) => `https://contoso-kv.vault.azure.net/secrets/${id}`;

const seen: { url: string; headers: IncomingMessage['headers']; body: { query: string; timespan: string } }[] = [];
let answer = (response: ServerResponse): unknown => response.end();
const server = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const body = z.object({ query: z.string(), timespan: z.string() }).parse(JSON.parse(text));
  seen.push({ url: request.url ?? '', headers: request.headers, body });
  answer(response);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  seen.length = 0;
});

const rows = (...all: readonly (readonly unknown[])[]) => {
  answer = (response) =>
    response.end(
      JSON.stringify({ tables: [{ name: 'PrimaryResult', columns: columns.map((name) => ({ name })), rows: all }] }),
    );
};

function log(getToken = async () => new SecretText('a-token')) {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const wire = makeWire({ trustedCertificates: [] });
  return auditLogOf({ id: workspace, endpoint: `http://127.0.0.1:${port}`, wire, getToken });
}

const look = (getToken?: () => Promise<SecretText>, signal = new AbortController().signal) =>
  log(getToken).writerOf(made, signal);

describe('who made a version', () => {
  test('is asked of the workspace with a token for it, about the minutes around the write alone', async () => {
    rows();
    const scopes: string[] = [];
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const endpoint = `http://127.0.0.1:${port}`;
    const wire = makeWire({ trustedCertificates: [] });
    const getToken = async (scope: string) => {
      scopes.push(scope);
      return new SecretText('a-token');
    };
    await auditLogOf({ id: workspace, endpoint, wire, getToken }).writerOf(made, new AbortController().signal);
    const [{ url, headers, body }] = [seen[0] ?? { url: '', headers: {}, body: { query: '', timespan: '' } }];
    expect(scopes).toEqual([`${endpoint}/.default`]);
    expect(url).toBe(`/v1/workspaces/${workspace}/query`);
    expect(headers.authorization).toBe('Bearer a-token');
    expect(body.timespan).toBe('2026-03-01T09:59:00.000Z/2026-03-01T10:01:00.000Z');
    expect(body.query).toContain('AZKVAuditLogs');
    expect(body.query).toContain('/secrets/orders-db');
  });

  test('is a person, with the application that was used and the address', async () => {
    rows(
      ['2026-03-01T10:00:01Z', at(`orders-db/${'b'.repeat(32)}`), '198.51.100.1', { claim: { appid: 'another' } }],
      ['2026-03-01T10:00:00Z', at(`orders-db/${version}`), '203.0.113.7', JSON.stringify(person)],
    );
    const who = 'anna@contoso.com with the application 04b07795-8ddb-461a-bbee-02f9e1bf7b46 from 203.0.113.7';
    expect(await look()).toEqual({ kind: 'writer', who });
  });

  test('is an application where no person was signed in', async () => {
    rows(['2026-03-01T10:00:00Z', at(`orders-db/${version}`), null, { claim: { appid: 'app-id' } }]);
    expect(await look()).toEqual({ kind: 'writer', who: 'the application app-id' });
  });

  test('goes by the time where the log names the secret alone, and never by a secret of a longer name', async () => {
    rows(
      ['2026-03-01T10:00:00Z', at('orders-db-legacy'), null, { claim: { appid: 'wrong' } }],
      ['2026-03-01T10:00:30Z', at('orders-db'), null, { claim: { appid: 'late' } }],
      ['2026-03-01T10:00:02Z', at('orders-db'), null, { claim: { appid: 'right' } }],
    );
    expect(await look()).toEqual({ kind: 'writer', who: 'the application right' });
  });

  test('is unknown while the log does not hold it', async () => {
    rows();
    expect(await look()).toEqual({ kind: 'unknown' });
  });

  test('breaks no line of a message, whatever a token claimed', async () => {
    rows(['2026-03-01T10:00:00Z', at(`orders-db/${version}`), null, { claim: { appid: 'x\r\nfake line <b>' } }]);
    expect(await look()).toEqual({ kind: 'writer', who: 'the application xfakelineb' });
  });
});

describe('a log that cannot be read', () => {
  test.each([401, 403, 404, 429, 500, 504])('HTTP %d says nothing of a writer', async (status) => {
    answer = (response) => response.writeHead(status).end('{"error":{"code":"x"}}');
    expect(await look()).toEqual({ kind: 'unread', detail: `the log answered HTTP ${status}` });
  });

  test('an answer that is no table says nothing', async () => {
    for (const text of ['', 'null', '[]', '{"tables":[]}', '<html>']) {
      answer = (response) => response.end(text);
      expect(await look(), text).toMatchObject({ kind: 'unread' });
    }
  });

  test('one that never answers, and a token that never comes, are given up with the caller', async () => {
    answer = () => undefined;
    const asked = new AbortController();
    const waiting = look(undefined, asked.signal);
    asked.abort();
    expect(await waiting).toMatchObject({ kind: 'unread' });
    const given = new AbortController();
    const tokenless = look(() => new Promise(() => undefined), given.signal);
    given.abort();
    expect(await tokenless).toEqual({ kind: 'unread', detail: 'no token came in time' });
  });

  test('an identity that gets no token is said, and no secret of it', async () => {
    const refused = Object.assign(new Error('AADSTS70011: the scope is wrong'), { name: 'AuthenticationError' });
    expect(await look(() => Promise.reject(refused))).toEqual({
      kind: 'unread',
      detail: 'AADSTS70011: the scope is wrong',
    });
    expect(seen).toEqual([]);
  });
});
