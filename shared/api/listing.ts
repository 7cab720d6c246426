/** Going through secrets by listing alone: one page of one vault at a time, nothing read of a single secret. */
import * as z from 'zod';
import type { SecretProperties, SecretsPage } from '../contract/ports.ts';
import type { Irregular, Trouble } from '../contract/state.ts';
import { isPendingName } from '../engine/policy/identifiers.ts';
import { readStamp } from '../engine/policy/stamp.ts';
import { judgePending } from '../engine/sweep/judge.ts';
import { type Known, secretStates } from '../engine/sweep/standing.ts';
import { type Failure, isFailure } from '../errors.ts';
import { troublesOf } from '../operations/troubles.ts';
import type { ApiDependencies } from './dependencies.ts';
import { fields, secretName, vaultName } from './fields.ts';
import { type SecretView, viewSecret } from './views/secret.ts';

/** Which secrets are meant. All that is given must hold; a value that fits none fits none. */
export interface Selection {
  readonly vault?: string | undefined;
  readonly states?: readonly string[] | undefined;
  readonly rotator?: string | undefined;
  /** A tag by its name, with its value where one is given. */
  readonly tags?: readonly { readonly name: string; readonly value?: string }[] | undefined;
  /** Lower case. */
  readonly names?: ReadonlySet<string> | undefined;
}

/** Without a state named, only secrets that opted in are meant. */
export function selects(selection: Selection, view: SecretView): boolean {
  const { states, rotator, tags = [], names } = selection;
  if (states === undefined ? view.state === 'unmanaged' : !states.includes(view.state)) return false;
  if (rotator !== undefined && view.rotator !== rotator) return false;
  if (names !== undefined && !names.has(view.secret.toLowerCase())) return false;
  return tags.every(({ name, value }) => {
    const found = Object.hasOwn(view.tags, name) ? view.tags[name] : undefined;
    return found !== undefined && (value === undefined || found === value);
  });
}

const position = z.strictObject({ vault: vaultName, next: z.string().max(4096).optional() });
export type Position = z.infer<typeof position>;

/** Where a listing goes on, as a text that means nothing to the caller. It may come back from anybody and is read with care. */
export function tokenOf(at: Position): string {
  return Buffer.from(JSON.stringify(at)).toString('base64url');
}

export const pageToken = z
  .string()
  .max(8192, 'takes the "next" of a page before')
  .transform((text, context): Position => {
    try {
      const parsed = position.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
      if (parsed.success) return parsed.data;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    context.addIssue({ code: 'custom', message: 'takes the "next" of a page before' });
    return z.NEVER;
  });

/** The next page of a listing over the vaults that are meant. */
export async function readPage(
  deps: ApiDependencies,
  vaults: readonly string[],
  at: Position,
  signal: AbortSignal,
): Promise<{ readonly kind: 'page'; readonly page: SecretsPage; readonly next: Position | undefined } | Failure> {
  const vault = deps.engine.vaults.get(at.vault);
  const page = vault === undefined ? undefined : await firstOf(vault.list({ signal, after: at.next ?? '' }));
  if (page !== undefined && isFailure(page)) return page;
  const following = vaults[vaults.indexOf(at.vault) + 1];
  const next = nextPosition(at, page?.next, following);
  return { kind: 'page', page: page ?? { kind: 'page', secrets: [], readAt: deps.now() }, next };
}

function nextPosition(at: Position, next: string | undefined, following: string | undefined): Position | undefined {
  if (next !== undefined) return { vault: at.vault, next };
  return following === undefined ? undefined : { vault: following };
}

async function firstOf<Item>(items: AsyncIterable<Item>): Promise<Item | undefined> {
  for await (const item of items) return item;
  return undefined;
}

/** What is known of the secrets of a vault besides its own facts. */
export interface KnownBeside {
  of(secret: string): Known;
  /** What could not be read, as sentences. */
  readonly warnings: readonly string[];
  /** Failures could not be read: which secrets fail or are paused is not known. */
  readonly unread: Failure | undefined;
}

/** Reads it once for a whole listing: the freeze, failures by activity, and who is worked on. */
export async function knownBeside(deps: ApiDependencies, vault: string): Promise<KnownBeside> {
  const [freeze, held, troubles] = await Promise.all([
    deps.freeze.read(),
    deps.leasesHeld.held(vault),
    troublesOf(deps.attention, vault),
  ]);
  const irregular = await irregularOf(deps, vault);
  const bySecret = isFailure(troubles) ? new Map<string, Trouble>() : troubles.bySecret;
  const leased = isFailure(held) ? new Set<string>() : held.secrets;
  const warnings = [
    ...(isFailure(troubles) ? [`Which secrets fail or are paused is not known: ${troubles.message}`] : []),
    ...(irregular.failed === undefined
      ? []
      : [`Which secrets share a login or lost their tags is not known: ${irregular.failed.message}`]),
    ...(isFailure(held) ? [`Which secrets are worked on is not known: ${held.message}`] : []),
    ...(isFailure(freeze) ? [`Whether the app is frozen is not known, which counts as frozen: ${freeze.message}`] : []),
  ];
  return {
    of: (secret) => {
      const name = secret.toLowerCase();
      return {
        trouble: bySecret.get(name),
        freeze: isFailure(freeze) ? 'unreadable' : freeze,
        inFlight: leased.has(name),
        ...knownOf(irregular.bySecret.get(name)),
      };
    },
    warnings,
    unread: isFailure(troubles) ? troubles : undefined,
  };
}

async function irregularOf({ irregularities }: ApiDependencies, vault: string) {
  const bySecret = new Map<string, Irregular>();
  for await (const one of irregularities.all(vault)) {
    if (isFailure(one)) return { bySecret, failed: one };
    bySecret.set(one.secret.toLowerCase(), one);
  }
  return { bySecret, failed: undefined };
}

/** What is out of the ordinary with a secret, for how it stands. Pure. */
export function knownOf(irregular: Irregular | undefined): Pick<Known, 'sharedWith' | 'optedOutBy'> {
  const { sharedWith, optedOut } = irregular ?? {};
  return { ...(sharedWith === undefined ? {} : { sharedWith }), ...(optedOut === true ? { optedOutBy: '' } : {}) };
}

/** A page of a listing. A candidate that stands on the page says how its secret stands; on another page it has a row of its own. */
export function viewAll(
  deps: ApiDependencies,
  vault: string,
  secrets: readonly SecretProperties[],
  beside: KnownBeside,
  now: Date,
): SecretView[] {
  const stored = new Set(secrets.flatMap(ownerOf));
  return secrets.map((one) => {
    const known = { ...beside.of(one.name), isStored: stored.has(one.name.toLowerCase()) };
    return viewSecret(deps.engine, vault, one, known, now);
  });
}

/** The secret that it is the stored candidate of, in lower case. */
function ownerOf(properties: SecretProperties): readonly string[] {
  if (!isPendingName(properties.name)) return [];
  const finding = judgePending(properties, readStamp(properties.tags));
  return finding.kind === 'stalled' ? [finding.secret.toLowerCase()] : [];
}

/** The fields of a selector in a body. At least one: an empty one would mean everything. */
export const selector = fields({
  vault: vaultName.optional(),
  state: z.enum(secretStates).optional(),
  rotator: z.string().min(1).max(64).optional(),
  tags: z.record(z.string().min(1).max(256), z.string().max(256)).optional(),
  names: z.array(secretName).min(1, 'takes at least one name').max(1000, 'takes 1000 names at most').optional(),
}).refine((given) => Object.values(given).some((value) => value !== undefined), {
  message: 'takes at least one of vault, state, rotator, tags, names: an empty selector selects nothing',
});

export function selectionOf(given: z.infer<typeof selector>): Selection {
  const { vault, state, rotator, tags, names } = given;
  return {
    vault,
    states: state === undefined ? undefined : [state],
    rotator,
    tags: tags === undefined ? undefined : Object.entries(tags).map(([name, value]) => ({ name, value })),
    names: names === undefined ? undefined : new Set(names.map((name) => name.toLowerCase())),
  };
}
