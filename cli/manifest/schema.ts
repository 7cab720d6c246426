/** What a manifest holds: which tags the secrets of a team are to have. */
import * as z from 'zod';
import { rotatorNames, tagHelp } from './tag-names.ts';

const takesPatterns = 'takes a name of letters, digits and dashes, with * for any characters, or a list of them';

const pattern = z.string().regex(/^[0-9a-zA-Z*-]{1,127}$/, takesPatterns);

const patterns = z
  .union([pattern.transform((one) => [one]), z.array(pattern).min(1)], takesPatterns)
  .describe('A name with * for any characters, or a list of them.');

const scalar = z
  .union([z.string(), z.number(), z.boolean()], 'takes a text, a number, or null, which takes the tag away')
  .transform(String)
  .pipe(
    z
      .string()
      .max(256, 'takes 256 characters at most')
      .regex(/^[^\p{Cc}]*$/u, 'takes one line'),
  );

const tagValue = z.union([scalar, z.null()], 'takes a text, a number, or null, which takes the tag away');

type TagValue = z.infer<typeof tagValue>;

const rotatorTag = z.union([z.enum(rotatorNames), z.null()], `is one of ${rotatorNames.join(', ')}`);

const known: Readonly<Record<string, z.ZodOptional<z.ZodType<TagValue>>>> = Object.fromEntries(
  Object.entries(tagHelp).map(([name, help]) => {
    const takes: z.ZodType<TagValue> = name === 'rotator' ? rotatorTag : tagValue;
    return [name, takes.optional().describe(help)];
  }),
);

const tags = z
  .object(known)
  .catchall(tagValue)
  .describe('Tags that are to stand; null takes one away. Tags that are not named stay as they are.');

const environment = z.strictObject({
  vaults: patterns,
  defaults: tags.optional().describe('Over the defaults of the manifest, in this environment.'),
});

const rule = z.strictObject({
  match: patterns,
  vaults: patterns.optional().describe('Only in these vaults. Absent: in all of the environment.'),
  except: patterns.optional().describe('Secrets that the rule leaves alone.'),
  environments: z.array(z.string()).min(1).optional().describe('Only there. Absent: in all.'),
  tags,
});

export const manifestSchema = z.strictObject({
  version: z.literal(1, 'is 1'),
  defaults: tags.optional().describe('For every secret whose rules give it a rotator.'),
  environments: z.record(z.string().regex(/^[\w-]{1,64}$/, 'takes letters, digits and dashes'), environment).optional(),
  secrets: z.array(rule).min(1, 'takes at least one rule').describe('Rules. Where several fit, later ones win.'),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Rule = Manifest['secrets'][number];
export type WantedTags = Readonly<Record<string, TagValue | undefined>>;

/** For editors: JSON Schema, draft 2020-12. */
export function manifestJsonSchema(): unknown {
  const schema = z.toJSONSchema(manifestSchema, { io: 'input', unrepresentable: 'any' });
  return {
    title: 'Manifest of Keyturn',
    description: 'Which tags secrets are to have: docs/onboarding.md.',
    ...schema,
  };
}
