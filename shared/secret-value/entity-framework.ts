/**
 * Connection strings of Entity Framework 6: `metadata=res://…;provider=…;provider connection string="…"`, whose last value is itself a
 * connection string, in quotes, or in `&quot;` where the text was taken from a configuration file with its XML escapes.
 */
import { type Layer, layerOf, lift } from './layer.ts';
import { readPairs } from './pairs.ts';
import { type Encoded, encoded, malformed, noPassword, type Reading, type Unreadable, unencodable } from './reading.ts';

type Read = (text: string) => Reading | Unreadable;

const entities: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&apos;': "'",
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
};

function decodeEntity(entity: string): string {
  const known = entities[entity.toLowerCase()];
  if (known !== undefined) return known;
  const digits = entity.slice(2, -1);
  const code = /^x/i.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number(digits);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
}

function encodeEntities(text: string): Encoded {
  if (/[^\P{Cc}\t\r\n\u007f-\u009f]|[\ufffe\uffff]/u.test(text)) {
    return unencodable('a connection string with the escapes of XML cannot hold control characters');
  }
  const special = new Map(Object.entries(entities).map(([entity, character]) => [character, entity]));
  // Line breaks and tabs of an attribute would be read as blanks.
  return encoded(text.replaceAll(/["'<>&\t\r\n]/g, (c) => special.get(c) ?? `&#${c.charCodeAt(0)};`));
}

const xmlEscaped = /provider\s*connection\s*string\s*=\s*&(?:quot|apos|#34|#x22|#39|#x27);/i;

function xmlLayer(text: string): Layer {
  const place = { start: 0, end: text.length };
  const escapes = /^&(?:quot|apos|lt|gt|amp|#\d{1,7}|#x[0-9a-f]{1,6});/i;
  return layerOf(text, place, { begins: '&', escapes, decode: decodeEntity, encode: encodeEntities });
}

/** The inner connection string, without its quotes. */
function quotedLayer(text: string, start: number, end: number): Layer | undefined {
  const quote = text.charAt(start);
  if (quote !== '"' && quote !== "'") return undefined;
  const place = { start: start + 1, end: end - 1 };
  return layerOf(text, place, {
    begins: quote,
    escapes: new RegExp(`^${quote}${quote}`),
    decode: () => quote,
    encode: (inner) => encoded(inner.replaceAll(quote, quote + quote)),
  });
}

/** The reading of the inner connection string; undefined when the text is none of Entity Framework. */
export function readEntityFramework(text: string, read: Read): Reading | Unreadable | undefined {
  if (!/provider\s*connection\s*string/i.test(text)) return undefined;
  if (xmlEscaped.test(text)) {
    const layer = xmlLayer(text);
    const reading = readEntityFramework(layer.text, read);
    return reading?.kind === 'reading' ? lift(layer, reading) : reading;
  }
  const pairs = readPairs(text, 'ado-net');
  if ('kind' in pairs) return undefined;
  const inner = pairs.filter((pair) => pair.key === 'providerconnectionstring');
  const [only, ...more] = inner;
  if (only === undefined) return undefined;
  const layer = quotedLayer(text, only.slot.start, only.slot.end);
  if (more.length > 0 || layer === undefined) {
    return malformed('the "provider connection string" must stand once, in quotes');
  }
  const reading = read(layer.text);
  if (reading.kind === 'reading') return lift(layer, reading);
  return reading.noPassword ? noPassword(reading.detail) : reading;
}
