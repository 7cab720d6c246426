/** `az keyvault secret …` against the vault emulator, as the Azure CLI calls the service and shows what it answers. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { AzAsked } from './az-arguments.ts';

const attributes = z.object({
  enabled: z.boolean().optional(),
  created: z.number().optional(),
  updated: z.number().optional(),
  exp: z.number().optional(),
  nbf: z.number().optional(),
});
const secret = z.object({
  id: z.string(),
  value: z.string().optional(),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  attributes,
  deletedDate: z.number().optional(),
});
const page = z.object({ value: z.array(secret), nextLink: z.string().nullish() });

const service = 'https://contoso-kv.vault.azure.net';
const version = '7.5';

interface Place {
  readonly name: string;
  readonly version: string;
}

/** The vault that pages name; the emulator is at `url`. */
export async function keyvault(asked: AzAsked, url: string): Promise<unknown> {
  const vault = one(asked, '--vault-name');
  if (vault !== undefined && vault !== 'contoso-kv') throw new Error(`az: the vault ${vault} does not exist`);
  const place = placeOf(asked);
  switch (asked.command) {
    case 'keyvault secret show':
      return shown(await call(url, 'GET', `/secrets/${place.name}/${place.version}`));
    case 'keyvault secret list':
      return listed(await pages(url, '/secrets'));
    case 'keyvault secret list-versions':
      return listed(await pages(url, `/secrets/${place.name}/versions`));
    case 'keyvault secret list-deleted':
      return listed(await pages(url, '/deletedsecrets'));
    case 'keyvault secret recover':
      return shown(await call(url, 'POST', `/deletedsecrets/${place.name}/recover`));
    case 'keyvault secret delete':
      return shown(await call(url, 'DELETE', `/secrets/${place.name}`));
    case 'keyvault secret set':
      return shown(await call(url, 'PUT', `/secrets/${place.name}`, await bodyOf(asked)));
    case 'keyvault secret set-attributes': {
      const body = await bodyOf(asked);
      return shown(await call(url, 'PATCH', `/secrets/${place.name}/${place.version}`, body));
    }
    default:
      throw new Error(`az: ${asked.command} is not played here`);
  }
}

function one(asked: AzAsked, name: string): string | undefined {
  return asked.options.get(name)?.[0];
}

function placeOf(asked: AzAsked): Place {
  const id = one(asked, '--id');
  if (id === undefined) return { name: one(asked, '--name') ?? '', version: one(asked, '--version') ?? '' };
  if (!id.startsWith(`${service}/`)) throw new Error(`az: ${id} is no secret of this vault`);
  const [, , name = '', of = ''] = new URL(id).pathname.split('/');
  if (name === '') throw new Error(`az: ${id} names no secret`);
  return { name, version: of };
}

async function bodyOf(asked: AzAsked): Promise<Record<string, unknown>> {
  const file = one(asked, '--file');
  const value =
    file === undefined
      ? one(asked, '--value')
      : await readFile(file, one(asked, '--encoding') === 'base64' ? 'base64' : 'utf8');
  const tags = asked.options.get('--tags')?.map(pair);
  // The CLI remembers the encoding of a file in a tag.
  const all = file === undefined ? tags : [...(tags ?? []), ['file-encoding', one(asked, '--encoding') ?? 'utf-8']];
  const enabled = one(asked, '--enabled');
  return {
    ...(value === undefined ? {} : { value }),
    ...(all === undefined ? {} : { tags: Object.fromEntries(all) }),
    ...(one(asked, '--content-type') === undefined ? {} : { contentType: one(asked, '--content-type') }),
    attributes: {
      ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
      ...(one(asked, '--expires') === undefined ? {} : { exp: seconds(one(asked, '--expires') ?? '') }),
    },
  };
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The only form that the CLI takes. */
function seconds(text: string): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text))
    throw new Error(`az: --expires: "${text}" is not like 2026-03-01T00:00:00Z`);
  return Date.parse(text) / 1000;
}

async function call(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${url}${path}${path.includes('?') ? '&' : '?'}api-version=${version}`, {
    method,
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`az: ${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function pages(url: string, path: string): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { value, nextLink } = page.parse(await call(url, 'GET', next));
    found.push(...value);
    next = nextLink ? nextLink.replace(/^https?:\/\/[^/]+/, '').replace(/api-version=[^&]*&?/, '') : undefined;
  }
  return found;
}

const iso = (value: number | undefined) => (value === undefined ? null : new Date(value * 1000).toISOString());

function shown(answer: unknown) {
  const { id, value = null, contentType = null, tags = null, attributes: of, deletedDate } = secret.parse(answer);
  const path = new URL(id).pathname;
  return {
    ...{ id: service + path, name: path.split('/')[2], value, contentType, tags },
    ...(deletedDate === undefined ? {} : { deletedDate: iso(deletedDate) }),
    attributes: {
      enabled: of.enabled ?? true,
      created: iso(of.created),
      updated: iso(of.updated),
      expires: iso(of.exp),
    },
  };
}

function listed(found: readonly unknown[]) {
  return found.map((one) => {
    const { value: _, ...rest } = shown(one);
    return rest;
  });
}
