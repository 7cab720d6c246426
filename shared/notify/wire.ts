/**
 * HTTP to receivers: no redirects, a limit on what is read of an answer, and nothing of the request in any error. One client for all
 * kinds of channels, also below the Event Grid library.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
} from '@azure/core-rest-pipeline';
import { isSendable } from '../config/channels.ts';

/** Most that is read of an answer, in bytes; what follows is dropped with the connection. */
export const answerLimitBytes = 1_048_576;

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly header: (name: string) => string | undefined;
      /** At most the limit. */
      readonly body: string;
    }
  /** Nothing is known of what happened at the other side. */
  | { readonly kind: 'no-answer'; readonly detail: string };

export type Wire = (call: Call, signal: AbortSignal) => Promise<Answer>;

/** A client that reads no more than the limit. Keeps no connection open: receivers are called minutes or hours apart. */
export function limitedClient(trustedCertificates: readonly string[]): HttpClient {
  const inner = createDefaultHttpClient();
  const plain = new HttpAgent({ keepAlive: false });
  const secure = new HttpsAgent({ keepAlive: false, ca: [...getCACertificates('default'), ...trustedCertificates] });
  return {
    async sendRequest(request) {
      request.agent ??= request.url.startsWith('https:') ? secure : plain;
      request.streamResponseStatusCodes = new Set([Number.POSITIVE_INFINITY]);
      const { readableStreamBody, ...response } = await inner.sendRequest(request);
      return { ...response, bodyAsText: await readLimited(readableStreamBody) };
    },
  };
}

/** The bare exchange, without any policy of the library: retries are the queue's. */
export function wireOver(client: HttpClient): Wire {
  return async (call, signal) => {
    if (!isSendable(call.url)) return { kind: 'no-answer', detail: 'the address is neither https nor on loopback' };
    try {
      const response = await client.sendRequest(
        createPipelineRequest({
          method: call.method,
          url: call.url.href,
          headers: createHttpHeaders({ 'user-agent': 'Keyturn', ...call.headers }),
          ...(call.body === undefined ? {} : { body: call.body }),
          allowInsecureConnection: call.url.protocol === 'http:',
          abortSignal: signal,
        }),
      );
      const { status, headers, bodyAsText } = response;
      return { kind: 'answered', status, header: (name) => headers.get(name), body: bodyAsText ?? '' };
    } catch (error) {
      return { kind: 'no-answer', detail: whyNot(error, signal) };
    }
  };
}

/** Why there was no answer. An error of the library carries the request with its headers, so only its code is taken. */
export function whyNot(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer in time';
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return `the connection failed (${code})`;
}

async function readLimited(stream: NodeJS.ReadableStream | undefined): Promise<string> {
  if (stream === undefined) return '';
  const parts: Buffer[] = [];
  let size = 0;
  // Leaving the loop early destroys the stream and with it the connection.
  try {
    for await (const part of stream) {
      const bytes = Buffer.from(part).subarray(0, answerLimitBytes - size);
      parts.push(bytes);
      size += bytes.length;
      if (size >= answerLimitBytes) break;
    }
  } catch {
    // The status has come, and says whether the message was taken; whoever needs the rest finds that it cannot be read.
    return Buffer.concat(parts).toString('utf8');
  }
  return Buffer.concat(parts).toString('utf8');
}
