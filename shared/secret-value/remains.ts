/** Whether a password is still in a text that was meant to lose it: plain, escaped, percent-encoded, or in base64. */

/** A shorter password may stand in a text by chance. */
const tellingLength = 8;

const jsonEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const entities: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' };

const character = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code) : '');

const withoutPercent = (text: string): string =>
  text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'));

const decoders: readonly ((text: string) => string)[] = [
  (text) =>
    text.replaceAll(/\\(?:u([0-9a-f]{4})|([\s\S]))/gi, (_, code: string | undefined, escaped: string | undefined) =>
      code === undefined
        ? (jsonEscapes[escaped ?? ''] ?? escaped ?? '')
        : String.fromCharCode(Number.parseInt(code, 16)),
    ),
  withoutPercent,
  // As forms are encoded.
  (text) => withoutPercent(text.replaceAll('+', ' ')),
  (text) =>
    text.replaceAll(/&(?:(quot|apos|lt|gt|amp)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (_, name, decimal, hex) => {
      if (name !== undefined) return entities[String(name).toLowerCase()] ?? '';
      return character(decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal));
    }),
];

/** Encodings may be nested, as JSON in JSON. More of them in all than this are nobody's. */
const mostViews = 40;

/** The text as it stands, and with one kind of escape after the other taken away, in any order. */
function views(text: string): readonly string[] {
  const found = [text];
  const known = new Set(found);
  for (let at = 0; at < found.length && found.length < mostViews; at++) {
    for (const decode of decoders) {
      const view = decode(found[at] ?? '');
      if (known.has(view)) continue;
      known.add(view);
      found.push(view);
    }
  }
  return found;
}

/** What base64 of any text with the password in it holds: its bytes may begin at three places of a group of four characters. */
function inBase64(password: string): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.from('\0'.repeat(offset) + password)
      .toString('base64')
      .replace(/=+$/, '');
    // The first characters hold bits of what stands before, the last one those of what stands behind.
    const core = encoded.slice(offset === 0 ? 0 : offset + 1, -1);
    return core.length < tellingLength ? [] : [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/**
 * Whether the password stands in the text in any of these forms. Passwords that are short, or part of one of the public words (a login, a
 * host, the name of a field), are not looked for: they would be found where nothing is secret.
 */
export function remains(text: string, password: string, publicWords: Iterable<string>): boolean {
  if (password.length < tellingLength) return false;
  const lower = password.toLowerCase();
  for (const word of publicWords) if (word.toLowerCase().includes(lower)) return false;
  const needles = [password, ...inBase64(password)];
  return views(text).some((view) => needles.some((needle) => view.includes(needle)));
}
