import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HoldingProxy {
  readonly port: number;
  /** How many messages were held back. */
  held(): number;
  close(): Promise<void>;
}

/** Passes everything on to a loopback port, and holds back what contains `text` until `release` says so: a worker that stood still. */
export async function holdBack(target: number, text: string, release: () => boolean): Promise<HoldingProxy> {
  const sockets = new Set<Socket>();
  let held = 0;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    upstream.pipe(client);
    let queue = Promise.resolve();
    client.on('data', (chunk) => {
      queue = queue.then(async () => {
        if (chunk.includes(text)) {
          held += 1;
          while (!release()) await sleep(10);
        }
        upstream.write(chunk);
      });
    });
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    held: () => held,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Passes everything on to a loopback port, and keeps what clients sent. */
export async function record(
  target: number,
): Promise<{ readonly port: number; text(): string; close(): Promise<void> }> {
  const sent: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('data', (chunk) => sent.push(chunk));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    text: () => Buffer.concat(sent).toString('latin1'),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Passes everything on to a loopback port, but answers a message that contains `text` itself, as a server that refuses it. */
export async function answerInstead(
  target: number,
  text: string,
  said: { readonly code: string; readonly message: string },
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const fields = `SERROR\0VERROR\0C${said.code}\0M${said.message}\0\0`;
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + fields.length);
  const refusal = Buffer.concat([
    Buffer.from('E'),
    length,
    Buffer.from(fields),
    Buffer.from('Z\0\0\0\u0005I', 'latin1'),
  ]);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    upstream.pipe(client);
    client.on('data', (chunk) => (chunk.includes(text) ? client.write(refusal) : upstream.write(chunk)));
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Passes everything on to a loopback port, and waits with the client's n-th message until `ready` is over. */
export async function holdMessage(
  target: number,
  message: number,
  ready: () => Promise<unknown>,
): Promise<{ readonly port: number; readonly arrived: Promise<void>; close(): Promise<void> }> {
  const arrived = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    upstream.pipe(client);
    let count = 0;
    let queue = Promise.resolve();
    client.on('data', (chunk) => {
      const isHeld = ++count === message;
      if (isHeld) arrived.resolve();
      queue = queue.then(async () => {
        if (isHeld) await ready();
        upstream.write(chunk);
      });
    });
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    arrived: arrived.promise,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
