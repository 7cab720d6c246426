/** Reading requests and writing answers of the host's own server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Cookie, HttpData, TypedData } from './core-types.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A stream is passed on as it comes. */
  readonly body?: string | Uint8Array | Readable;
}

export function json(status: number, value: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(value) };
}

export function text(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function send(response: ServerResponse, answer: Answer): void {
  const body = answer.body ?? '';
  const headers = { ...answer.headers };
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  if (body instanceof Readable) {
    // What breaks off in the middle leaves a broken answer, not a short one.
    body.once('error', () => response.destroy());
    body.pipe(response);
    return;
  }
  if (answer.status !== 204 && answer.status !== 304) response.setHeader('content-length', Buffer.byteLength(body));
  response.end(body);
}

/** What an http function returned, as an answer. Nothing returned: 204, as documented for host 2.x and later. */
export function functionAnswer(returned: TypedData | null | undefined): Answer {
  const http = returned?.http;
  if (!http) return { status: 204 };
  const cookies = (http.cookies ?? []).map(setCookie);
  const headers: Record<string, string | readonly string[]> = { ...http.headers };
  // The host writes its own length, and cannot pass on what belongs to one connection.
  for (const name of ['content-length', 'transfer-encoding', 'connection', 'keep-alive']) delete headers[name];
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  return { status: Number(http.statusCode ?? 200), headers, body: bytesOf(http) };
}

function bytesOf(http: HttpData): string | Uint8Array {
  const body = http.body;
  return body?.bytes ?? body?.string ?? body?.json ?? '';
}

function setCookie(cookie: Cookie): string {
  const sameSite = { lax: 'Lax', strict: 'Strict', explicitNone: 'None', none: undefined }[cookie.sameSite ?? 'none'];
  const expires = cookie.expires?.value?.seconds;
  const attributes = [
    [cookie.expires?.value && `expires=${new Date((expires ?? 0) * 1000).toUTCString()}`],
    [cookie.maxAge?.value !== undefined && cookie.maxAge?.value !== null && `max-age=${cookie.maxAge.value}`],
    [cookie.domain?.value && `domain=${cookie.domain.value}`],
    [cookie.path?.value && `path=${cookie.path.value}`],
    [cookie.secure?.value && 'secure'],
    [sameSite && `samesite=${sameSite}`],
    [cookie.httpOnly?.value && 'httponly'],
  ].flat();
  return [
    `${cookie.name ?? ''}=${cookie.value ?? ''}`,
    ...attributes.filter((part) => typeof part === 'string' && part !== ''),
  ].join('; ');
}
