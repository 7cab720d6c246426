/** A vault keeps 15 tags for each secret: whoever owns it needs some for themselves, however much of Keyturn it uses. */
import { expect, it } from 'vitest';
import * as z from 'zod';
import { rotators } from '../../rotators/registry.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { tagsRead } from '../../shared/engine/policy/policy.ts';
import { mostTags, stampTag } from '../../shared/engine/policy/stamp.ts';

const leftToOwner = 3;

/** Names of Microsoft's samples for tags that count already. */
const aliases = ['ValidityPeriodDays', 'ProviderAddress', 'CredentialId'];

/** What these say fits behind the tag "format", for a secret that needs its tags for other things. */
const foldable = ['field', 'password'];

/** Tags that a version of a managed secret may carry besides what its policy says. */
const written = [stampTag];

/** The tags a rotator reads for itself, from the schema it registers. */
function ownTags(options: z.ZodType): readonly string[] {
  const read = options instanceof z.ZodPipe ? options.in : options;
  if (!(read instanceof z.ZodObject)) throw new Error('a schema of tags is an object, or one that is transformed');
  return Object.keys(read.shape);
}

function allTags(entry: RotatorEntry): readonly string[] {
  const policy = tagsRead({ ...entry, options: z.object({}) }) ?? [];
  // One strategy needs no tag, and without a host there is no second login.
  const needless = [
    ...aliases,
    ...foldable,
    ...(entry.strategies.length === 1 ? ['strategy'] : []),
    ...(entry.hostless === true ? ['users'] : []),
  ];
  const tags = new Set([...policy.filter((tag) => !needless.includes(tag)), ...ownTags(entry.options), ...written]);
  return [...tags];
}

it.each(rotators.map((entry) => [entry.name, entry] as const))(
  'a secret of %s with every feature on leaves 3 of its 15 tags to its owner',
  (_name, entry) => {
    const tags = allTags(entry);
    expect(tags).toEqual(expect.arrayContaining(['rotator', 'admin', 'valid-for', 'notify', stampTag]));
    expect(mostTags - tags.length, tags.join(', ')).toBeGreaterThanOrEqual(leftToOwner);
  },
);
