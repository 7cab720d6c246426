import { detectConnectionString } from './connection-string.ts';
import type { Format } from './format.ts';
import { malformed, type Unreadable } from './reading.ts';

// Names that announce a password in a connection string, with what parts them from the text before.
const announced = /(?:^|[;,&?\s])(?:password|pwd|accountkey|sharedaccesskey|accesskey) ?=/i;

/** Both ends of an object or array; a password of that shape is written with the tag. */
function looksLikeJson(text: string): boolean {
  const trimmed = text.trim();
  return (trimmed.startsWith('{') && trimmed.endsWith('}')) || (trimmed.startsWith('[') && trimmed.endsWith(']'));
}

/** How the value is written. A value that is nearly a connection string is refused: taken for a password it would be lost. */
export function detectFormat(text: string): Format | Unreadable {
  if (looksLikeJson(text)) return 'json';
  const format = detectConnectionString(text);
  if (format !== undefined) return format;
  if (!announced.test(text)) return 'raw';
  return malformed('it looks like a connection string but no format reads it; say which with the tag "format"');
}

type ContentFormat = { readonly kind: 'any' } | { readonly kind: 'json' } | Unreadable;

/** What the content type says of the format. Types that say nothing of it, as text/plain, leave it open. */
export function formatOfContentType(contentType: string | undefined): ContentFormat {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (/^application\/x-(?:pkcs12|pem-file)$/.test(type)) {
    return malformed('the content type says it belongs to a certificate, which renews itself');
  }
  return { kind: /^(?:application|text)\/(?:[\w.-]+\+)?json$/.test(type) ? 'json' : 'any' };
}
