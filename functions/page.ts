/**
 * The files of the dashboard, read from disk when they are asked for. Whoever is not signed in gets them too: they are the same for everybody, and
 * everything they show comes from the API with the caller's own credential.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface PageRequest {
  readonly method: string;
  readonly path: string;
  /** A header's value by its lower-case name. */
  readonly header: (name: string) => string | undefined;
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Beside the folder of this file, in what is built of it. */
const builtFolder = new URL('../dashboard/', import.meta.url);

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
} as const;

/** The addresses that the dashboard knows. Every other one is answered 404, so that a typing error is seen as one. */
const places = [/^\/$/, /^\/secrets\/[^/]+\/[^/]+$/, /^\/approvals(?:\/[^/]+)?$/, /^\/(?:calendar|fleet)$/];

/** No code and no style but its own files, nothing from elsewhere, in no frame, and no text ever read as HTML. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const always = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'x-robots-tag': 'noindex',
};

/** `folder`: the built dashboard. May be called again; rejects where a file of the build cannot be read. */
export async function answerPage(request: PageRequest, folder: URL = builtFolder): Promise<PageAnswer> {
  const { path, method } = request;
  const file = fileOf(path);
  const content = file === undefined ? undefined : await contentOf(new URL(file.name, folder));
  if (file === undefined || content === undefined) return unknown(method);
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
  const headers = { ...always, etag, 'cache-control': file.cache, vary: 'accept-encoding' };
  if (namesTag(request.header('if-none-match'), etag)) return { status: 304, headers };
  const typed = { ...headers, 'content-type': types[file.type] };
  if (!/\bgzip\b/.test(request.header('accept-encoding') ?? ''))
    return { status: 200, headers: typed, ...(method === 'HEAD' ? {} : { body: content }) };
  const zipped = { ...typed, 'content-encoding': 'gzip' };
  if (method === 'HEAD') return { status: 200, headers: zipped };
  return { status: 200, headers: zipped, body: await promisify(gzip)(content) };
}

interface Served {
  /** Below the folder of the build. */
  readonly name: string;
  readonly type: keyof typeof types;
  readonly cache: string;
}

/** Names are put together of what the expressions let through, so that no path leads out of the folder. */
function fileOf(path: string): Served | undefined {
  const asset = /^\/assets\/([a-z]+-[A-Z0-9]{8}\.(js|css|svg))$/.exec(path);
  const [, name, type] = asset ?? [];
  // The name changes with the content, so it is never asked for again.
  if (name !== undefined && (type === 'js' || type === 'css' || type === 'svg'))
    return { name: `assets/${name}`, type, cache: 'public, max-age=31536000, immutable' };
  // One page for all addresses: which secret it is about is read from the address, in the browser.
  return places.some((place) => place.test(path)) ? { name: 'index.html', type: 'html', cache: 'no-cache' } : undefined;
}

/** Undefined where there is no such file: of an older build, perhaps. */
async function contentOf(file: URL): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function namesTag(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}

async function unknown(method: string): Promise<PageAnswer> {
  const { problem } = await import('../shared/api/problem.ts');
  const { status, headers = {}, body } = problem('route-unknown', 'the address leads to no page and to no route');
  const all = { ...always, ...headers, 'cache-control': 'no-store' };
  return method === 'HEAD' ? { status, headers: all } : { status, headers: all, body: JSON.stringify(body) };
}
