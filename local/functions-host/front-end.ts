/** Azure's front end: one address, requests handed to the instances in turn, answers cut after 230 s. */
import {
  Agent,
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';

const answerLimitMs = 230_000;

export interface FrontEnd {
  readonly url: string;
  close(): Promise<void>;
}

/** `targets` gives the ports of the instances alive just now. `port` 0: any free one. */
export async function startFrontEnd(port: number, targets: () => readonly number[]): Promise<FrontEnd> {
  let turn = 0;
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    const ports = targets();
    const target = ports[turn++ % Math.max(ports.length, 1)];
    if (target === undefined) return answer(response, 503);
    return pass(request, response, target, agent);
  });
  await listen(server, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The front end has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

function pass(request: IncomingMessage, response: ServerResponse, port: number, agent: Agent): void {
  const { method = 'GET', url = '/', headers } = request;
  const onward = forward({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
    answered.pipe(response);
    // An instance that dies in the middle of its answer leaves a broken one, not a short one.
    answered.once('error', () => response.destroy());
  });
  onward.setTimeout(answerLimitMs, () => {
    answer(response, 504);
    onward.destroy();
  });
  onward.once('error', () => answer(response, 502));
  request.pipe(onward);
  // Who goes away takes the rest of the body along.
  request.once('close', () => request.complete || onward.destroy());
}

function answer(response: ServerResponse, status: number): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-length': 0 }).end();
}
