/** What a secret's tags ask for. See docs/tags.md. */
import * as z from 'zod';
import { type DurationBounds, parseDurationWithin, policyBounds } from '../../config/duration.ts';
import { type Window, windowTag } from '../../config/window.ts';
import type { PasswordRules } from '../../contract/password-rules.ts';
import type { Tags } from '../../contract/ports.ts';
import type { ManualCare, RotatorEntry } from '../../contract/rotator.ts';
import { type Strategy, strategies, strategyTraits } from '../../contract/strategy.ts';
import type { TagProblem } from '../../errors.ts';
import type { Format } from '../../secret-value/index.ts';
import { fieldTag, formatTag } from './format-tag.ts';
import { type Also, alsoTagValue, copyOfTag, derivedFromTag } from './links.ts';
import { passwordTag } from './password-tag.ts';
import { policyTag, unpackPolicy } from './policy-tag.ts';
import { requestedTag } from './requested.ts';
import { pendingOfTag, stampTag } from './stamp.ts';

/** Whose rights make the target accept a new credential. */
export type AdminPolicy =
  | { readonly kind: 'self' }
  | { readonly kind: 'identity' }
  | { readonly kind: 'secret'; readonly name: string };

export interface Policy {
  readonly rotator: RotatorEntry;
  readonly strategy: Strategy;
  readonly admin: AdminPolicy;
  /** Logins named by the tag `users`. One gives the login of a value that holds none. */
  readonly users: readonly string[];
  readonly validForMs: number;
  readonly rotateBeforeMs: number;
  readonly overlapMs: number;
  /** When scheduled rotations may start; undefined: any time. */
  readonly window: Window | undefined;
  /** Who must acknowledge a new version. */
  readonly consumers: readonly string[];
  /** Names of notification channels; undefined: the app's default. */
  readonly notify: readonly string[] | undefined;
  /** How long before a scheduled rotation it is announced; undefined: not at all. */
  readonly announceMs: number | undefined;
  /** How often it is rehearsed unasked; undefined: never. */
  readonly rehearseMs: number | undefined;
  /** What follows a version of somebody else that does not log in. */
  readonly onForeignVersion: 'report' | 'repair';
  /** Present where a person replaces the credential: Keyturn reminds, and never rotates. */
  readonly manual: ManualCare | undefined;
  readonly format: Format | undefined;
  /** A JSON pointer that chooses among several credentials of one value. */
  readonly field: string | undefined;
  /** Copies and derived secrets that are published with it. */
  readonly also: readonly Also[];
  /** What new passwords have to be made of; undefined: as the generator likes. */
  readonly password: PasswordRules | undefined;
  /** The rotator's own tags, parsed by its schema. */
  readonly options: unknown;
}

/** The app's settings that tags override or refer to. Times in ms. */
export interface PolicyDefaults {
  /** Names of channels, lower case; absent: not known here. */
  readonly channels?: { has(name: string): boolean };
  readonly validForMs: number;
  readonly rotateBeforeMs: number;
  readonly overlapMs: number;
}

export type PolicyOutcome =
  | { readonly kind: 'policy'; readonly policy: Policy }
  /** No tag `rotator`: the secret is left alone. */
  | { readonly kind: 'opted-out' }
  | { readonly kind: 'invalid'; readonly problems: readonly TagProblem[] };

/** The tags of Microsoft's rotation samples, and what they are called here. */
const aliases: readonly (readonly [alias: string, tag: string])[] = [
  ['ValidityPeriodDays', 'valid-for'],
  ['ProviderAddress', 'resource'],
  ['CredentialId', 'users'],
];

const secretName = /^[0-9a-zA-Z-]{1,127}$/;
const listed = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part.length > 0);

const durationTag = (bounds: DurationBounds) =>
  z.string().transform((text, context): number => {
    const duration = parseDurationWithin(text, bounds);
    if (duration.kind === 'duration') return duration.ms;
    context.addIssue({ code: 'custom', message: duration.detail });
    return z.NEVER;
  });

const nameList = z
  .string()
  .transform(listed)
  .pipe(
    z.array(
      z.string().regex(/^[\w.@-]{1,64}$/, 'takes names of letters, digits, dots and dashes, separated by commas'),
    ),
  );

const policyTags = z.object({
  strategy: z.enum(strategies, { error: `is one of ${strategies.join(', ')}` }).optional(),
  admin: z.string().regex(secretName, 'is the name of a vault secret, or managed-identity').optional(),
  users: z.string().transform(listed).optional(),
  'valid-for': durationTag(policyBounds.validFor).optional(),
  'rotate-before': durationTag(policyBounds.rotateBefore).optional(),
  overlap: durationTag(policyBounds.overlap).optional(),
  window: windowTag.optional(),
  consumers: nameList.optional(),
  notify: nameList.optional(),
  announce: durationTag(policyBounds.rotateBefore).optional(),
  rehearse: durationTag(policyBounds.rehearse).optional(),
  'on-foreign-version': z.enum(['report', 'repair'], { error: 'is one of report, repair' }).optional(),
  format: formatTag.optional(),
  field: fieldTag.optional(),
  password: passwordTag.optional(),
  also: alsoTagValue.optional(),
});

type PolicyTags = z.infer<typeof policyTags>;

/** Reads the policy of a secret from its tags. Names every problem at once. Pure: the same tags always give the same answer. */
export type ParsePolicy = (
  given: Tags,
  defaults: PolicyDefaults,
  rotators: ReadonlyMap<string, RotatorEntry>,
) => PolicyOutcome;

export const parsePolicy: ParsePolicy = (given, defaults, rotators) => {
  const name = given['rotator'];
  if (name === undefined) return { kind: 'opted-out' };
  const entry = rotators.get(name);
  const unpacked = unpackPolicy(given, (tag) => mayStandInside(tag, entry));
  const tags = withAliases(unpacked.tags);
  const parsed = policyTags.safeParse(tags);
  if (entry === undefined) {
    const detail = `"${name}" is no rotator; there are ${[...rotators.keys()].join(', ')}`;
    return {
      kind: 'invalid',
      problems: [{ tag: 'rotator', detail }, ...unpacked.problems, ...problemsOf(parsed.error)],
    };
  }
  const options = entry.options.safeParse(tags);
  const problems = [
    ...unpacked.problems,
    ...problemsOf(parsed.error),
    ...unsupported(entry, tags),
    ...problemsOf(options.error),
  ];
  if (!parsed.success || !options.success || problems.length > 0) return { kind: 'invalid', problems };
  return assemble(parsed.data, defaults, entry, options.data);
};

const policyNames: ReadonlySet<string> = new Set(Object.keys(policyTags.shape));

/** Tags that a policy may depend on besides the rotator's own. */
export const ownTags: readonly string[] = ['rotator', policyTag, ...policyNames, ...aliases.map(([alias]) => alias)];

/** Tags that are looked for in a listing stand alone, and Keyturn's own are nobody's to write. */
const alone: ReadonlySet<string> = new Set([
  ...['rotator', policyTag, stampTag, requestedTag, pendingOfTag, copyOfTag, derivedFromTag],
]);

function mayStandInside(tag: string, entry: RotatorEntry | undefined): boolean {
  if (policyNames.has(tag)) return true;
  const names = entry === undefined ? undefined : tagsRead(entry);
  return names === undefined ? !alone.has(tag) : names.includes(tag) && !ownTags.includes(tag);
}

/** The tags that a policy with this rotator depends on; undefined where only reading them shows it. */
export function tagsRead(entry: RotatorEntry): readonly string[] | undefined {
  const { options } = entry;
  const namesAll = options instanceof z.ZodObject && options.def.catchall === undefined;
  return namesAll ? [...ownTags, ...Object.keys(options.shape)] : undefined;
}

/** The tags that a secret of this rotator has for Keyturn alone; those of Microsoft's samples are not among them. */
export function managedTags(entry: RotatorEntry | undefined): readonly string[] {
  const names = entry === undefined ? undefined : tagsRead(entry);
  const samples = new Set(aliases.map(([alias]) => alias));
  return (names ?? [...ownTags, 'provider', 'resource']).filter((name) => !samples.has(name));
}

function assemble(own: PolicyTags, defaults: PolicyDefaults, entry: RotatorEntry, options: unknown): PolicyOutcome {
  const strategy = own.strategy ?? entry.strategies[0];
  const manual = entry.manual?.(options);
  const validForMs = own['valid-for'] ?? defaults.validForMs;
  const third = Math.floor(validForMs / 3);
  const rotateBeforeMs = own['rotate-before'] ?? Math.min(defaults.rotateBeforeMs, third);
  const problems: TagProblem[] = [];
  if (rotateBeforeMs > third) {
    const detail = 'is at most a third of valid-for: a longer lead time would rotate again and again';
    problems.push({ tag: 'rotate-before', detail });
  }
  if (own.overlap !== undefined && own.overlap >= validForMs - Math.min(rotateBeforeMs, third)) {
    const detail = 'must be shorter than the time between two rotations, which is valid-for less rotate-before';
    problems.push({ tag: 'overlap', detail });
  }
  problems.push(...ofValue(own, strategy));
  if (own.announce !== undefined && own.announce >= validForMs - rotateBeforeMs) {
    problems.push({ tag: 'announce', detail: 'must be shorter than the time between two rotations' });
  }
  if (problems.length > 0) return { kind: 'invalid', problems };
  return {
    kind: 'policy',
    policy: {
      rotator: entry,
      strategy,
      admin: adminOf(own.admin),
      users: own.users ?? [],
      validForMs,
      rotateBeforeMs,
      // The next rotation must not find the overlap running, so the default gives way to a short lifetime.
      overlapMs: own.overlap ?? Math.min(defaults.overlapMs, third),
      window: own.window,
      consumers: own.consumers ?? [],
      notify: own.notify,
      announceMs: own.announce,
      rehearseMs: own.rehearse,
      onForeignVersion: own['on-foreign-version'] ?? 'report',
      manual,
      // Whatever its value is, it is a person's and left as it is.
      format: manual === undefined ? own.format?.format : 'raw',
      field: own.field ?? own.format?.field,
      also: own.also ?? [],
      password: own.password ?? own.format?.password,
      options,
    },
  };
}

/** What the tags say of the value and the password, and cannot. */
function ofValue({ format, field, password }: PolicyTags, strategy: Strategy): readonly TagProblem[] {
  const problems: TagProblem[] = [];
  if ((field ?? format?.field) !== undefined && format !== undefined && format.format !== 'json') {
    problems.push({ tag: 'field', detail: `points into JSON, and the tag "format" says ${format.format}` });
  }
  if (field !== undefined && format?.field !== undefined) {
    problems.push({ tag: 'field', detail: 'stands behind the tag "format", too; keep one' });
  }
  if (password !== undefined && format?.password !== undefined) {
    problems.push({ tag: 'password', detail: 'stands behind the tag "format", too; keep one' });
  }
  if ((password ?? format?.password) !== undefined && !strategyTraits[strategy].chosen) {
    problems.push({
      tag: 'password',
      detail: `is for passwords that Keyturn makes; with ${strategy} the target makes the key`,
    });
  }
  return problems;
}

/** A strategy that there is, but not for this rotator. */
function unsupported(entry: RotatorEntry, tags: Tags): TagProblem[] {
  const strategy = strategies.find((each) => each === tags['strategy']);
  if (strategy === undefined || entry.strategies.includes(strategy)) return [];
  const detail = `${entry.name} cannot do ${strategy}; it can do ${entry.strategies.join(', ')}`;
  return [{ tag: 'strategy', detail }];
}

function adminOf(tag: string | undefined): AdminPolicy {
  if (tag === undefined) return { kind: 'self' };
  return tag === 'managed-identity' ? { kind: 'identity' } : { kind: 'secret', name: tag };
}

function withAliases(given: Tags): Tags {
  const tags = { ...given };
  for (const [alias, tag] of aliases) {
    const value = given[alias];
    if (value !== undefined) tags[tag] ??= value;
  }
  return tags;
}

function problemsOf(error: z.ZodError | undefined): TagProblem[] {
  return (error?.issues ?? []).map((issue) => ({ tag: String(issue.path[0] ?? 'rotator'), detail: issue.message }));
}
