import { readAdoNet } from './ado-net.ts';
import { detectConnectionString } from './connection-string.ts';
import type { Format } from './format.ts';
import { malformed, type Unreadable } from './reading.ts';
import { isReference, otherThanPassword, surelyNoPassword } from './shape.ts';

// Names that announce a password in a connection string, with what parts them from the text before.
const announcedPassword = /(?:^|[;,&?\s])(?:password|pwd|accountkey|sharedaccesskey|accesskey) ?=/i;

/** Both ends of an object or array; a password of that shape is written with the tag. */
function looksLikeJson(text: string): boolean {
  const trimmed = text.trim();
  return (trimmed.startsWith('{') && trimmed.endsWith('}')) || (trimmed.startsWith('[') && trimmed.endsWith(']'));
}

const orRaw = 'store the password alone, or say "raw" with the tag "format" if the whole of it is the password';

/**
 * How the value is written. A value that is something else than a password, or nearly a connection string, is refused: taken for a
 * password it would be lost.
 */
export function detectFormat(text: string): Format | Unreadable {
  if (looksLikeJson(text) && !isReference(text)) return 'json';
  const format = detectConnectionString(text);
  if (format !== undefined) return format;
  const announced = announcedPassword.test(text);
  const hasParts = announced && /[;,&]/.test(text);
  const other = surelyNoPassword(text) ?? (hasParts ? undefined : otherThanPassword(text));
  if (other !== undefined) return malformed(`the value ${other}; ${orRaw}`);
  if (!announced) return 'raw';
  const reading = readAdoNet(text);
  const why = reading.kind === 'unreadable' ? ` (${reading.detail})` : '';
  return malformed(`it looks like a connection string but no format reads it${why}; say which with the tag "format"`);
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
