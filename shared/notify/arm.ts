/** Azure Resource Manager with the app's own identity: the few requests that make an app read its secrets again. */
import type { z } from 'zod';
import { type Failure, failure } from '../errors.ts';
import { parseJson } from '../json.ts';
import { type About, judge } from './answer.ts';
import { noToken } from './event-grid.ts';
import type { SenderEnvironment } from './sender.ts';

/** Pages of a list that are followed at most. */
const mostPages = 20;

export interface Arm {
  /** Asks for something to be done. `path` from the root, without the query. */
  post(path: string, apiVersion: string): Promise<{ readonly kind: 'delivered' } | Failure>;
  /** All items of a list. */
  list<Item>(
    path: string,
    apiVersion: string,
    page: z.ZodType<{ readonly value: readonly Item[]; readonly nextLink?: string | null | undefined }>,
  ): Promise<{ readonly kind: 'listed'; readonly items: readonly Item[] } | Failure>;
}

export function armFor(environment: SenderEnvironment, about: About, signal: AbortSignal): Arm {
  const base = new URL(environment.resourceManager);

  async function send(method: 'GET' | 'POST', url: URL) {
    const token = await environment
      .getToken(`${base.origin}/.default`)
      .catch((error: unknown) => noToken(about, error));
    if ('code' in token) return token;
    const headers = { accept: 'application/json', authorization: `Bearer ${token.reveal()}` };
    const answer = await environment.wire({ method, url, headers }, signal);
    const where = ` of Azure Resource Manager for ${method} …${url.pathname.slice(-120)}`;
    const judged = judge(about, answer, environment.now(), where);
    // A resource that is not there can be made again: Resource Manager switches no channel off.
    if (judged.kind === 'failed')
      return judged.code === 'channel-gone'
        ? failure('channel-refused', { ...about, detail: `HTTP 410${where}` })
        : judged;
    return { kind: 'delivered' as const, body: answer.kind === 'answered' ? answer.body : '' };
  }

  function addressOf(path: string, apiVersion: string): URL {
    const url = new URL(base.href.replace(/\/+$/, '') + path);
    url.searchParams.set('api-version', apiVersion);
    return url;
  }

  return {
    async post(path, apiVersion) {
      const outcome = await send('POST', addressOf(path, apiVersion));
      return outcome.kind === 'failed' ? outcome : { kind: 'delivered' };
    },
    async list(path, apiVersion, page) {
      const items = [];
      let next: URL | undefined = addressOf(path, apiVersion);
      for (let pages = 0; next !== undefined && pages < mostPages; pages++) {
        const outcome: Awaited<ReturnType<typeof send>> = await send('GET', next);
        if (outcome.kind === 'failed') return outcome;
        const read = page.safeParse(parseJson(outcome.body));
        if (!read.success)
          return failure('channel-unreachable', {
            ...about,
            detail: 'an answer of Azure Resource Manager cannot be read',
          });
        items.push(...read.data.value);
        const link = read.data.nextLink;
        next = link === undefined || link === null || link === '' ? undefined : (URL.parse(link) ?? undefined);
        // The app's token goes to Resource Manager alone, whatever an answer says.
        if (next !== undefined && next.origin !== base.origin) break;
      }
      return { kind: 'listed', items };
    },
  };
}
