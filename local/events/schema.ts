/** Events, and how they look on the wire in either schema. Sources: "Azure Event Grid event schema"; CloudEvents 1.0 JSON format. */

/** One event in the terms of the Event Grid schema. */
export interface GridEvent {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  /** ISO 8601. */
  readonly eventTime: string;
  readonly data: unknown;
  readonly dataVersion: string;
  readonly metadataVersion: string;
}

export type EventSchema = 'eventgrid' | 'cloudevents';

/** Which events a subscription wants. Absent: all. Compared without regard to case, as the service does by default. */
export interface EventFilter {
  readonly includedEventTypes?: readonly string[];
  readonly subjectFilter?: { readonly beginsWith?: string; readonly endsWith?: string };
}

// An event made by hand may be anything; what has no type or subject to filter by is let through.
export function isWanted(event: unknown, filter: EventFilter): boolean {
  const type = textField(event, 'eventType') ?? textField(event, 'type');
  const subject = textField(event, 'subject')?.toLowerCase();
  const types = filter.includedEventTypes?.map((included) => included.toLowerCase());
  if (type !== undefined && types !== undefined && !types.includes(type.toLowerCase())) return false;
  if (subject === undefined) return true;
  const { beginsWith = '', endsWith = '' } = filter.subjectFilter ?? {};
  return subject.startsWith(beginsWith.toLowerCase()) && subject.endsWith(endsWith.toLowerCase());
}

export interface Payload {
  readonly contentType: string;
  readonly body: string;
}

/** The body of one delivery. The Event Grid schema always sends a list; CloudEvents send one event as an object. */
export function toPayload(events: readonly unknown[], schema: EventSchema): Payload {
  if (schema === 'eventgrid') return { contentType: 'application/json; charset=utf-8', body: JSON.stringify(events) };
  const converted = events.map(toCloudEvent);
  return converted.length === 1
    ? { contentType: 'application/cloudevents+json; charset=utf-8', body: JSON.stringify(converted[0]) }
    : { contentType: 'application/cloudevents-batch+json; charset=utf-8', body: JSON.stringify(converted) };
}

// What is no event, or is a CloudEvent already, is sent as it is: a receiver must stand anything.
function toCloudEvent(event: unknown): unknown {
  if (typeof event !== 'object' || event === null || Array.isArray(event) || 'specversion' in event) return event;
  const { id, topic, subject, eventType, eventTime, data }: Partial<GridEvent> = event;
  return { id, source: topic, specversion: '1.0', type: eventType, subject, time: eventTime, data };
}

/** A field that is a text, of anything. */
export function textField(event: unknown, name: string): string | undefined {
  if (typeof event !== 'object' || event === null) return undefined;
  const value: unknown = Reflect.get(event, name);
  return typeof value === 'string' ? value : undefined;
}
