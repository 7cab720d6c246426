/** Resource Manager and Microsoft Graph, as far as the hooks ask them. */
import { at, listAt, parsed, textAt } from './json.ts';

export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** From the root, with the query. */
  readonly path: string;
  readonly body?: unknown;
  /** Absent: JSON. */
  readonly contentType?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** What time it is, by the service. */
  readonly date?: Date;
}

export interface Service {
  /** One request; a service that gives no answer rejects. */
  ask(asked: Asked): Promise<Answer>;
}

export interface Azure {
  readonly manager: Service;
  readonly graph: Service;
}

/** An answer that no hook can go on with. The message holds what Azure said, which names no secret. */
export class AzureRefused extends Error {
  override readonly name = 'AzureRefused';
}

const withinMs = 60_000;

/** `token` is asked before each request, and may remember one. */
export function serviceAt(base: string, token: () => Promise<string>): Service {
  return {
    async ask({ method, path, body, contentType = 'application/json' }) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const answer = await fetch(new URL(path, base), {
        method,
        redirect: 'error',
        headers: {
          authorization: `Bearer ${await token()}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body: text }),
        signal: AbortSignal.timeout(withinMs),
      });
      const date = new Date(answer.headers.get('date') ?? '');
      const told = Number.isNaN(date.getTime()) ? {} : { date };
      return { status: answer.status, body: parsed(await answer.text()), ...told };
    },
  };
}

/** The answer where its status is one of `expected`; throws `AzureRefused` for any other. */
export async function must(service: Service, asked: Asked, ...expected: readonly number[]): Promise<Answer> {
  const answer = await service.ask(asked);
  if (expected.includes(answer.status)) return answer;
  const why = textAt(answer.body, 'error', 'message') || textAt(answer.body, 'error', 'code') || 'no reason given';
  throw new AzureRefused(`${asked.method} ${asked.path.split('?')[0]} was answered with ${answer.status}: ${why}`);
}

/** Every entry of a list, over all its pages. */
export async function all(service: Service, path: string): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (let next = path; next !== ''; ) {
    const { body } = await must(service, { method: 'GET', path: next }, 200);
    found.push(...listAt(body, 'value'));
    const link = textAt(body, 'nextLink') || String(at(body, '@odata.nextLink') ?? '');
    // Only the path is taken: the token goes to the host that it is for.
    next = link === '' ? '' : `${new URL(link).pathname}${new URL(link).search}`;
  }
  return found;
}
