/** The web addresses that the pages name, over TLS: the function app, the vault's health and a receiver of webhooks. */
import { createServer, type Server } from 'node:https';
import type { Certificates } from '../../local/certificates.ts';

export interface Front {
  readonly port: number;
  close(): Promise<void>;
}

/** `app` is the address of the functions host. */
export async function startFront(certificates: Certificates, app: string): Promise<Front> {
  const server: Server = createServer({ cert: certificates.cert, key: certificates.key }, (request, response) => {
    const host = request.headers.host ?? '';
    request.resume();
    if (host !== 'keyturn-app.azurewebsites.net') {
      response.writeHead(/^(contoso-kv\.vault\.azure\.net|hooks\.contoso\.com)$/.test(host) ? 200 : 404).end();
      return;
    }
    fetch(`${app}${request.url ?? '/'}`, { method: request.method ?? 'GET' }).then(
      async (answer) =>
        response
          .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
          .end(await answer.text()),
      () => response.writeHead(502).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
