/**
 * How news reaches its channels: a notice is sent to each of them where it is read, and what a channel does not take becomes a message of its
 * own, sent until its receiver takes it, or for a day. Delivered at least once: the id of a notice is the same for every attempt.
 */
import type { Channel } from '../config/channels.ts';
import type { ChannelSwitches, Deliveries, Delivery, DeliveryState } from '../contract/deliveries.ts';
import type { Notice } from '../contract/notice.ts';
import type { Queues } from '../contract/ports.ts';
import { type Failure, failure, isFailure } from '../errors.ts';
import type { Log } from '../telemetry.ts';
import { type DeliveryMessage, deliveriesQueue, givenUpQueue } from './messages.ts';
import { pauseMs } from './schedule.ts';
import type { Sender, SendOutcome } from './sender.ts';
import { settingHash, wants } from './senders.ts';

export interface NotifierDependencies {
  /** By name, lower case. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** Names of the channels of notices that name none. */
  readonly standard: readonly string[];
  /** The app's own host, where the platform names it: where links lead. */
  readonly host?: string | undefined;
  readonly senderOf: (name: string, channel: Channel) => Sender;
  readonly queues: Queues;
  readonly deliveries: Deliveries;
  readonly switches: ChannelSwitches;
  readonly now: () => Date;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Longest time of one attempt, in ms. */
  readonly attemptMs: () => number;
}

/** A failure is of class `retry` and means that the message is to be delivered again. Both may be called again for one message. */
export interface Notifier {
  fanOut(notice: Notice, log: Log): Promise<{ readonly kind: 'fanned-out' } | Failure>;
  deliver(message: DeliveryMessage, log: Log): Promise<{ readonly kind: 'settled' } | Failure>;
}

export function makeNotifier(deps: NotifierDependencies): Notifier {
  return {
    fanOut: (notice, log) => fanOut(deps, notice, log),
    deliver: (message, log) => deliver(deps, message, log),
  };
}

/** Whether no channel waits for the notice, so that it need not be put into the queue. A channel that does not exist has to be named. */
export function isUnheard(deps: Pick<NotifierDependencies, 'channels' | 'standard'>, notice: Notice): boolean {
  return namesOf(deps, notice).every((name) => {
    const settings = deps.channels.get(name);
    return settings !== undefined && !wants(settings, notice.type);
  });
}

/** The channels of a notice. Where none of those it names exists, the app's own are told: somebody must be. */
function namesOf(
  { channels, standard }: Pick<NotifierDependencies, 'channels' | 'standard'>,
  notice: Notice,
): readonly string[] {
  const named = [...new Set((notice.channels ?? standard).map((name) => name.toLowerCase()))];
  return named.length === 0 || named.some((name) => channels.has(name)) ? named : [...named, ...standard];
}

/** To all channels at once: a slow receiver holds up no other. */
async function fanOut(
  deps: NotifierDependencies,
  notice: Notice,
  log: Log,
): Promise<{ readonly kind: 'fanned-out' } | Failure> {
  const linked = withLink(deps, notice);
  const outcomes = await Promise.all(namesOf(deps, notice).map((channel) => sendFirst(deps, linked, channel, log)));
  return outcomes.find(isFailure) ?? { kind: 'fanned-out' };
}

async function sendFirst(
  deps: NotifierDependencies,
  notice: Notice,
  channel: string,
  log: Log,
): Promise<{ readonly kind: 'settled' } | Failure> {
  const message = { notice, channel, attempts: 0, firstAt: deps.now().toISOString() };
  const settings = deps.channels.get(channel);
  if (settings === undefined) {
    await nameUnknown(deps, message, log);
    return { kind: 'settled' };
  }
  if (!wants(settings, notice.type)) return { kind: 'settled' };
  const known = await deps.deliveries.one({ ...notice, noticeId: notice.id, channel });
  // It is on its way, or there, already. When that cannot be known, a second one does no harm.
  if (known.kind === 'known' && known.delivery !== undefined) return { kind: 'settled' };
  return send(deps, message, settings, log);
}

/** Names of vaults and secrets need no escape: letters, digits and dashes. */
function withLink({ host }: NotifierDependencies, notice: Notice): Notice {
  const { vault, secret } = notice;
  return host === undefined ? notice : { ...notice, dashboard: `https://${host}/secrets/${vault}/${secret}` };
}

async function nameUnknown(deps: NotifierDependencies, message: DeliveryMessage, log: Log): Promise<void> {
  const { notice, channel } = message;
  const unknown = failure('channel-unknown', { secret: notice.secret, channel });
  log.error('channel-unknown', { secret: notice.secret, channel, detail: unknown.message, hint: unknown.hint });
  await remember(deps, message, { state: 'unknown', detail: unknown.message }, log);
}

async function deliver(
  deps: NotifierDependencies,
  message: DeliveryMessage,
  log: Log,
): Promise<{ readonly kind: 'settled' } | Failure> {
  const settings = deps.channels.get(message.channel);
  if (settings === undefined) {
    // The channel was taken out of the settings while the message was waiting.
    await nameUnknown(deps, message, log);
    return { kind: 'settled' };
  }
  if (await isBehind(deps, message)) return { kind: 'settled' };
  return send(deps, message, settings, log);
}

async function send(
  deps: NotifierDependencies,
  message: DeliveryMessage,
  settings: Channel,
  log: Log,
): Promise<{ readonly kind: 'settled' } | Failure> {
  const { notice, channel } = message;
  const off = await deps.switches.one(channel);
  if (off.kind === 'known' && off.off?.setting === settingHash(settings)) {
    log.warn('channel-switched-off', { secret: notice.secret, channel, noticeId: notice.id, detail: off.off.reason });
    await remember(deps, message, { state: 'switched-off', detail: off.off.reason }, log);
    return { kind: 'settled' };
  }
  const outcome = await attempt(deps, message, settings);
  const sent = { ...message, attempts: message.attempts + 1 };
  if (outcome.kind === 'delivered') {
    const { detail } = outcome;
    log.info('notice-delivered', { ...about(sent), detail });
    await remember(deps, sent, { state: 'delivered', ...(detail === undefined ? {} : { detail }) }, log);
    return { kind: 'settled' };
  }
  if (outcome.code === 'channel-gone') return switchOff(deps, sent, settings, outcome, log);
  return sendAgain(deps, sent, outcome, log);
}

/** Whether the same message was settled, or is further on, in another copy. */
async function isBehind({ deliveries }: NotifierDependencies, { notice, channel, attempts }: DeliveryMessage) {
  const known = await deliveries.one({ ...notice, noticeId: notice.id, channel });
  if (known.kind === 'failed' || known.delivery === undefined) return false;
  const { state, attempts: made } = known.delivery;
  return state === 'delivered' || state === 'given-up' || made > attempts;
}

async function attempt(deps: NotifierDependencies, message: DeliveryMessage, settings: Channel): Promise<SendOutcome> {
  const { notice, channel } = message;
  return deps.senderOf(channel, settings).send(notice, AbortSignal.timeout(deps.attemptMs()));
}

async function switchOff(
  deps: NotifierDependencies,
  sent: DeliveryMessage,
  settings: Channel,
  gone: Failure,
  log: Log,
): Promise<{ readonly kind: 'settled' } | Failure> {
  const { channel } = sent;
  const setting = settingHash(settings);
  const off = await deps.switches.off({ channel, setting, reason: gone.message, at: deps.now() });
  if (isFailure(off)) log.warn('channel-switch-not-kept', { channel, code: off.code });
  log.error('channel-gone', { ...about(sent), detail: gone.message, hint: gone.hint, page: gone.page });
  await remember(deps, sent, { state: 'switched-off', detail: gone.message }, log);
  return { kind: 'settled' };
}

async function sendAgain(
  deps: NotifierDependencies,
  sent: DeliveryMessage,
  failed: Failure,
  log: Log,
): Promise<{ readonly kind: 'settled' } | Failure> {
  const { code, message, hint, page, retryAfterSeconds } = failed;
  const { secret } = sent.notice;
  const now = deps.now();
  const facts = { ...about(sent), code, detail: message, hint, page };
  const delayMs = pauseMs(sent.attempts, now.getTime() - Date.parse(sent.firstAt), retryAfterSeconds, deps.random());
  if (delayMs === undefined) {
    const poisoned = await deps.queues.enqueue(givenUpQueue, { ...sent, secret, refused: message, hint }, { secret });
    if (isFailure(poisoned)) return poisoned;
    log.error('notice-given-up', facts);
    await remember(deps, sent, { state: 'given-up', detail: message }, log);
    return { kind: 'settled' };
  }
  const enqueued = await deps.queues.enqueue(deliveriesQueue, sent, { secret, delayMs });
  if (isFailure(enqueued)) return enqueued;
  // What somebody has to mend is said as an error once, and not for each attempt.
  if (failed.class !== 'retry' && sent.attempts === 1) log.error('notice-refused', facts);
  else log.warn('notice-delayed', facts);
  const nextAt = new Date(now.getTime() + delayMs);
  await remember(deps, sent, { state: 'waiting', nextAt, detail: message }, log);
  return { kind: 'settled' };
}

interface Progress {
  readonly state: DeliveryState;
  readonly nextAt?: Date;
  readonly detail?: string;
}

/** For people and against duplicates: where it cannot be kept, work goes on. */
async function remember(
  deps: NotifierDependencies,
  message: DeliveryMessage,
  progress: Progress,
  log: Log,
): Promise<void> {
  const { notice, channel, attempts, firstAt } = message;
  const { id: noticeId, type, rotationId, vault, secret } = notice;
  const delivery: Delivery = {
    ...{ noticeId, type, rotationId, vault, secret, channel, attempts, firstAt: new Date(firstAt) },
    ...(attempts === 0 ? {} : { lastAt: deps.now() }),
    ...progress,
  };
  const kept = await deps.deliveries.keep(delivery);
  if (isFailure(kept)) log.warn('delivery-not-kept', { ...about(message), code: kept.code });
}

function about({ notice, channel, attempts }: DeliveryMessage) {
  return { secret: notice.secret, rotationId: notice.rotationId, noticeId: notice.id, channel, attempts };
}
