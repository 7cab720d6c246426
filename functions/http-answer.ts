/** What the API answers, as the platform takes it. Loaded with the first request: the start needs none of it. */
import { createHash } from 'node:crypto';
import { ReadableStream } from 'node:stream/web';
import type { HttpResponseInit } from '@azure/functions';
import type { Answer } from '../shared/api/answer.ts';

/** `known`: the tags of what the caller has already. What is asked again and again is sent once, for as long as it stays the same. */
export function httpAnswer({ status, headers, body, lines }: Answer, method: string, known: string): HttpResponseInit {
  const sent = { status, headers: { ...headers } };
  if (lines !== undefined) return { ...sent, body: ReadableStream.from(encoded(lines)) };
  if (body === undefined) return sent;
  const text = JSON.stringify(body);
  if (method !== 'GET' || status !== 200) return { ...sent, body: text };
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
  const tagged = { ...sent.headers, etag };
  return known.includes(etag) ? { status: 304, headers: tagged } : { status, headers: tagged, body: text };
}

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const line of lines) yield encoder.encode(line);
}
