/** PagerDuty's Events API v2. Source: PagerDuty's pages "Send an Alert Event" and "Events API v2 Overview". */
import type { ChannelOf } from '../config/channels.ts';
import type { Notice } from '../contract/notice.ts';
import { judge } from './answer.ts';
import { dataOf, eventTypeOf, sourceOf } from './events.ts';
import type { Sender, SenderEnvironment, SendOutcome } from './sender.ts';
import { wordsOf } from './text.ts';
import { incidentsOf, severityOf, turnOf } from './urgency.ts';

/** What it takes at most, in characters. */
const longestSummary = 1_024;
const longestKey = 255;

export function pagerDutySender(
  channel: string,
  { endpoint, routingKeySecret }: ChannelOf<'pagerduty'>,
  { wire, secrets, now }: SenderEnvironment,
): Sender {
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      const key = await secrets.text(routingKeySecret, about, signal);
      if (key.kind === 'failed') return key;
      let outcome: SendOutcome = { kind: 'delivered' };
      // A success closes what it heals: each is an event of its own, and one that comes again changes nothing.
      for (const incident of incidentsOf(notice)) {
        const body = JSON.stringify({ routing_key: key.text.reveal().trim(), ...eventFor(notice, incident) });
        const headers = { 'content-type': 'application/json' };
        outcome = judge(about, await wire({ method: 'POST', url: endpoint, headers, body }, signal), now());
        if (outcome.kind === 'failed') break;
      }
      if (outcome.kind === 'failed' && outcome.code !== 'channel-unreachable') secrets.forget(routingKeySecret);
      return outcome;
    },
  };
}

/** One event, without the routing key. Pure. */
export function eventFor(notice: Notice, incident: string) {
  const dedup = { dedup_key: incident.slice(0, longestKey) };
  if (turnOf(notice) === 'closes') return { event_action: 'resolve', ...dedup };
  const { what, next } = wordsOf(notice);
  const page = notice.failure?.page ?? '';
  return {
    ...{ event_action: 'trigger', ...dedup, client: 'Keyturn' },
    payload: {
      summary: what.slice(0, longestSummary),
      source: sourceOf(notice),
      severity: severityOf(notice),
      timestamp: notice.at,
      component: notice.secret,
      group: notice.vault,
      class: eventTypeOf(notice),
      custom_details: { next_step: next, ...dataOf(notice) },
    },
    ...(page.startsWith('https://') ? { links: [{ href: page, text: `What ${notice.failure?.code} means` }] } : {}),
  };
}
