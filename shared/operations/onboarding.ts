/** What opting a secret in would come to: the tags that fit it, and the plan of a rotation as if it had them. Changes nothing. */
import type { Tags, Vault } from '../contract/ports.ts';
import { judgeTags, type TagChange } from '../engine/policy/change-tags.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import { guessKind, type Kind } from '../secret-value/kind.ts';
import { type Plan, plan } from './inspect.ts';

export interface Proposal {
  readonly kind: 'proposal';
  /** What it is probably for. */
  readonly guess: Kind;
  readonly change: TagChange;
  readonly before: Tags;
  /** With the change made; the same as before where no rotator fits. */
  readonly tags: Tags;
  /** Undefined where no rotator fits; a failure where the tags, the value or the admin cannot be used. */
  readonly plan: Plan | Failure | undefined;
}

/** `asked`: tags that a person wants; they win over the guess. May be called again. */
export async function proposeOnboarding(
  engine: EngineDependencies,
  vault: Vault,
  { secret, asked }: { readonly secret: string; readonly asked: TagChange },
  signal: AbortSignal,
): Promise<Proposal | Failure> {
  const read = await vault.read(secret, { signal });
  if (isFailure(read)) return read;
  if (read.kind === 'not-found') return failure('secret-missing', { secret, vault: vault.name });
  if (read.kind === 'disabled') return failure('secret-disabled', { secret, vault: vault.name });
  const { tags: before, contentType, value } = read.secret;
  const guess = guessKind({ name: secret, contentType, tags: before, value });
  const change = { set: { ...guessed(before, guess), ...asked.set }, remove: asked.remove };
  const shown = { kind: 'proposal', guess, change, before } as const;
  const isManaged = before['rotator'] !== undefined || change.set['rotator'] !== undefined;
  if (!isManaged) return { ...shown, tags: before, plan: undefined };
  const judged = judgeTags(engine, read.secret, change);
  if (isFailure(judged)) return { ...shown, tags: before, plan: judged };
  const { tags } = judged;
  const planned = await plan(engine, withTags(vault, secret, tags), { secret, mode: 'asked' }, signal);
  if (planned.kind === 'plan' || planned.kind === 'failed') return { ...shown, tags, plan: planned };
  // A copy is renewed with its source.
  return { ...shown, tags, plan: undefined };
}

/** Tags that follow from the kind. A key that only looks as if nobody issued it is never opted in on that. */
function guessed(tags: Tags, { rotator, sure }: Kind): Tags {
  if (tags['rotator'] !== undefined || rotator === undefined || !sure) return {};
  switch (rotator) {
    case 'manual':
    case 'self-issued':
    case 'http-keys':
      return {};
    case 'azure-keys':
    case 'entra-app':
      return { rotator, admin: 'managed-identity' };
    default:
      return { rotator };
  }
}

/** The vault as it would be with these tags on the newest version of one secret. */
function withTags(vault: Vault, secret: string, tags: Tags): Vault {
  const isMeant = (name: string): boolean => name.toLowerCase() === secret.toLowerCase();
  return {
    name: vault.name,
    read: async (name, options) => {
      const read = await vault.read(name, options);
      if (read.kind !== 'found' || !isMeant(name) || options.version !== undefined) return read;
      return { kind: 'found', secret: { ...read.secret, tags } };
    },
    write: (name, version, options) => vault.write(name, version, options),
    change: (name, version, change, options) => vault.change(name, version, change, options),
    versions: (name, options) => vault.versions(name, options),
    list: (options) => vault.list(options),
  };
}
