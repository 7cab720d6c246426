/**
 * The one HTTP client: over Azure's own pipeline client, with a fresh connection for each exchange, no redirects, a limit on what is read,
 * and nothing of the request in any error. No policies of the pipeline are used: retries are the engine's and the queue's, and redirects
 * must not carry credentials away.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { authorities } from '../authorities.ts';
import { rethrowBug } from '../errors.ts';
import { isLoopback } from '../loopback.ts';

/** Most that is read of an answer, in bytes. Those that are waited for are a few kilobytes. */
export const answerLimitBytes = 1_048_576;

export interface WireSettings {
  /** PEM certificates trusted besides the system's. */
  readonly trustedCertificates: readonly string[];
  /** Longest time for one exchange, in ms. Default: as long as the call's signal lets it. */
  readonly timeoutMs?: number;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Head {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
}

export interface Answered extends Head {
  readonly kind: 'answered';
  readonly body: string;
}

export type Answer =
  | Answered
  /** The status came, and then more than the limit. */
  | (Head & { readonly kind: 'oversized'; readonly detail: string })
  /** The status came, and the rest did not. */
  | (Head & { readonly kind: 'cut-off'; readonly detail: string })
  /** Nothing is known of what happened at the other side. */
  | { readonly kind: 'no-answer'; readonly detail: string }
  /** The other side's certificate was not trusted, or the address is plain HTTP beyond loopback: nothing was sent. */
  | { readonly kind: 'untrusted'; readonly detail: string };

export type Wire = (call: Call, signal: AbortSignal) => Promise<Answer>;

/** Makes the exchange function for one process. Keeps no connection open: whoever is called is called minutes or hours apart. */
export function makeWire({ trustedCertificates, timeoutMs }: WireSettings): Wire {
  const client = streamingClient(trustedCertificates);
  return async (call, signal) => {
    const insecure = call.url.protocol !== 'https:';
    if (insecure && (call.url.protocol !== 'http:' || !isLoopback(call.url.hostname)))
      return { kind: 'untrusted', detail: 'only https is used beyond loopback' };
    const until = timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await client.sendRequest(
        createPipelineRequest({
          method: call.method,
          url: call.url.href,
          headers: createHttpHeaders({ 'user-agent': 'Keyturn', ...call.headers }),
          ...(call.body === undefined ? {} : { body: call.body }),
          allowInsecureConnection: insecure,
          abortSignal: until,
        }),
      );
      return await answerOf(response, until);
    } catch (error) {
      return noAnswer(error, until);
    }
  };
}

/** What a library that brings its own requests goes over: the same connections and the same limit. Its answers end at the limit. */
export function libraryClient(trustedCertificates: readonly string[]): HttpClient {
  const client = streamingClient(trustedCertificates);
  return {
    async sendRequest(request) {
      const { readableStreamBody, ...response } = await client.sendRequest(request);
      const { text } = await readLimited(readableStreamBody);
      return { ...response, bodyAsText: text };
    },
  };
}

/** Why there was no answer. An error of the client carries the request with its headers, so only its code is taken, never the error. Throws on a mistake in Keyturn. */
export function noAnswer(error: unknown, signal: AbortSignal): Extract<Answer, { kind: 'no-answer' | 'untrusted' }> {
  rethrowBug(error);
  if (signal.aborted) return { kind: 'no-answer', detail: 'no answer in time' };
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (untrustedCodes.test(code)) return { kind: 'untrusted', detail: `the certificate was not trusted (${code})` };
  return { kind: 'no-answer', detail: `the connection failed (${code})` };
}

const untrustedCodes = /^(DEPTH_ZERO_|SELF_SIGNED|UNABLE_TO_|CERT_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

/** Gives every body as a stream, so that a limit can be kept. */
function streamingClient(trustedCertificates: readonly string[]): HttpClient {
  const inner = createDefaultHttpClient();
  const ca = authorities(trustedCertificates);
  const plain = new HttpAgent({ keepAlive: false });
  const secure = new HttpsAgent({ keepAlive: false, ...(ca === undefined ? {} : { ca }) });
  return {
    sendRequest(request) {
      // Set here because the constructor of a request leaves it out; without it the client would keep connections and trust nothing extra.
      request.agent ??= request.url.startsWith('https:') ? secure : plain;
      request.streamResponseStatusCodes = new Set([Number.POSITIVE_INFINITY]);
      return inner.sendRequest(request);
    },
  };
}

async function answerOf(
  { status, headers, readableStreamBody }: PipelineResponse,
  until: AbortSignal,
): Promise<Answer> {
  const head: Head = { status, header: (name) => headers.get(name) };
  const read = await readLimited(readableStreamBody);
  switch (read.end) {
    case 'whole':
      return { ...head, kind: 'answered', body: read.text };
    case 'limit':
      return { ...head, kind: 'oversized', detail: `the answer is larger than ${answerLimitBytes} bytes` };
    case 'broken':
      return { ...head, kind: 'cut-off', detail: noAnswer(read.error, until).detail };
  }
}

/** `text`: what was read until then. */
type Read = { readonly text: string } & (
  | { readonly end: 'whole' | 'limit' }
  | { readonly end: 'broken'; readonly error: unknown }
);

async function readLimited(stream: NodeJS.ReadableStream | undefined): Promise<Read> {
  if (stream === undefined) return { end: 'whole', text: '' };
  const parts: Buffer[] = [];
  let size = 0;
  const text = () => Buffer.concat(parts).toString('utf8');
  try {
    // Leaving the loop early destroys the stream and with it the connection.
    for await (const part of stream) {
      const bytes = Buffer.from(part);
      size += bytes.length;
      if (size > answerLimitBytes) return { end: 'limit', text: text() };
      parts.push(bytes);
    }
  } catch (error) {
    // The status has come, and says whether the message was taken; whoever needs the rest finds that it is not there.
    return { end: 'broken', text: text(), error };
  }
  return { end: 'whole', text: text() };
}
