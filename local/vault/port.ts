/** One TCP port that speaks both http and https. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createNetServer, type Socket } from 'node:net';
import type { Certificates } from '../certificates.ts';

export interface OpenPort {
  readonly port: number;
  /** Says who answers. To be called once, in the turn in which the port was opened. */
  serve(onRequest: RequestListener): void;
  /** Ends every connection, also those in the middle of a request. May be called again. */
  close(): Promise<void>;
}

/** First byte of a TLS handshake record (RFC 8446, 5.1); no http request begins with it. */
const tlsHandshake = 0x16;

// Longer than any client's pool keeps a connection, so that the server never closes one just as the next request goes out on it.
const keepAliveMs = 120_000;

/** Listens on loopback only: the emulator accepts any token. Rejects with the system's error, such as EADDRINUSE. */
export async function openPort(port: number, certificates: Certificates): Promise<OpenPort> {
  const plain = createHttpServer({ keepAliveTimeout: keepAliveMs });
  const encrypted = createHttpsServer({
    key: certificates.key,
    cert: certificates.cert,
    keepAliveTimeout: keepAliveMs,
  });
  const sockets = new Set<Socket>();
  const entrance = createNetServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that breaks off is its own affair; "close" follows.
    socket.on('error', () => socket.destroy());
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      const server = first[0] === tlsHandshake ? encrypted : plain;
      server.emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  await new Promise<void>((resolve, reject) => {
    entrance.once('error', reject);
    entrance.listen({ port, host: '127.0.0.1' }, () => {
      entrance.off('error', reject);
      resolve();
    });
  });
  const address = entrance.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');

  let closed: Promise<void> | undefined;
  const close = () =>
    new Promise<void>((resolve) => {
      entrance.close(() => resolve());
      for (const socket of sockets) socket.destroy();
      // Neither listens itself; this ends their timers.
      plain.close();
      encrypted.close();
    });
  return {
    port: address.port,
    serve: (onRequest) => {
      plain.on('request', onRequest);
      encrypted.on('request', onRequest);
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
