import { z } from 'zod';

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

/** Tags `length`, `alphabet`, `encoding` and `prefix` of a self-issued secret. */
export const selfIssuedTags: z.ZodType<SelfIssuedTags> = z
  .looseObject({
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
  })
  .transform((tags, context): SelfIssuedTags => {
    const { encoding, prefix } = tags;
    if (encoding !== 'alphanumeric' && tags.alphabet !== undefined) {
      const message = `remove "alphabet" or "encoding": ${encoding} has its own characters`;
      context.issues.push({ code: 'custom', input: tags, path: ['alphabet'], message });
      return z.NEVER;
    }
    const size = tags.length ?? (encoding === 'alphanumeric' ? 40 : 32);
    const bits = encoding === 'alphanumeric' ? size * Math.log2(tags.alphabet?.length ?? 62) : size * 8;
    if (bits < leastBits) {
      const message = `choose a greater "length": ${Math.floor(bits)} random bits are fewer than ${leastBits}`;
      context.issues.push({ code: 'custom', input: tags, path: ['length'], message });
      return z.NEVER;
    }
    if (encoding !== 'alphanumeric') return { prefix, form: { kind: 'bytes', encoding, bytes: size } };
    const drawn = tags.alphabet === undefined ? {} : { alphabet: tags.alphabet };
    return { prefix, form: { kind: 'characters', length: size, ...drawn } };
  });
