/**
 * What a caller sends, checked against the documented limits: value 25 KB, content type 255 characters, 15 tags of 256 characters each for
 * name and value.
 */
import * as z from 'zod';
import type { Answer } from './answer.ts';
import { badParameter } from './errors.ts';
import type { VersionInput } from './store.ts';

export const maxValueBytes = 25 * 1024;
const maxTags = 15;
const maxTagLength = 256;
const maxContentTypeLength = 255;

// Seconds since 1970 up to the end of the year 9999, the last the service can write.
const epochSeconds = z.int().min(0).max(253_402_300_799).nullish();
const properties = {
  contentType: z.string().max(maxContentTypeLength).nullish(),
  tags: z.record(z.string().max(maxTagLength), z.string().max(maxTagLength)).nullish(),
  attributes: z.object({ enabled: z.boolean().nullish(), nbf: epochSeconds, exp: epochSeconds }).nullish(),
};
const setSchema = z.object({ value: z.string(), ...properties });
const updateSchema = z.object(properties);
const restoreSchema = z.object({ value: z.string().min(1) });

export type Parsed<Value> =
  | { readonly kind: 'parsed'; readonly value: Value }
  | { readonly kind: 'refused'; readonly answer: Answer };

const refused = (message: string): { kind: 'refused'; answer: Answer } => ({
  kind: 'refused',
  answer: badParameter(message),
});

export function parseSet(body: Buffer): Parsed<{ readonly value: string; readonly input: VersionInput }> {
  const parsed = parse(body, setSchema);
  if (parsed.kind === 'refused') return parsed;
  const { value, ...rest } = parsed.value;
  if (Buffer.byteLength(value) > maxValueBytes)
    return refused(`The length of property 'value' is out of range: at most ${maxValueBytes} bytes are allowed.`);
  const input = toInput(rest);
  return input.kind === 'refused' ? input : { kind: 'parsed', value: { value, input: input.value } };
}

export function parseUpdate(body: Buffer): Parsed<VersionInput> {
  const parsed = parse(body, updateSchema);
  return parsed.kind === 'refused' ? parsed : toInput(parsed.value);
}

export function parseRestore(body: Buffer): Parsed<string> {
  const parsed = parse(body, restoreSchema);
  return parsed.kind === 'refused' ? parsed : { kind: 'parsed', value: parsed.value.value };
}

function parse<Schema extends z.ZodType>(body: Buffer, schema: Schema): Parsed<z.output<Schema>> {
  if (body.length === 0) return refused('The request body is missing.');
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's own message quotes the text, which may hold the secret.
    return refused('The request body is not valid JSON.');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: 'parsed', value: parsed.data };
  const [issue] = parsed.error.issues;
  const property = issue?.path.join('.') ?? '';
  // This sentence, with its two blanks where the service names nothing, is the one recorded for too many tags.
  return property === ''
    ? refused('Property  has invalid value\r\n')
    : refused(`Property ${property} has invalid value\r\n`);
}

function toInput(properties: z.output<typeof updateSchema>): Parsed<VersionInput> {
  const { contentType, tags, attributes } = properties;
  if (tags != null && Object.keys(tags).length > maxTags) return refused('Property  has invalid value\r\n');
  // Null means "not given" on this wire, for every property.
  return {
    kind: 'parsed',
    value: {
      ...(contentType == null ? {} : { contentType }),
      ...(tags == null ? {} : { tags }),
      ...(attributes?.enabled == null ? {} : { enabled: attributes.enabled }),
      ...(attributes?.nbf == null ? {} : { notBeforeSeconds: attributes.nbf }),
      ...(attributes?.exp == null ? {} : { expiresSeconds: attributes.exp }),
    },
  };
}
