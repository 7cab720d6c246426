/**
 * A network to a server on loopback: every byte takes half the round trip, and a connection takes a whole one before its first byte may
 * go. The server's first word to a client needs the client's last one of the handshake, so it comes after two round trips.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface DelayedWire {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. `rttMs`: time of a round trip. */
export async function startDelayedWire(target: number, rttMs: number): Promise<DelayedWire> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    keep(sockets, client);
    const early: Buffer[] = [];
    let upstream: Socket | undefined;
    client.on('data', (chunk) => {
      if (upstream === undefined) early.push(chunk);
      else later(rttMs / 2, upstream, (socket) => socket.write(chunk));
    });
    client.on('close', () => later(rttMs / 2, upstream, (socket) => socket.end()));
    setTimeout(() => {
      if (client.destroyed) return;
      const opened = connect(target, '127.0.0.1');
      upstream = opened;
      keep(sockets, opened);
      for (const chunk of early) opened.write(chunk);
      opened.on('data', (chunk) => later(rttMs / 2, client, (socket) => socket.write(chunk)));
      opened.on('close', () => later(rttMs / 2, client, (socket) => socket.end()));
    }, 1.5 * rttMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the wire has no port');
  return {
    port: address.port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.setNoDelay(true);
  // A side that breaks off is told to the other one when its end arrives there.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
}

function later(ms: number, socket: Socket | undefined, act: (socket: Socket) => void): void {
  setTimeout(() => {
    if (socket !== undefined && !socket.destroyed && socket.writable) act(socket);
  }, ms);
}
