/** A service for alerts as many are: a key in a header, JSON of its own shape, an alert for each alias. It takes what a template was made for. */
import * as z from 'zod';
import { readJson, type StandInServer, startServer } from '../providers/server.ts';

const alert = z.strictObject({
  message: z.string().min(1),
  description: z.string(),
  alias: z.string().min(1),
  priority: z.enum(['P1', 'P3']),
  details: z.strictObject({ secret: z.string().min(1), vault: z.string().min(1), severity: z.string().min(1) }),
  tags: z.array(z.string()),
});

export interface AlertService extends StandInServer {
  readonly address: string;
  readonly received: readonly z.infer<typeof alert>[];
}

export async function startAlertService(key: string): Promise<AlertService> {
  const received: z.infer<typeof alert>[] = [];
  const server = await startServer((asked) => {
    if (asked.method !== 'POST' || asked.path !== '/v2/alerts') return { status: 404 };
    if (asked.header('authorization') !== `GenieKey ${key}`) return { status: 403 };
    const one = alert.safeParse(readJson(asked.body));
    if (!one.success) return { status: 422 };
    received.push(one.data);
    return { status: 202, body: { result: 'Request will be processed' } };
  });
  return { ...server, address: `${server.url}/v2/alerts`, received };
}

/** The settings of a channel for it, as docs/notifications.md has them; the address and the key's secret are the caller's. */
export const alertTemplate = {
  headers: { authorization: 'GenieKey {{key}}' },
  body: {
    message: '{{what}}',
    description: '{{next}}',
    alias: '{{dedupKey}}',
    priority: 'P1',
    details: { secret: '{{secret}}', vault: '{{vault}}', severity: '{{severity}}' },
    tags: ['keyturn', '{{type}}'],
  },
};
