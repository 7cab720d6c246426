import * as z from 'zod';

export type Encoding = 'alphanumeric' | 'base64' | 'base64url' | 'hex';

export interface SelfIssuedTags {
  /** Put before the random part as it is. */
  readonly prefix: string;
  /** How the random part is made: characters drawn from an alphabet, or random bytes written in an encoding. */
  readonly form:
    | { readonly kind: 'characters'; readonly alphabet?: string; readonly length: number }
    | { readonly kind: 'bytes'; readonly encoding: Exclude<Encoding, 'alphanumeric'>; readonly bytes: number };
}

/** Nothing weaker is made: who sees one signature may guess at the key offline for as long as it is trusted. */
export const leastBits = 200;

const length = z
  .string()
  .regex(/^\d{1,4}$/, 'write "length" as a whole number: characters, or random bytes with base64, base64url and hex')
  .transform(Number)
  .refine((count) => count >= 1 && count <= 4096, 'choose a "length" from 1 to 4096');

const alphabet = z
  .string()
  .regex(/^[\x21-\x7e]{2,94}$/, 'write "alphabet" as 2 to 94 printable ASCII characters without a blank')
  .refine((text) => new Set(text).size === text.length, 'name each character of "alphabet" once');

const fields = z.object({
  length: length.optional(),
  alphabet: alphabet.optional(),
  encoding: z
    .enum(['alphanumeric', 'base64', 'base64url', 'hex'], {
      error: 'choose "encoding" from alphanumeric, base64, base64url and hex',
    })
    .default('alphanumeric'),
  prefix: z
    .string()
    .regex(/^[\x21-\x7e]{0,64}$/, 'write "prefix" as at most 64 printable ASCII characters without a blank')
    .default(''),
});

const fieldNames = Object.keys(fields.shape);

/** The tag `form` of a self-issued secret: `encoding=base64 length=32 prefix=whsec_`, each at most once, with blanks between them. */
export const selfIssuedTags: z.ZodType<SelfIssuedTags> = z
  .looseObject({ form: z.string().default('') })
  .transform(({ form }, context): SelfIssuedTags => {
    const read = readForm(form);
    if (read.kind === 'form') return read.tags;
    for (const message of read.problems) context.issues.push({ code: 'custom', input: form, path: ['form'], message });
    return z.NEVER;
  });

type Read =
  | { readonly kind: 'form'; readonly tags: SelfIssuedTags }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

function wrong(...problems: readonly string[]): Read {
  return { kind: 'wrong', problems };
}

function readForm(text: string): Read {
  const said = new Map<string, string>();
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const [name = ''] = word.split('=', 1);
    if (!word.includes('=') || !fieldNames.includes(name) || said.has(name))
      return wrong(
        'write "form" as encoding=…, length=…, alphabet=… and prefix=…, each once, with blanks between them',
      );
    said.set(name, word.slice(name.length + 1));
  }
  const read = fields.safeParse(Object.fromEntries(said));
  return read.success ? assemble(read.data) : wrong(...read.error.issues.map((issue) => issue.message));
}

function assemble({ encoding, prefix, length: size, alphabet: drawnFrom }: z.infer<typeof fields>): Read {
  if (encoding !== 'alphanumeric' && drawnFrom !== undefined)
    return wrong(`remove "alphabet" or "encoding": ${encoding} has its own characters`);
  const count = size ?? (encoding === 'alphanumeric' ? 40 : 32);
  const bits = encoding === 'alphanumeric' ? count * Math.log2(drawnFrom?.length ?? 62) : count * 8;
  if (bits < leastBits)
    return wrong(`choose a greater "length": ${Math.floor(bits)} random bits are fewer than ${leastBits}`);
  if (encoding !== 'alphanumeric')
    return { kind: 'form', tags: { prefix, form: { kind: 'bytes', encoding, bytes: count } } };
  const drawn = drawnFrom === undefined ? {} : { alphabet: drawnFrom };
  return { kind: 'form', tags: { prefix, form: { kind: 'characters', length: count, ...drawn } } };
}
