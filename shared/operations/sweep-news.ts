/** What a sweep has to tell of a secret: what it finds wrong, what comes soon, what a person has to do. */
import { type Notice, noticeId } from '../contract/notice.ts';
import type { SecretProperties } from '../contract/ports.ts';
import { unknownChannels } from '../engine/policy/channels.ts';
import type { PolicyDependencies } from '../engine/policy/current.ts';
import { dueAtOf } from '../engine/policy/due.ts';
import { shortHash } from '../engine/policy/identifiers.ts';
import type { Policy } from '../engine/policy/policy.ts';
import type { Found } from '../engine/sweep/walk.ts';
import { type Failure, failure } from '../errors.ts';
import { shown } from './news.ts';

/** One thing to tell, for as long as it holds. */
export interface Tellable {
  /** The same for as long as it is the same thing. */
  readonly what: string;
  readonly notice: Notice;
}

const dayMs = 86_400_000;

/** Before the expiry, in ms. The first reminder comes with the lead time of the policy. */
const remindersMs = [7 * dayMs, dayMs, 0];

/** All that holds of one secret now. Pure. */
export function newsOf(
  { defaults }: Pick<PolicyDependencies, 'defaults'>,
  vault: string,
  { properties, finding, standing, policy }: Found,
  now: Date,
): readonly Tellable[] {
  const about = { vault, secret: properties.name, now };
  if (finding.kind === 'invalid') return [wrong(about, finding.failure)];
  if (standing.state === 'opted-out') return [wrong(about, failure('opted-out', { secret: properties.name, vault }))];
  if (policy === undefined) return [];
  const unknown = unknownChannels(defaults, properties.name, policy);
  const channels = policy.notify === undefined ? {} : { channels: [...policy.notify] };
  const soon =
    policy.manual === undefined ? announcement(about, properties, policy) : reminder(about, properties, policy);
  const sharing =
    standing.state === 'shared'
      ? [
          wrong(
            about,
            failure('login-shared', { secret: properties.name, login: 'its login', others: standing.with.join(', ') }),
          ),
        ]
      : [];
  return [
    ...sharing.map((one) => ({ ...one, notice: { ...one.notice, ...channels } })),
    // The secret itself is fine, so it is told of and does not count.
    ...(unknown === undefined ? [] : [wrong(about, unknown)]),
    ...(soon === undefined || standing.state === 'paused'
      ? []
      : [{ ...soon, notice: { ...soon.notice, ...channels } }]),
  ];
}

interface About {
  readonly vault: string;
  readonly secret: string;
  readonly now: Date;
}

/** It is told again when it comes back after it was gone, so its notice has the time in its id. */
export function wrong({ vault, secret, now }: About, failure: Failure): Tellable {
  const what = `${failure.code} ${shortHash(failure.message)}`;
  const detail = `${failure.code}-${shortHash(failure.message).slice(0, 8)}-${now.getTime().toString(36)}`;
  const notice = {
    id: noticeId('failed', `${vault}-${secret}`.slice(0, 80), detail),
    type: 'failed' as const,
    ...{ vault, secret, rotationId: '', at: now.toISOString(), failure: shown(failure) },
  };
  return { what, notice };
}

function announcement(about: About, properties: SecretProperties, policy: Policy): Tellable | undefined {
  if (policy.announceMs === undefined) return undefined;
  const dueAt = dueAtOf(properties, policy);
  const leftMs = dueAt.getTime() - about.now.getTime();
  return leftMs <= 0 || leftMs > policy.announceMs
    ? undefined
    : dated(about, properties, 'announced', dueAt, 'announced', {});
}

/** The last of its reminders whose time has come. */
function reminder(about: About, properties: SecretProperties, policy: Policy): Tellable | undefined {
  const { now } = about;
  const dueAt = dueAtOf(properties, policy);
  if (now < dueAt) return undefined;
  const expiresAt = properties.expiresAt ?? new Date(dueAt.getTime() + policy.rotateBeforeMs);
  const leftMs = expiresAt.getTime() - now.getTime();
  const stage = remindersMs.filter((beforeMs) => leftMs <= beforeMs).at(-1);
  const { owner, link } = policy.manual ?? {};
  return dated(about, properties, 'reminder', dueAt, `reminder ${stage ?? 'due'}`, {
    expiresAt: expiresAt.toISOString(),
    ...(owner === undefined ? {} : { owner }),
    ...(link === undefined ? {} : { link }),
  });
}

/** Told once for the version that is current. */
function dated(
  { vault, secret, now }: About,
  { createdAt, expiresAt }: SecretProperties,
  type: 'announced' | 'reminder',
  dueAt: Date,
  kind: string,
  more: Partial<Notice>,
): Tellable {
  const what = `${kind} ${createdAt.toISOString()} ${dueAt.toISOString()}`;
  const notice = {
    id: noticeId(type, shortHash(vault.toLowerCase(), secret.toLowerCase(), what)),
    ...{ type, vault, secret, rotationId: '', at: now.toISOString(), dueAt: dueAt.toISOString() },
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    ...more,
  };
  return { what, notice };
}
