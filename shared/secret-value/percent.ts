/** Percent-encoding (RFC 3986), strict both ways: clients read what is not encoded in different ways. */
import { type Layer, layerOf } from './layer.ts';
import { type Encoded, encoded, type Place, unencodable } from './reading.ts';

/** The decoded text; undefined when a percent sign starts no UTF-8 character. */
export function decodePercent(text: string, plusIsBlank: boolean): string | undefined {
  const spaced = plusIsBlank ? text.replaceAll('+', ' ') : text;
  try {
    return decodeURIComponent(spaced);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Everything but the unreserved characters of RFC 3986 is encoded, so that no client can take it for something else. */
export function encodeStrictly(next: string): Encoded {
  if (!next.isWellFormed()) return unencodable('a URI cannot hold half of a surrogate pair');
  return encoded(
    encodeURIComponent(next).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  );
}

const character =
  /^(?:%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%f[0-7](?:%[89ab][0-9a-f]){3}|\+)/i;

/** The part of a URI as the text it stands for; undefined when it is no UTF-8. */
export function percentLayer(text: string, place: Place, plusIsBlank: boolean): Layer | undefined {
  if (decodePercent(text.slice(place.start, place.end), plusIsBlank) === undefined) return undefined;
  return layerOf(text, place, {
    begins: plusIsBlank ? '%+' : '%',
    escapes: character,
    decode: (escaped) => (escaped === '+' ? ' ' : decodeURIComponent(escaped)),
    encode: encodeStrictly,
  });
}
