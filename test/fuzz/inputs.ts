/** Inputs that most targets share: hostile texts, and well-formed documents with some parts of them spoiled. */
import fc from 'fast-check';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const words = [
  ...[
    '',
    ' ',
    '0',
    '-1',
    'null',
    'true',
    '__proto__',
    'constructor',
    'toString',
    '*',
    '..',
    '/',
    '\\',
    '%',
    '%00',
    '%zz',
  ],
  ...[
    '\0',
    '\r\n',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u202e',
    '\ud800',
    '😀',
    '密',
    'é',
    '<script>',
    '$(x)',
    '{{x}}',
    "'--",
  ],
  ...[';', ',', '=', ':', '@', '"', "'", '`', '|', '[', ']', '{', '}', '(', ')', '+', '-', 'P90D', 'PT1S', '9e999'],
  ...['orders-db', 'contoso-kv', 'a'.repeat(32), '0123456789abcdef', 'emergency', 'Fired', '2026-01-01T00:00:00Z'],
];

/** Texts of characters and words that mean something somewhere; now and then a long one. */
export const hostile: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.constantFrom(...words), { maxLength: 6 }).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 24 }) },
  { weight: 4, arbitrary: fc.string({ maxLength: 24 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...words), fc.constantFrom(100, 2_000))
      .map(([word, times]) => word.repeat(times)),
  },
);

const deep: Json = Array.from({ length: 200 }).reduce<Json>((inner) => [inner], 'deep');

export const odd: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: hostile },
  fc.constantFrom<Json>(null, true, false, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]], deep),
  fc.constant<Json>(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')),
  fc.array(hostile, { maxLength: 4 }),
  fc.dictionary(hostile, hostile, { maxKeys: 3 }),
);

interface Change {
  readonly at: number;
  readonly how: 'replace' | 'remove' | 'wrap' | 'add' | 'suffix';
  readonly name: string;
  readonly value: Json;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(400),
  how: fc.constantFrom('replace', 'replace', 'remove', 'wrap', 'add', 'suffix'),
  name: hostile,
  value: odd,
});

/** One of the documents, with up to three of its parts replaced, removed, wrapped or added to. */
export function spoiled(...documents: readonly Json[]): fc.Arbitrary<Json> {
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(change, { maxLength: 3 }))
    .map(([document, changes]) => changes.reduce((whole, one) => changed(whole, one), document));
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function sizeOf(value: Json): number {
  const inner = isObject(value) ? Object.values(value) : isList(value) ? value : [];
  return inner.reduce<number>((sum, one) => sum + sizeOf(one), 1);
}

/** The part at that place in the order of writing is changed; counted round and round. */
function changed(document: Json, change: Change): Json {
  let left = change.at % sizeOf(document);
  const visit = (value: Json): Json | undefined => {
    if (left-- === 0) return spoil(value, change);
    if (isList(value)) return value.map(visit).filter((one) => one !== undefined);
    if (!isObject(value)) return value;
    const fields = Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
      const next = visit(inner);
      return next === undefined ? [] : [[name, next]];
    });
    return Object.fromEntries(fields);
  };
  return visit(document) ?? null;
}

function spoil(value: Json, { how, name, value: other }: Change): Json | undefined {
  switch (how) {
    case 'replace':
      return other;
    case 'remove':
      return undefined;
    case 'wrap':
      return [value];
    case 'add':
      return isObject(value) ? Object.fromEntries([...Object.entries(value), [name, other]]) : value;
    case 'suffix':
      return typeof value === 'string' ? `${value}${name}` : value;
  }
}
