/** A storage account whose requests are counted by service, apart from looks at empty queues, which cost whether there is work or not. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type Azurite, startAzurite } from '../../local/azurite.ts';

const services = ['blob', 'queue', 'table'] as const;
type Service = (typeof services)[number];

export interface Counts {
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
  /** Looks at a queue that held nothing. */
  readonly emptyPolls: number;
}

export interface CountedStorage extends Azurite {
  counts(): Counts;
}

/** Starts an empty account. Close it when nothing uses it any more. */
export async function startCountedStorage(): Promise<CountedStorage> {
  const azurite = await startAzurite();
  const counts = { blob: 0, queue: 0, table: 0, emptyPolls: 0 };
  const servers: Server[] = [];
  const through = async (service: Service, url: string): Promise<string> => {
    const wired = new URL(url);
    const server = createServer((asked, answer) =>
      forward(wired.port, asked, answer, (isEmptyPoll) => {
        if (isEmptyPoll) counts.emptyPolls++;
        else counts[service]++;
      }),
    );
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    const own = new URL(url);
    own.port = String(address.port);
    return own.href;
  };
  const [blobUrl, queueUrl, tableUrl] = [
    await through('blob', azurite.blobUrl),
    await through('queue', azurite.queueUrl),
    await through('table', azurite.tableUrl),
  ];
  const { account, key } = azurite;
  return {
    ...{ account, key, blobUrl, queueUrl, tableUrl },
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};TableEndpoint=${tableUrl};`,
    counts: () => ({ ...counts }),
    close: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      }
      await azurite.close();
    },
  };
}

function forward(
  port: string,
  asked: IncomingMessage,
  answer: ServerResponse,
  count: (isEmptyPoll: boolean) => void,
): void {
  const passed = request(
    { host: '127.0.0.1', port, method: asked.method, path: asked.url, headers: asked.headers },
    (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.on('end', () => {
        const body = Buffer.concat(parts);
        const polls = asked.method === 'GET' && /\/messages\?/.test(asked.url ?? '');
        count(polls && !body.includes('<QueueMessage>'));
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        answer.end(body);
      });
    },
  );
  passed.on('error', () => answer.destroy());
  asked.pipe(passed);
}
