/** A provider that an app describes itself: how often it must be seen to take a key, and where a key is sent. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { httpKeys } from '../../../rotators/http-keys/entry.ts';
import { httpKeysTags } from '../../../rotators/http-keys/tags.ts';
import type { Rotator } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep } from '../../conformance/step.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

interface Provider {
  readonly host: string;
  /** Keys that were sent, in order. */
  readonly asked: string[];
  /** What was asked for, in order. */
  readonly requests: string[];
}

/** Answers each request with the next status, and with the last one from then on; `listed` are its keys, and every new one is `new`. */
async function provider(statuses: readonly number[], listed: readonly unknown[] = []): Promise<Provider> {
  const asked: string[] = [];
  const requests: string[] = [];
  const server = createServer((request, response) => {
    response.statusCode = statuses[Math.min(asked.length, statuses.length - 1)] ?? 200;
    asked.push(request.headers.authorization ?? '');
    requests.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify({ key: 'the-new-key', id: 'new', keys: listed }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { host: `127.0.0.1:${address.port}`, asked, requests };
}

async function rotatorFor(hosts: readonly string[], verifyAt: string, successes: number): Promise<Rotator> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-described-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const url = `http://${hosts[0]}/keys`;
  const description = {
    name: 'ours',
    title: 'Our gateway',
    documentation: 'https://gateway.contoso.test/docs',
    hosts,
    authentication: {
      admin: { kind: 'bearer', token: '{{admin.password}}' },
      credential: { kind: 'bearer', token: '{{credential.password}}' },
    },
    create: {
      method: 'POST',
      url,
      extract: { key: { pointer: '/key' }, id: { pointer: '/id' } },
    },
    credential: { password: '{{created.key}}', keyId: '{{created.id}}' },
    verify: {
      ...{ method: 'GET', url: `http://${verifyAt}/me`, as: 'credential' },
      ...{ successes, intervalSeconds: 0.01, deadlineSeconds: 20 },
    },
    revoke: { method: 'DELETE', url: `${url}/{{credential.keyId}}` },
    list: { method: 'GET', url, items: '/keys', id: '/id', label: '/name' },
  };
  await writeFile(join(folder, 'ours.json'), JSON.stringify(description));
  return httpKeys.load({
    ...{ trustedCertificates: [], connectTimeoutMs: 2_000, allowedHosts: ['127.0.0.1'], descriptionsFolder: folder },
    getToken: async () => new SecretText('unused'),
    cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
  });
}

const nowhere = { host: '', options: {} };
const current = { password: new SecretText('the-old-key'), keyId: 'k-41' };
const fresh = { password: new SecretText('the-new-key'), keyId: 'new' };
const admin = {
  kind: 'connection',
  secret: 'our-admin',
  credential: { password: new SecretText('admin-key') },
} as const;
const step = makeStep('issue-revoke', {
  ...{ current, admin, endpoint: nowhere, adminEndpoint: nowhere },
  options: httpKeysTags.parse({ provider: 'ours' }),
});

describe('a description with successes: 3', () => {
  it('takes a new key for good after three logins in a row, and begins to count again after a refusal', async () => {
    const gateway = await provider([200, 200, 200, 401, 200, 200, 200, 500], [{ id: 'new', name: 'x' }]);
    const rotator = await rotatorFor([gateway.host], gateway.host, 3);
    expect(await rotator.verify(step, fresh)).toEqual({ kind: 'accepted' });
    expect(gateway.requests).toEqual(['GET /keys', ...Array(6).fill('GET /me')]);
  });

  it('asks about the published key once: it has been everywhere for long', async () => {
    const gateway = await provider([200]);
    const rotator = await rotatorFor([gateway.host], gateway.host, 3);
    expect(await rotator.verify(step, current)).toEqual({ kind: 'accepted' });
    expect(gateway.asked).toEqual(['Bearer the-old-key']);
  });
});

describe('a key', () => {
  it('is not sent to a host that the description does not name, though the settings allow it', async () => {
    const [named, other] = [await provider([200]), await provider([200])];
    const rotator = await rotatorFor([named.host], other.host, 1);
    expect(await rotator.verify(step, fresh)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('a host that the description of Our gateway does not name'),
    });
    expect(other.requests).toEqual([]);
    expect(named.asked).not.toContain('Bearer the-new-key');
  });
});

describe('keys that an attempt before left behind', () => {
  it('are found by their label and revoked, whether their ids are texts or numbers; what has no label is left alone', async () => {
    const { label } = step;
    const listed = [
      ...[
        { id: 'k-41', name: 'by hand' },
        { id: 71, name: label },
        { id: 'k-72', name: label },
      ],
      ...[{ id: 73 }, { id: 74, name: 7 }, { name: label }, null, { id: 'k-41', name: label }],
    ];
    const gateway = await provider([200], listed);
    const rotator = await rotatorFor([gateway.host], gateway.host, 1);
    const unissued = { password: new SecretText('') };
    expect(await rotator.apply(step, unissued, current)).toMatchObject({
      kind: 'applied',
      credential: { keyId: 'new' },
    });
    expect(gateway.requests).toEqual(['GET /keys', 'DELETE /keys/71', 'DELETE /keys/k-72', 'POST /keys']);
  });
});

describe('the published key', () => {
  it('is not revoked, and the refusal names it by its id', async () => {
    const gateway = await provider([200]);
    const rotator = await rotatorFor([gateway.host], gateway.host, 1);
    expect(await rotator.retire(step, current)).toMatchObject({
      code: 'retire-refused',
      message: expect.stringContaining('k-41'),
    });
    const { keyId: _unknown, ...unstamped } = current;
    const unnamed = makeStep('issue-revoke', { ...step, current: unstamped });
    expect(await rotator.retire(unnamed, unstamped)).toMatchObject({ message: expect.stringContaining('the old key') });
    expect(gateway.requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });
});
