/** Slack's and Teams' incoming webhooks: each takes what the real one takes, and refuses the rest. */
import * as z from 'zod';
import { readJson, type StandInServer, startServer } from '../providers/server.ts';

export interface ChatReceiver extends StandInServer {
  /** The address with its key. */
  readonly address: string;
  /** What people would read, message by message. */
  readonly received: readonly string[];
}

/** Source: Slack's page "Sending messages using incoming webhooks", with its errors. */
export async function startSlack(key: string): Promise<ChatReceiver> {
  const received: string[] = [];
  const path = `/services/T0001/B0001/${key}`;
  const server = await startServer((asked) => {
    if (asked.path !== path) return { status: 404, body: 'no_service' };
    const message = z.strictObject({ text: z.string().min(1).max(40_000) }).safeParse(readJson(asked.body));
    if (asked.method !== 'POST' || !message.success) return { status: 400, body: 'invalid_payload' };
    received.push(message.data.text);
    return { status: 200, body: 'ok' };
  });
  return { ...server, address: server.url + path, received };
}

const textBlock = z.strictObject({
  type: z.literal('RichTextBlock'),
  inlines: z.array(
    z.strictObject({
      type: z.literal('TextRun'),
      text: z.string().min(1),
      weight: z.enum(['Lighter', 'Default', 'Bolder']).optional(),
      color: z.enum(['Default', 'Attention', 'Good', 'Warning']).optional(),
      size: z.enum(['Small', 'Default', 'Medium']).optional(),
      isSubtle: z.boolean().optional(),
    }),
  ),
});

/** Source: Adaptive Cards 1.4, and the message that the workflow's trigger describes. */
const cardMessage = z.strictObject({
  type: z.literal('message'),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal('application/vnd.microsoft.card.adaptive'),
      content: z.strictObject({
        $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
        type: z.literal('AdaptiveCard'),
        version: z.literal('1.4'),
        body: z.array(textBlock).min(1),
      }),
    }),
  ]),
});

/** A workflow answers 202 and does its work later. */
export async function startTeams(signature: string): Promise<ChatReceiver> {
  const received: string[] = [];
  const path = '/workflows/0001/triggers/manual/paths/invoke';
  const server = await startServer((asked) => {
    if (asked.path !== path || asked.url.searchParams.get('sig') !== signature)
      return { status: 401, body: { error: { code: 'DirectApiAuthorizationRequired' } } };
    const message = cardMessage.safeParse(readJson(asked.body));
    if (asked.method !== 'POST' || !message.success)
      return { status: 400, body: { error: { code: 'InvalidRequest' } } };
    const [{ content }] = message.data.attachments;
    received.push(content.body.flatMap((block) => block.inlines.map((run) => run.text)).join('\n'));
    return { status: 202 };
  });
  return { ...server, address: `${server.url}${path}?api-version=2016-06-01&sig=${signature}`, received };
}
