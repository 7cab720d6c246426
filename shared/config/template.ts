/** What a channel's template may be. Judged when the app starts: a hole in a message is seen too late. */
import { asked, templateFields } from '../contract/template-fields.ts';

/** Texts by name. Pure. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  const isObject = typeof value === 'object' && value !== null;
  return Object.fromEntries(Object.entries(isObject ? value : {}).map(([name, text]) => [name, String(text)]));
}

/** What is wrong with the body of a template, as the end of a sentence; undefined: nothing. Pure. */
export function problemOfTemplate(value: unknown, hasKey: boolean): string | undefined {
  if (typeof value !== 'object' || value === null) return 'is an object or a list, which is sent as JSON';
  return problemOfPlaceholders(JSON.stringify(value), hasKey);
}

/** A template that asks for what there is not would send a hole at night. */
function problemOfPlaceholders(text: string, hasKey: boolean): string | undefined {
  const unknown = asked(text).filter((name) => !templateFields.some((known) => known === name));
  if (unknown.length > 0) return `asks for something that there is not; it may ask for ${templateFields.join(', ')}`;
  return !hasKey && asked(text).includes('key') ? 'asks for {{key}}, and there is no "keySecret"' : undefined;
}

/** Those that the client makes itself would be sent twice. */
const ownHeaders: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection']);

/** The same for its headers. Pure. */
export function problemOfHeaders(value: unknown, hasKey: boolean): string | undefined {
  const all = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  const isFit = ([name, text]: readonly [string, unknown]): boolean =>
    typeof text === 'string' &&
    /^[\w-]{1,64}$/.test(name) &&
    !ownHeaders.has(name.toLowerCase()) &&
    !/[^\x20-\x7e]/.test(text);
  if (all === undefined || !all.every(isFit))
    return 'is an object of headers by name, each a line of visible characters';
  return problemOfPlaceholders(all.map(([, text]) => String(text)).join(' '), hasKey);
}
