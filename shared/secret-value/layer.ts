/**
 * A text inside another: percent-encoded in a URI, escaped in a JSON string, quoted in a connection string. It is read as the text it
 * stands for, and what changes in it is written as the outer text needs it, so that the rest keeps its escapes byte for byte.
 */
import type { Encoded, Place, Reading, Slot } from './reading.ts';

export interface Layer {
  /** The inner text, decoded. */
  readonly text: string;
  /** Where each UTF-16 unit of it stands in the outer text; one entry more than it is long, for its end. */
  readonly positions: readonly number[];
  readonly encode: (text: string) => Encoded;
}

export interface Codec {
  /** The characters that an escape begins with. */
  readonly begins: string;
  /** One escape, from the beginning of a text; it stands for one character. None is longer than `longestEscape`. */
  readonly escapes: RegExp;
  readonly decode: (escaped: string) => string;
  /** The text that stands for another. */
  readonly encode: (text: string) => Encoded;
}

const longestEscape = 12;

/** The text of a place, its escapes decoded; all between them stands for itself. */
export function layerOf(outer: string, place: Place, codec: Codec): Layer {
  const characters: string[] = [];
  const positions: number[] = [];
  for (let at = place.start; at < place.end; ) {
    const first = outer.charAt(at);
    const near = codec.begins.includes(first) ? outer.slice(at, Math.min(at + longestEscape, place.end)) : '';
    const found = near === '' ? undefined : codec.escapes.exec(near)?.[0];
    const character = found === undefined ? first : codec.decode(found);
    characters.push(character);
    for (let unit = 0; unit < character.length; unit++) positions.push(at);
    at += found?.length ?? 1;
  }
  positions.push(place.end);
  return { text: characters.join(''), positions, encode: codec.encode };
}

function escaped(layer: Layer, inner: Encoded): Encoded {
  return inner.kind === 'encoded' ? layer.encode(inner.text) : inner;
}

/** A slot of the inner text, as it stands in the outer one. */
export function liftSlot(layer: Layer, slot: Slot): Slot {
  const last = layer.positions.at(-1) ?? 0;
  return {
    start: layer.positions[slot.start] ?? last,
    end: layer.positions[slot.end] ?? last,
    value: slot.value,
    encode: (next) => escaped(layer, slot.encode(next)),
  };
}

/** What was read in the inner text, as it stands in the outer one. */
export function lift(layer: Layer, reading: Reading): Reading {
  const [first, ...others] = reading.passwords;
  return {
    ...reading,
    passwords: [liftSlot(layer, first), ...others.map((slot) => liftSlot(layer, slot))],
    usernames: reading.usernames.map((slot) => liftSlot(layer, slot)),
  };
}
