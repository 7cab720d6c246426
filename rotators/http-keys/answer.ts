/** Reading an answer: JSON pointers (RFC 6901), array items by field, headers, and what must be true of a body. */

import type { Answered } from '../../shared/http/client.ts';
import { parseJson } from '../../shared/json.ts';
import type { Assertion, Extraction } from './description.ts';

/** What stands at a pointer, or undefined. Own properties only. */
export function at(value: unknown, pointer: string): unknown {
  let here = value;
  for (const raw of pointer.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = Object.entries(here).find(([name]) => name === key)?.[1];
  }
  return here;
}

/** The first sentence about a body that is not as it must be, or undefined. It quotes nothing of the body. */
export function untrue(body: unknown, assertions: readonly Assertion[]): string | undefined {
  for (const { pointer, equals, empty, present } of assertions) {
    const value = at(body, pointer);
    if (equals !== undefined && value !== equals) return `${pointer} is not ${JSON.stringify(equals)}`;
    if (empty === true && !isEmpty(value)) return `${pointer} is not empty`;
    if (present === true && isEmpty(value)) return `${pointer} is missing`;
  }
  return undefined;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** What an extraction finds. `where.equals` must be filled in already. */
export function extract(answer: Answered, how: Extraction, whereEquals: string): unknown {
  if ('header' in how) {
    const text = answer.header(how.header);
    if (text === undefined || how.pattern === undefined) return text;
    return new RegExp(how.pattern).exec(text)?.[1];
  }
  const body = parseJson(answer.body);
  if ('items' in how) {
    const item = itemsAt(body, how.items).find((one) => at(one, how.where.pointer) === whereEquals);
    return at(item, how.pointer);
  }
  const pointers = typeof how.pointer === 'string' ? [how.pointer] : how.pointer;
  return pointers.map((pointer) => at(body, pointer)).find((value) => value !== undefined);
}

/** The list at a pointer; empty where there is none. */
export function itemsAt(body: unknown, pointer: string): readonly unknown[] {
  const items = at(body, pointer);
  return Array.isArray(items) ? items : [];
}
