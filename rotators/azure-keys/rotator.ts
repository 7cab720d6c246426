/** Azure resources with two keys: the slot that is not published is regenerated, proven and published. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, RetireOutcome, Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { check } from './check.ts';
import { type Azure, connect } from './connect.ts';
import { type Key, listKeys, regenerate, slotOf } from './keys.ts';
import { readResource, switchedOff } from './properties.ts';
import type { AzureKeysTags } from './tags.ts';
import { verify } from './verify.ts';

/** Every method may be called again: a repeated `apply` regenerates the unpublished slot once more, which nobody depends on. */
export function makeAzureKeysRotator(environment: RotatorEnvironment): Rotator<AzureKeysTags> {
  const azure = connect(environment);
  return {
    propose,
    apply: (step, candidate) => (candidate.password.isEmpty ? apply(azure, step) : keep(azure, step, candidate)),
    verify: (step, credential) => verify(azure, step, credential),
    inUse: async () => ({ kind: 'unknown', detail: 'Azure does not say who uses a key' }),
    retire: (step, previous) => retire(azure, step, previous),
    check: (step) => check(azure, step),
    rehearsal: {
      twinStep: () => ({
        kind: 'no-twin',
        detail:
          'The resource has two keys, and to regenerate the other one would take it from its users: the published key was proven, and the rights were looked at.',
      }),
      discard: async () => ({ kind: 'discarded' }),
    },
  };
}

function propose(step: Step<AzureKeysTags>, current: Credential): Credential | Failure {
  if (step.admin.kind !== 'identity') {
    const detail = 'azure-keys regenerates keys as the app itself: set the tag to managed-identity';
    return failure('tag-invalid', { secret: step.secret, problems: [{ tag: 'admin', detail }] });
  }
  // A key of App Configuration has an id that may change with it, so a value that holds the key alone would break.
  if (step.options.row.login === 'app-configuration' && current.username === undefined) {
    const detail = 'App Configuration needs the whole connection string, because the id belongs to the key';
    return failure('value-unreadable', { secret: step.secret, detail });
  }
  const { slot: _published, keyId: _id, ...rest } = current;
  return { ...rest, password: new SecretText('') };
}

async function apply(azure: Azure, step: Step<AzureKeysTags>): Promise<ApplyOutcome> {
  const view = await readResource(azure.arm, step);
  if (view.kind === 'failed') return view;
  const off = switchedOff(step, view);
  if (off !== undefined) return off;
  const listing = await listKeys(azure.arm, step);
  if (listing.kind === 'failed') return listing;
  const published = slotOf(listing.keys, step.current);
  const row = step.options.row.slots.find((slot) => slot.partner === published?.slot);
  const free = listing.keys.find((key) => key.slot === row?.slot);
  if (row === undefined || free === undefined) return unproven(step, listing.keys);
  const made = await regenerate(azure.arm, step, row, free);
  return 'kind' in made ? made : { kind: 'applied', credential: credentialOf(step, made) };
}

/** Neither slot comes first, so a key to go back to has only to be there. */
async function keep(azure: Azure, step: Step<AzureKeysTags>, candidate: Credential): Promise<ApplyOutcome> {
  const listing = await listKeys(azure.arm, step);
  if (listing.kind === 'failed') return listing;
  const held = slotOf(listing.keys, candidate);
  if (held !== undefined) return { kind: 'applied', credential: { ...candidate, slot: held.slot } };
  const names = { secret: step.secret, target: step.options.name, login: candidate.slot ?? 'the key' };
  return failure('candidate-refused', { ...names, detail: 'no slot holds it any more' });
}

// `slot` is told in messages and the stamp; the next rotation looks it up again by the published key and never trusts it.
function credentialOf(step: Step<AzureKeysTags>, key: Key): Credential {
  const { username, parts } = step.current;
  const login = key.id !== undefined && username !== undefined ? key.id : username;
  return {
    ...(login === undefined ? {} : { username: login }),
    ...(parts === undefined ? {} : { parts }),
    password: key.value,
    slot: key.slot,
  };
}

function unproven(step: Step<AzureKeysTags>, keys: readonly Key[]): Failure {
  const holders = keys.filter((key) => key.value.equals(step.current.password)).map((key) => key.slot);
  const detail =
    holders.length === 0
      ? `none of its keys (${keys.map((key) => key.slot).join(', ')}) is the published one`
      : `the published key is in more than one slot (${holders.join(', ')})`;
  return failure('slot-unproven', { secret: step.secret, target: step.options.name, detail });
}

async function retire(azure: Azure, step: Step<AzureKeysTags>, previous: Credential): Promise<RetireOutcome> {
  const listing = await listKeys(azure.arm, step);
  if (listing.kind === 'failed') return listing;
  const old = slotOf(listing.keys, previous);
  if (old === undefined) {
    const twice = listing.keys.some((key) => key.value.equals(previous.password));
    return twice ? unproven(step, listing.keys) : { kind: 'retired', sessionsEnded: 0 };
  }
  // The published key must be seen in another slot: without that proof, regenerating could cut off everybody.
  const published = slotOf(listing.keys, step.current);
  const row = step.options.row.slots.find((slot) => slot.slot === old.slot);
  if (published === undefined || published.slot === old.slot || row === undefined) return unproven(step, listing.keys);
  const made = await regenerate(azure.arm, step, row, old);
  return 'kind' in made ? made : { kind: 'retired', sessionsEnded: 0 };
}
