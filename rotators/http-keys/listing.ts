/** The keys that a provider lists, page by page. */
import type { Failure } from '../../shared/errors.ts';
import { at, itemsAt } from './answer.ts';
import type { Description } from './description.ts';
import { type Done, perform, type Session } from './session.ts';

/** Pages of a listing that are looked at. Providers allow fewer keys than these hold. */
const pagesAtMost = 20;

/** A key as the provider lists it. */
export interface Key {
  readonly id: string;
  /** Empty where the provider gives keys no names. */
  readonly label: string;
  /** What the provider shows of the key itself. */
  readonly mask?: string;
}

type Listed = { readonly kind: 'listed'; readonly keys: readonly Key[] } | Failure;

/** The keys that the admin sees. */
export async function listKeys(session: Session, list: NonNullable<Description['list']>): Promise<Listed> {
  const keys: Key[] = [];
  let query: Record<string, string> = {};
  let request = list;
  for (let page = 0; page < pagesAtMost; page += 1) {
    if (list.pages?.kind === 'number') query = { [list.pages.query]: String(list.pages.first + page) };
    const done = await perform(session, request, new Map(), query);
    if (done.kind === 'failed') return done;
    const items = itemsAt(done.body, list.items);
    keys.push(...items.flatMap((item) => keyIn(item, list)));
    const next = nextPage(list, items.length, done);
    if (next === undefined) break;
    query = next.query ?? {};
    // A link is an address of the provider; its host is checked like that of every request.
    if (next.url !== undefined) request = { ...list, url: next.url, query: {} };
  }
  return { kind: 'listed', keys };
}

function keyIn(item: unknown, list: NonNullable<Description['list']>): readonly Key[] {
  const [id, label] = [at(item, list.id), list.label === undefined ? '' : at(item, list.label)];
  if ((typeof id !== 'string' && typeof id !== 'number') || typeof label !== 'string') return [];
  const mask = list.mask === undefined ? undefined : at(item, list.mask);
  return [{ id: String(id), label, ...(typeof mask === 'string' ? { mask } : {}) }];
}

function nextPage(
  list: NonNullable<Description['list']>,
  found: number,
  done: Done,
): { readonly query?: Record<string, string>; readonly url?: string } | undefined {
  const { pages } = list;
  if (pages === undefined || found === 0) return undefined;
  if (pages.kind === 'number') return {};
  const next = at(done.body, pages.pointer);
  if (typeof next !== 'string' || next === '') return undefined;
  // Braces would be read as a template.
  return pages.kind === 'cursor' ? { query: { [pages.query]: next } } : { url: next.replaceAll('{', '%7B') };
}
