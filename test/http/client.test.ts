import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { startAzurite } from '../../local/azurite.ts';
import { makeCertificates } from '../../local/certificates.ts';
import { signSharedKey } from '../../rotators/azure-keys/sign.ts';
import { answerLimitBytes, makeWire } from '../../shared/http/client.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function answerOf(handler: Handler, timeoutMs = 2_000) {
  const port = await listen(createHttp(handler));
  const wire = makeWire({ trustedCertificates: [], timeoutMs });
  return wire({ method: 'GET', url: new URL(`http://127.0.0.1:${port}/`), headers: {} }, new AbortController().signal);
}

describe('TLS', () => {
  async function ask(hosts: readonly string[], trust: boolean) {
    const { ca, cert, key } = await makeCertificates({ hosts });
    const seen: string[] = [];
    const server = createHttps({ cert, key }, (request, response) => {
      seen.push(request.headers.authorization ?? '');
      response.end('{}');
    });
    const port = await listen(server);
    const wire = makeWire({ trustedCertificates: trust ? [ca] : [], timeoutMs: 2_000 });
    const url = new URL(`https://localhost:${port}/`);
    const answer = await wire(
      { method: 'GET', url, headers: { authorization: 'canary' } },
      new AbortController().signal,
    );
    return { answer, seen };
  }

  it('of a trusted authority for the host is used', async () => {
    expect((await ask(['localhost'], true)).answer).toMatchObject({ kind: 'answered', status: 200 });
  });

  it.each([
    ['an unknown authority', ['localhost'], false],
    ['a certificate for another host', ['elsewhere.test'], true],
  ] as const)('of %s is not trusted, and nothing is sent', async (_what, hosts, trust) => {
    const { answer, seen } = await ask(hosts, trust);
    expect(answer).toMatchObject({ kind: 'untrusted' });
    expect(seen).toEqual([]);
  });

  it('is asked for beyond loopback', async () => {
    const wire = makeWire({ trustedCertificates: [], timeoutMs: 2_000 });
    for (const url of ['http://service.test/', 'http://127.0.0.1.evil.test/', 'ftp://127.0.0.1/']) {
      const answer = await wire({ method: 'GET', url: new URL(url), headers: {} }, new AbortController().signal);
      expect(answer).toMatchObject({ kind: 'untrusted' });
    }
  });
});

describe('an answer', () => {
  it('that redirects is given back as it is', async () => {
    let asked = 0;
    const answer = await answerOf((_request, response) => {
      asked += 1;
      response.writeHead(302, { location: '/again' }).end();
    });
    expect(answer).toMatchObject({ kind: 'answered', status: 302 });
    expect(asked).toBe(1);
  });

  it('that never ends is cut at the limit', async () => {
    const answer = await answerOf((_request, response) => {
      const part = Buffer.alloc(answerLimitBytes / 4);
      const pump = (): void => {
        while (response.write(part));
        response.once('drain', pump);
      };
      pump();
    });
    expect(answer).toMatchObject({ kind: 'oversized' });
  });

  it('whose body stalls is given up in time', async () => {
    const answer = await answerOf((_request, response) => response.write('{'), 100);
    expect(answer).toMatchObject({ kind: 'cut-off', status: 200, detail: 'no answer in time' });
  });
});

it('the shared key signature opens Azure Storage, and another key does not', async () => {
  const storage = await startAzurite();
  stops.push(() => storage.close());
  const wire = makeWire({ trustedCertificates: [], timeoutMs: 5_000 });
  const ask = async (key: string) => {
    const url = new URL(`${storage.blobUrl}?comp=list&maxresults=1`);
    const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-08-06' };
    return wire({ method: 'GET', ...signSharedKey(url, storage.account, key, headers) }, new AbortController().signal);
  };
  expect(await ask(storage.key)).toMatchObject({ kind: 'answered', status: 200 });
  const refused = await ask(Buffer.alloc(64).toString('base64'));
  expect(refused).toMatchObject({
    kind: 'answered',
    status: 403,
    body: expect.stringContaining('<Code>AuthorizationFailure<'),
  });
});
