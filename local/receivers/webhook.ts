/** A receiver of signed webhooks as a careful customer would build one: it believes a signature only, and drops what it has seen. */
import { Webhook } from 'standardwebhooks';
import { type Reply, readJson, type StandInServer, startServer } from '../providers/server.ts';

export interface ReceivedWebhook {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** How many signatures the message carried. */
  readonly signatures: number;
}

export interface WebhookReceiver extends StandInServer {
  /** Each id once. */
  readonly received: readonly ReceivedWebhook[];
  /** Ids that came again. */
  readonly duplicates: readonly string[];
  /** Signatures that did not hold, and why. */
  readonly refused: readonly string[];
  /** The signing secret it knows. May be changed at any time. */
  secret: string;
  /** Whether messages are left that the receiver has not judged; for tests of what was sent. */
  readonly bodies: readonly string[];
}

const toleranceSeconds = 300;

/** `now`: the clock of the receiver, which a test may move. */
export async function startWebhookReceiver(
  secret: string,
  now: () => Date = () => new Date(),
): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const duplicates: string[] = [];
  const refused: string[] = [];
  const bodies: string[] = [];
  const known = { secret };

  function refuse(why: string): Reply {
    refused.push(why);
    return { status: 401, body: { error: why } };
  }

  const server = await startServer((asked) => {
    bodies.push(asked.body);
    const id = asked.header('webhook-id') ?? '';
    const timestamp = Number(asked.header('webhook-timestamp'));
    const signatures = (asked.header('webhook-signature') ?? '').split(' ');
    if (asked.method !== 'POST' || asked.header('content-type') !== 'application/json') return { status: 415 };
    if (!(Math.abs(now().getTime() / 1000 - timestamp) <= toleranceSeconds)) return refuse('too old or too new');
    // The library's own `verify` looks at the machine's clock, so its signature is made and compared instead.
    const expected = new Webhook(known.secret).sign(id, new Date(timestamp * 1000), asked.body);
    if (!signatures.includes(expected)) return refuse('no matching signature');
    const { type, data } = readJson(asked.body) ?? {};
    if (typeof type !== 'string' || typeof data !== 'object' || data === null) return { status: 400 };
    if (received.some((one) => one.id === id)) duplicates.push(id);
    else received.push({ id, type, data: Object.fromEntries(Object.entries(data)), signatures: signatures.length });
    return { status: 204 };
  });

  return {
    ...server,
    ...{ received, duplicates, refused, bodies },
    get secret() {
      return known.secret;
    },
    set secret(text) {
      known.secret = text;
    },
  };
}
