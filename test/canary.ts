/**
 * Searches anything for secret values: strings, objects, error causes, hidden and symbol properties, maps, sets and bytes, in the
 * encodings a log or a wire would use. Gives back where they were found, so that an assertion on an empty list names the leak.
 */
export function findSecrets(where: unknown, secrets: readonly string[]): readonly string[] {
  const needles = secrets.filter((secret) => secret.length > 0).map((secret) => ({ secret, forms: formsOf(secret) }));
  const found = new Set<string>();
  for (const { path, text } of stringsIn(where)) {
    for (const { forms } of needles) {
      for (const [form, needle] of forms) {
        if (text.includes(needle)) found.add(`${path} (${form})`);
      }
    }
  }
  return [...found];
}

function formsOf(secret: string): readonly (readonly [string, string])[] {
  const bytes = Buffer.from(secret);
  const forms: [string, string][] = [
    ['plain', secret],
    ['json', JSON.stringify(secret).slice(1, -1)],
    ['url', encodeURIComponent(secret)],
    ['form', new URLSearchParams({ s: secret }).toString().slice(2)],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ['utf-16', bytes.toString().split('').join('\0')],
  ];
  // Inside a longer base64 text a secret stands at one of three alignments; the characters at its edges mix with its neighbours.
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const inner = encoded.slice(Math.ceil((shift * 8) / 6), encoded.length - 1);
    if (inner.length < 6) continue;
    forms.push(['base64', inner], ['base64url', inner.replaceAll('+', '-').replaceAll('/', '_')]);
  }
  return forms;
}

interface Spot {
  readonly path: string;
  readonly value: unknown;
}

function* stringsIn(where: unknown): Generator<{ readonly path: string; readonly text: string }> {
  const seen = new Set<unknown>();
  const open: Spot[] = [{ path: '$', value: where }];
  for (let spot = open.pop(); spot !== undefined; spot = open.pop()) {
    const { path, value } = spot;
    if (typeof value === 'string') yield { path, text: value };
    if (typeof value === 'symbol') yield { path, text: String(value) };
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    seen.add(value);
    if (ArrayBuffer.isView(value)) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      yield { path, text: bytes.toString('latin1') };
      yield { path, text: bytes.toString('utf8') };
      continue;
    }
    open.push(...partsOf(path, value));
  }
}

function partsOf(path: string, value: object): Spot[] {
  const parts: Spot[] = [];
  if (value instanceof Map) {
    for (const [key, item] of value) {
      parts.push({ path: `${path}.key`, value: key }, { path: `${path}.${String(key)}`, value: item });
    }
  }
  if (value instanceof Set) for (const item of value) parts.push({ path: `${path}.item`, value: item });
  for (const key of Reflect.ownKeys(value)) {
    const property = Reflect.getOwnPropertyDescriptor(value, key);
    parts.push({ path: `${path} key`, value: key });
    parts.push({
      path: `${path}.${String(key)}`,
      value: property?.get === undefined ? property?.value : read(value, key),
    });
  }
  return parts;
}

// A getter may refuse to be read; what it throws is searched too.
function read(value: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(value, key);
  } catch (error) {
    return error;
  }
}
