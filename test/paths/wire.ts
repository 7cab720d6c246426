/** A wire to a server on loopback that can be cut, silenced and mended, and that remembers what was sent over it. */
import { connect, createServer, type Socket } from 'node:net';

export interface Wire {
  readonly port: number;
  /** Breaks every connection and refuses new ones, until `mend`. */
  cut(): void;
  /** Accepts new connections and passes nothing on, on these and on those that stand, until `mend`. */
  silence(): void;
  mend(): void;
  /** How many connections were refused while it was cut. */
  refused(): number;
  /** Everything that clients have sent, as it was on the wire. */
  sent(): string;
  close(): Promise<void>;
}

export async function startWire(target: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const sent: Buffer[] = [];
  let isCut = false;
  let isSilent = false;
  let refused = 0;
  const server = createServer((client) => {
    if (isCut) {
      refused += 1;
      client.destroy();
      return;
    }
    sockets.add(client);
    client.on('error', () => client.destroy());
    if (isSilent) return;
    const upstream = connect(target, '127.0.0.1');
    join(client, upstream);
    join(upstream, client);
    client.on('data', (chunk) => sent.push(chunk));
  });
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => from.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  };
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the wire has no port');
  return {
    port: address.port,
    cut: () => {
      isCut = true;
      breakAll();
    },
    silence: () => {
      isSilent = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend: () => {
      // What fell silent stays so; the next connection is a new one.
      if (isSilent) breakAll();
      isCut = false;
      isSilent = false;
    },
    refused: () => refused,
    sent: () => Buffer.concat(sent).toString('latin1'),
    close: async () => {
      breakAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
