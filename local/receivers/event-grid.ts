/**
 * A custom topic of Event Grid that takes CloudEvents 1.0, as strict as the service.
 * Source: Microsoft's pages "Publish events with CloudEvents schema" and "Event Grid REST: publish cloud events".
 */
import * as z from 'zod';
import { type StandInServer, startServer } from '../providers/server.ts';

const cloudEvent = z.strictObject({
  id: z.string().min(1),
  source: z.string().min(1),
  specversion: z.literal('1.0'),
  type: z.string().min(1),
  subject: z.string(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
});

export type ReceivedEvent = z.infer<typeof cloudEvent>;

export interface EventGridTopic extends StandInServer {
  /** The address to be given to a client. */
  readonly endpoint: string;
  /** All events, those that came again included: the service removes no duplicates. */
  readonly received: readonly ReceivedEvent[];
  /** The access keys, of which either is taken. May be changed at any time. */
  keys: readonly string[];
  /** Bearer tokens that are taken. */
  tokens: readonly string[];
}

/** Requests for one topic: what to answer, and what was received. Without a server, so that a test may put it behind TLS. */
export function eventGridTopic(keys: readonly string[]) {
  const received: ReceivedEvent[] = [];
  const access: { keys: readonly string[]; tokens: readonly string[] } = { keys, tokens: [] };
  const answer: Parameters<typeof startServer>[0] = (asked) => {
    if (asked.method !== 'POST' || asked.path !== '/api/events') return { status: 404 };
    if (asked.url.searchParams.get('api-version') !== '2018-01-01') return { status: 400, body: 'api-version' };
    const key = asked.header('aeg-sas-key');
    const token = asked.header('authorization')?.replace(/^Bearer /, '');
    const isKnown = access.keys.some((one) => one === key) || access.tokens.some((one) => one === token);
    if (!isKnown) return { status: 401, body: { error: { code: 'Unauthorized' } } };
    if (!/^application\/cloudevents-batch\+json/.test(asked.header('content-type') ?? '')) return { status: 415 };
    const events = z.array(cloudEvent).min(1).safeParse(JSON.parse(asked.body));
    if (!events.success) return { status: 400, body: { error: { code: 'BadRequest', message: events.error.message } } };
    received.push(...events.data);
    return { status: 200, body: '' };
  };
  return { received, access, answer };
}

export async function startEventGridTopic(keys: readonly string[]): Promise<EventGridTopic> {
  const { received, access, answer } = eventGridTopic(keys);
  const server = await startServer(answer);
  return {
    ...server,
    ...{ endpoint: `${server.url}/api/events`, received },
    get keys() {
      return access.keys;
    },
    set keys(changed) {
      access.keys = changed;
    },
    get tokens() {
      return access.tokens;
    },
    set tokens(changed) {
      access.tokens = changed;
    },
  };
}
