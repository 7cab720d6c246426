/**
 * The description of a provider that issues keys over HTTP: which requests create, prove, list and revoke a key. Descriptions come with
 * Keyturn or from a folder of the app; both pass this schema, which names every problem at once.
 */
import * as z from 'zod';
import { variablesIn } from './template.ts';

const template = z.string().max(4_000);
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9]*$/, 'use letters and digits');
const pointer = z.string().regex(/^(\/([^~/]|~[01])*)*$/, 'write a JSON pointer such as /data/id');
/** A regular expression that is used on texts of the other side. */
const pattern = z.string().max(1_000).refine(compiles, 'write a regular expression');
const status = z.number().int().min(100).max(599);
const seconds = z.number().min(0).max(600);

/** True of an answer's body: the value at `pointer` equals, is absent or empty, or is present. */
const assertion = z.strictObject({
  pointer,
  equals: z.union([z.string(), z.number(), z.boolean()]).optional(),
  empty: z.literal(true).optional(),
  present: z.literal(true).optional(),
});

/** Where a value stands in an answer: at the first pointer that leads somewhere, or in a header. */
const extraction = z.union([
  z.strictObject({ pointer: z.union([pointer, z.array(pointer).min(1)]), optional: z.literal(true).optional() }),
  z.strictObject({ items: pointer, where: z.strictObject({ pointer, equals: template }), pointer }),
  z.strictObject({ header: z.string().min(1), pattern: pattern.optional() }),
]);

const json: z.ZodType<unknown> = z.lazy(() =>
  z.union([template, z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
);

const body = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('json'), value: json }),
  z.strictObject({ kind: z.literal('form'), fields: z.record(z.string(), template) }),
  z.strictObject({ kind: z.literal('multipart'), fields: z.record(z.string().regex(/^[\w.-]+$/), template) }),
  z.strictObject({ kind: z.literal('raw'), text: template, contentType: z.string().min(1) }),
]);

const authentication = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('bearer'), token: template }),
  z.strictObject({ kind: z.literal('basic'), username: template, password: template }),
  z.strictObject({ kind: z.literal('headers'), headers: z.record(z.string().min(1), template) }),
  z.strictObject({
    kind: z.literal('client-credentials'),
    url: template,
    clientId: template,
    clientSecret: template,
    scope: z.string().optional(),
  }),
]);

const request = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  url: template.regex(/^https?:\/\//, 'write the whole address, beginning with https://'),
  headers: z.record(z.string().min(1), template).default({}),
  query: z.record(z.string().min(1), template).default({}),
  body: body.optional(),
  as: z.enum(['admin', 'credential', 'nobody']).default('admin'),
  /** Statuses and truths of the body that mean success. */
  success: z
    .strictObject({ status: z.array(status).min(1), body: z.array(assertion).default([]) })
    .default({ status: [200], body: [] }),
  extract: z.record(name, extraction).default({}),
});

const listing = request.extend({
  items: pointer,
  id: pointer,
  /** Where the name of a key stands. Absent: the provider gives keys no names. */
  label: pointer.optional(),
  /** Where the provider shows a part of the key itself, with `*`, `•` or dots for the rest. Only for listings of what `verify` logs in to. */
  mask: pointer.optional(),
  /** How the next page is asked for; one page when absent. */
  pages: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('number'), query: z.string(), first: z.number().int() }),
      z.strictObject({ kind: z.literal('cursor'), query: z.string(), pointer }),
      z.strictObject({ kind: z.literal('link'), pointer }),
    ])
    .optional(),
});

const part = z.strictObject({
  name,
  pattern: pattern.default('[A-Za-z0-9._-]+'),
  values: z.array(z.string()).min(1).optional(),
  default: z.string().optional(),
  number: z.literal(true).optional(),
  /** It follows from the other parts: there is one that fits them, and nothing is done for another. */
  implied: z.literal(true).optional(),
});

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use lower case letters, digits and dashes'),
  title: z.string().min(1),
  documentation: z.url(),
};

const manual = z.strictObject({ ...common, manual: z.strictObject({ reason: z.string().min(1) }) });

const automatic = z.strictObject({
  ...common,
  /** The only hosts that its requests go to; each must stand in the app's settings too. */
  hosts: z.array(z.string().regex(/^[a-z0-9.:-]+$/, 'write a host in lower case, with a port if it needs one')).min(1),
  /** Parts behind the name in the tag `provider`, in order, with / between them; `{{resource.NAME}}` in requests. */
  resource: z.array(part).default([]),
  /** The key is a pair, written `first:second` where the value has no place for a login. */
  pair: z.strictObject({ separator: z.string().length(1) }).optional(),
  adminPair: z.strictObject({ separator: z.string().length(1) }).optional(),
  authentication: z.strictObject({ admin: authentication, credential: authentication }),
  /** How the provider's id of the published key is found where no stamp holds it: its first group, or a request's `id`. */
  identify: z.union([z.strictObject({ pattern }), request]).optional(),
  /** Asked before a key is made; what is extracted is `read.NAME`. */
  read: z.array(request).default([]),
  create: request,
  /** Asked after creation until it succeeds; what is extracted is `created.NAME`. */
  poll: request.extend({ intervalSeconds: seconds.default(2), deadlineSeconds: seconds.default(60) }).optional(),
  /** How the new credential is put together from the answers. */
  credential: z.strictObject({ username: template.optional(), password: template, keyId: template }),
  verify: request.extend({
    /** Statuses that mean that the key is wrong. Other answers prove nothing. */
    refusedBy: z.array(status).default([401, 403]),
    intervalSeconds: seconds.default(2),
    /** How long a new key may take to work everywhere. */
    deadlineSeconds: seconds.default(30),
    successes: z.number().int().min(1).max(10).default(1),
  }),
  revoke: request.extend({
    /** Statuses, or a truth of the body, that mean that the key is gone already. */
    gone: z.array(status).default([404, 410]),
    goneBody: z.array(assertion).default([]),
  }),
  /** Finds keys by label, so that what a crashed attempt left behind is revoked. */
  list: listing.optional(),
});

/** A provider without a way to make keys by program: a person is told what to do. */
export const manualSchema = manual;

/** A provider. Variables are checked too: each must be known where it stands, and no secret may stand in an address. */
export const descriptionSchema = automatic.superRefine((description, context) => {
  for (const { path, message } of variableProblems(description)) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
});

export type ManualDescription = z.infer<typeof manual>;
export type Description = z.infer<typeof automatic>;
export type AnyDescription = ManualDescription | Description;
export type RequestDescription = z.infer<typeof request>;
export type Extraction = z.infer<typeof extraction>;
export type Assertion = z.infer<typeof assertion>;
export type Authentication = z.infer<typeof authentication>;
export type BodyDescription = z.infer<typeof body>;

/** Both as it is and as a group that fits a whole text: `a)(b` is fit for one of the two only. */
function compiles(text: string): boolean {
  try {
    return [text, `^(?:${text})$`].every((one) => new RegExp(one) !== undefined);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const secretVariables = /^(admin\.(username|password|parts\.\w+)|credential\.(password|parts\.\w+))$/;

function variableProblems(description: Description): Problem[] {
  const resource = description.resource.map((one) => `resource.${one.name}`);
  const admin = /^admin\.(username|password|parts\.\w+)$/;
  const credential = /^credential\.(username|password|keyId|parts\.\w+)$/;
  const created = Object.keys({ ...description.create.extract, ...description.poll?.extract }).map(
    (one) => `created.${one}`,
  );
  const read = description.read.flatMap((one) => Object.keys(one.extract)).map((one) => `read.${one}`);
  const issued = variablesIn(description.credential.password);
  const everywhere = ['label', 'secret', ...resource];
  const known: Readonly<Record<string, readonly string[]>> = {
    read: everywhere,
    create: [...everywhere, ...read],
    poll: [...everywhere, ...read, ...created],
    credential: created.concat(everywhere),
  };
  const problems: Problem[] = [];
  for (const [step, value] of Object.entries(description)) {
    for (const { path, text } of textsIn(value, [step])) {
      for (const variable of variablesIn(text)) {
        const fits =
          (known[step] ?? everywhere).includes(variable) || admin.test(variable) || credential.test(variable);
        if (!fits) problems.push({ path, message: `{{${variable}}} is not known here` });
        const inAddress = path.includes('url') || path.includes('query');
        if (inAddress && (secretVariables.test(variable) || issued.includes(variable)))
          problems.push({ path, message: `{{${variable}}} is secret and must not stand in an address` });
      }
    }
  }
  return problems;
}

/**
 * Whether a login with a key proves that it belongs to what the tag `provider` names: only then is the login sent there. Where it is not, a
 * key that is listed there has to be the proof.
 */
export function provesResource({ resource, create, verify, authentication }: Description): boolean {
  const names = (part: unknown): readonly string[] => [...textsIn(part, [])].flatMap(({ text }) => variablesIn(text));
  const [made, asked] = [names(create), names([verify, authentication.credential])];
  return resource
    .filter(({ name, implied }) => implied !== true && made.includes(`resource.${name}`))
    .every(({ name }) => asked.includes(`resource.${name}`));
}

/** Whether a part of a description names the provider's id of a key. */
export function namesKeyId(part: unknown): boolean {
  return [...textsIn(part, [])].some(({ text }) => variablesIn(text).includes('credential.keyId'));
}

function* textsIn(
  value: unknown,
  path: readonly (string | number)[],
): Generator<{ path: readonly (string | number)[]; text: string }> {
  if (typeof value === 'string') yield { path, text: value };
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) yield* textsIn(item, [...path, key]);
  }
}
