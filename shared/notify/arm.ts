/** Azure Resource Manager with the app's own identity: the few requests that make an app read its secrets again. */
import type { z } from 'zod';
import { type Failure, failure } from '../errors.ts';
import { type ArmCall, nextLink, resourceManagerAt } from '../http/resource-manager.ts';
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
  const manager = resourceManagerAt(environment.resourceManager, environment.wire);

  async function send(call: ArmCall) {
    const token = await environment.getToken(manager.scope).catch((error: unknown) => noToken(about, error));
    if ('code' in token) return token;
    const answer = await manager.send(call, token, signal);
    if (answer.kind === 'another-host') return answer;
    const where = ` of Azure Resource Manager for ${call.method} …${call.path.replace(/\?.*/s, '').slice(-120)}`;
    const judged = judge(about, answer, environment.now(), where);
    // A resource that is not there can be made again: Resource Manager switches no channel off.
    if (judged.kind === 'failed')
      return judged.code === 'channel-gone'
        ? failure('channel-refused', { ...about, detail: `HTTP 410${where}` })
        : judged;
    return { kind: 'delivered' as const, body: answer.kind === 'answered' ? answer.body : '' };
  }

  return {
    async post(path, apiVersion) {
      const outcome = await send({ method: 'POST', path, apiVersion });
      if (outcome.kind === 'another-host')
        return failure('channel-refused', { ...about, detail: `${path} is no path of Azure Resource Manager` });
      return outcome.kind === 'failed' ? outcome : { kind: 'delivered' };
    },
    async list(path, apiVersion, page) {
      const items = [];
      let call: ArmCall | undefined = { method: 'GET', path, apiVersion };
      for (let pages = 0; call !== undefined && pages < mostPages; pages++) {
        const outcome: Awaited<ReturnType<typeof send>> = await send(call);
        // Nothing was sent, and the list ends with what there is.
        if (outcome.kind === 'another-host') break;
        if (outcome.kind === 'failed') return outcome;
        const body = parseJson(outcome.body);
        const read = page.safeParse(body);
        if (!read.success)
          return failure('channel-unreachable', {
            ...about,
            detail: 'an answer of Azure Resource Manager cannot be read',
          });
        items.push(...read.data.value);
        const next = nextLink(body);
        call = next === undefined ? undefined : { method: 'GET', path: next };
      }
      return { kind: 'listed', items };
    },
  };
}
