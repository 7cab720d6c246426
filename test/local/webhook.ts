/** A webhook that answers as told and remembers what it was sent. */
import { createServer, type IncomingHttpHeaders } from 'node:http';

export interface Call {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Webhook {
  readonly url: string;
  readonly calls: Call[];
  /** Calls without handshakes. */
  notifications(): Call[];
  close(): Promise<void>;
}

/** `undefined`: no answer at all. A handshake is answered rightly unless `handshake` says otherwise. */
export async function startWebhook(
  answer: (call: Call, number: number) => number | undefined,
  handshake: (call: Call) => { status: number; body?: string; origin?: string } = agree,
): Promise<Webhook> {
  const calls: Call[] = [];
  let number = 0;
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = {
      method: request.method ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    calls.push(call);
    if (isNotification(call)) {
      const status = answer(call, ++number);
      if (status !== undefined) response.writeHead(status).end();
      return;
    }
    const { status, body = '', origin } = handshake(call);
    response.writeHead(status, origin === undefined ? {} : { 'webhook-allowed-origin': origin }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook?code=the-key`,
    calls,
    notifications: () => calls.filter(isNotification),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isNotification(call: Call): boolean {
  return call.headers['aeg-event-type'] === 'Notification';
}

export function agree(call: Call): { status: number; body?: string; origin?: string } {
  if (call.method === 'OPTIONS') return { status: 200, origin: String(call.headers['webhook-request-origin']) };
  return { status: 200, body: JSON.stringify({ validationResponse: JSON.parse(call.body)[0].data.validationCode }) };
}
