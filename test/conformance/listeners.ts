import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import type { CutOff, CutOffKind, StepParts } from './harness.ts';

/** Points a step at a loopback listener that cuts every connection, or takes it and never says a word. */
export async function cutOffByEndpoint<Options>(parts: StepParts<Options>, kind: CutOffKind): Promise<CutOff<Options>> {
  const sockets = new Set<Socket>();
  let contact: () => void = () => undefined;
  const contacted = new Promise<void>((resolve) => {
    contact = resolve;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    contact();
    if (kind === 'refusing') socket.destroy();
    else socket.resume();
  });
  const port = await listen(server);
  const moved = (endpoint: Endpoint): Endpoint => ({ ...endpoint, host: '127.0.0.1', port });
  return {
    parts: { endpoint: moved(parts.endpoint), adminEndpoint: moved(parts.adminEndpoint) },
    contacted,
    async restore() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A loopback port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return address.port;
}
