/** The dashboard as the app serves it: small, the same for everybody, kept by browsers, and unable to load or run anything else. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { answerPage, type PageAnswer } from '../../functions/page.ts';
import { builtApp } from '../paths/built-app.ts';

let folder: string;
let assets: readonly string[];
beforeAll(async () => {
  folder = join(await builtApp(), 'dashboard');
  assets = await readdir(join(folder, 'assets'));
});

function get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<PageAnswer> {
  return answerPage({ method, path, header: (name) => headers[name] }, pathToFileURL(`${folder}/`));
}

const limitBytes = 150_000;

describe('the files', () => {
  it(`are less than ${limitBytes / 1_000} kB together, as they are sent`, async () => {
    const all = [join(folder, 'index.html'), ...assets.map((name) => join(folder, 'assets', name))];
    const sizes = await Promise.all(all.map(async (file) => gzipSync(await readFile(file)).length));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(limitBytes);
  });

  it('hold no code and no style in the page, and name nothing that lies elsewhere', async () => {
    const page = await readFile(join(folder, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\ssrc="\/assets\/)/);
    expect(page.match(/(?:src|href)="[^"]*"/g)).toHaveLength(3);
    for (const [, address = ''] of page.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(assets.map((name) => `/assets/${name}`)).toContain(address);
    const style = assets.find((name) => name.endsWith('.css')) ?? '';
    expect(await readFile(join(folder, 'assets', style), 'utf8')).not.toMatch(/url\(|@import/);
  });
});

describe('an answer', () => {
  it('lets the page run its own code alone, in no frame, and no text ever becomes HTML', async () => {
    const { headers } = await get('/');
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });

  it('is kept for good where the name changes with the content, and asked for again where it does not', async () => {
    for (const name of assets)
      expect((await get(`/assets/${name}`)).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const { headers } = await get('/secrets/prod/orders-db');
    expect(headers['cache-control']).toBe('no-cache');
    expect(await get('/', { 'if-none-match': headers['etag'] ?? '' })).toMatchObject({ status: 304 });
    expect((await get('/', { 'if-none-match': '"another"' })).status).toBe(200);
  });

  it('to HEAD is that to GET without its body', async () => {
    const [got, head] = [await get('/'), await get('/', {}, 'HEAD')];
    expect(head).toEqual({ status: got.status, headers: got.headers });
  });

  it.each(['/', '/calendar', '/fleet', '/approvals', '/approvals/abc', '/secrets/v/s'])(
    'to %s is the same page',
    async (path) => {
      expect(await get(path)).toEqual(await get('/'));
    },
  );

  it.each([
    '/api/v2/secrets',
    '/api/',
    '/secrets',
    '/index.html',
    '/assets/',
    '/assets/app-AAAAAAAA.js',
    '/assets/../index.html',
    '/assets/..%2findex.html',
    '/assets/..\\..\\package.json',
    '/package.json',
    '/.auth/me',
    '//',
  ])('to %s is that there is no such address', async (path) => {
    const { status, headers, body = '' } = await get(path);
    expect({ status, code: JSON.parse(body.toString()).code }).toEqual({ status: 404, code: 'route-unknown' });
    expect(headers['content-type']).toBe('application/problem+json');
  });
});
