/**
 * PagerDuty's Events API v2, as strict as the service, with the incidents that its events open and close.
 * Source: PagerDuty's pages "Events API v2 Overview" and "Send an Alert Event", with their limits and answers.
 */
import * as z from 'zod';
import { readJson, type StandInServer, startServer } from '../providers/server.ts';

const dedupKey = z.string().min(1).max(255);

const trigger = z.strictObject({
  routing_key: z.string(),
  event_action: z.literal('trigger'),
  dedup_key: dedupKey.optional(),
  client: z.string().optional(),
  client_url: z.url().optional(),
  links: z.array(z.strictObject({ href: z.url(), text: z.string().optional() })).optional(),
  payload: z.strictObject({
    summary: z.string().min(1).max(1_024),
    source: z.string().min(1),
    severity: z.enum(['critical', 'error', 'warning', 'info']),
    timestamp: z.iso.datetime().optional(),
    component: z.string().optional(),
    group: z.string().optional(),
    class: z.string().optional(),
    custom_details: z.record(z.string(), z.unknown()).optional(),
  }),
});

const settle = z.strictObject({
  routing_key: z.string(),
  event_action: z.enum(['acknowledge', 'resolve']),
  dedup_key: dedupKey,
});

export interface Incident {
  readonly key: string;
  readonly severity: string;
  readonly summary: string;
  /** How often it was triggered while it was open. */
  alerts: number;
  open: boolean;
}

export interface PagerDuty extends StandInServer {
  readonly endpoint: string;
  readonly incidents: readonly Incident[];
  /** Every event that was taken, as `action key`. */
  readonly events: readonly string[];
}

/** `key`: the integration key, of 32 characters. */
export async function startPagerDuty(key: string): Promise<PagerDuty> {
  const incidents: Incident[] = [];
  const events: string[] = [];
  const server = await startServer((asked) => {
    if (asked.method !== 'POST' || asked.path !== '/v2/enqueue') return { status: 404 };
    const refused = (errors: readonly string[]) => ({
      status: 400,
      body: { status: 'invalid event', message: 'Event object is invalid', errors },
    });
    if (!/^application\/json/.test(asked.header('content-type') ?? '')) return refused(['content type']);
    const event = z.union([trigger, settle]).safeParse(readJson(asked.body));
    if (!event.success) return refused(event.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
    if (event.data.routing_key !== key) return refused(["'routing_key' is invalid"]);
    const dedup = event.data.dedup_key ?? `made-${events.length}`;
    events.push(`${event.data.event_action} ${dedup}`);
    const open = incidents.find((one) => one.key === dedup && one.open);
    if ('payload' in event.data) {
      const { severity, summary } = event.data.payload;
      if (open === undefined) incidents.push({ key: dedup, severity, summary, alerts: 1, open: true });
      else open.alerts += 1;
    } else if (open !== undefined && event.data.event_action === 'resolve') open.open = false;
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key: dedup } };
  });
  return { ...server, endpoint: `${server.url}/v2/enqueue`, incidents, events };
}
