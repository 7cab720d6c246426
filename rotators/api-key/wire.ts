/**
 * One HTTP exchange, over Azure's own pipeline client: a fresh connection, no redirects, a limit on size and time, and nothing of the
 * request in any error. No policies of the pipeline are used: retries are the engine's, and redirects must not carry credentials away.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import { createDefaultHttpClient, createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';

/** Longest answer that is read, in bytes. The answers of key APIs are a few kilobytes. */
export const answerLimitBytes = 1_048_576;

export interface WireSettings {
  /** PEM certificates trusted besides the system's. */
  readonly trustedCertificates: readonly string[];
  /** Longest time for one exchange, in ms. */
  readonly timeoutMs: number;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly kind: 'answered';
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
}

export type Answer =
  | Answered
  /** Nothing is known of what happened at the other side. */
  | { readonly kind: 'no-answer'; readonly detail: string }
  /** The other side's certificate was not trusted, or the address is plain HTTP beyond loopback: nothing was sent. */
  | { readonly kind: 'untrusted'; readonly detail: string }
  /** It answered with more than the limit. */
  | { readonly kind: 'oversized'; readonly detail: string };

export type Wire = (call: Call, signal: AbortSignal) => Promise<Answer>;

const untrustedCodes = /^(DEPTH_ZERO_|SELF_SIGNED|UNABLE_TO_|CERT_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

/** Whether a host name, as `URL.hostname` gives it, is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Makes the exchange function for one process. It keeps no connection open. */
export function makeWire(settings: WireSettings): Wire {
  const client = createDefaultHttpClient();
  const plain = new HttpAgent({ keepAlive: false });
  const ca = [...getCACertificates('default'), ...settings.trustedCertificates];
  const secure = new HttpsAgent({ keepAlive: false, ca });
  return async (call, signal) => {
    const insecure = call.url.protocol !== 'https:';
    if (insecure && (call.url.protocol !== 'http:' || !isLoopback(call.url.hostname)))
      return { kind: 'untrusted', detail: 'only https is used beyond loopback' };
    const both = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)]);
    try {
      const request = createPipelineRequest({
        method: call.method,
        url: call.url.href,
        headers: createHttpHeaders({ ...call.headers }),
        ...(call.body === undefined ? {} : { body: call.body }),
        allowInsecureConnection: insecure,
        abortSignal: both,
        streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
      });
      // Set here because the constructor above leaves it out; without it the client would keep connections and trust nothing extra.
      request.agent = insecure ? plain : secure;
      const response = await client.sendRequest(request);
      const text = await readLimited(response.readableStreamBody);
      if (text === undefined)
        return { kind: 'oversized', detail: `the answer is larger than ${answerLimitBytes} bytes` };
      return { kind: 'answered', status: response.status, header: (name) => response.headers.get(name), body: text };
    } catch (error) {
      return describe(error, both.aborted);
    }
  };
}

async function readLimited(stream: NodeJS.ReadableStream | undefined): Promise<string | undefined> {
  if (stream === undefined) return '';
  const parts: Buffer[] = [];
  let size = 0;
  // Leaving the loop early destroys the stream and with it the connection.
  for await (const part of stream) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > answerLimitBytes) return undefined;
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

// The client's errors carry the request with its headers, so only the code leaves this function, never the error.
function describe(error: unknown, aborted: boolean): Answer {
  if (aborted) return { kind: 'no-answer', detail: 'no answer in time' };
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (untrustedCodes.test(code)) return { kind: 'untrusted', detail: `the certificate was not trusted (${code})` };
  return { kind: 'no-answer', detail: `the connection failed (${code})` };
}
