/**
 * Queues, tables and time in memory around the real notifier, and real HTTP behind it: an hour of a receiver that is down takes as long as
 * its attempts. A worker may be made to die at any call.
 */

import { channels } from '../../shared/config/channels.ts';
import type { ChannelSwitch, ChannelSwitches, Deliveries, Delivery } from '../../shared/contract/deliveries.ts';
import type { Notice } from '../../shared/contract/notice.ts';
import type { QueueOf, Queues } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { failure, isFailure } from '../../shared/errors.ts';
import { libraryClient, makeWire } from '../../shared/http/client.ts';
import { channelSecrets } from '../../shared/notify/channel-secrets.ts';
import { givenUpQueue, newsMessage } from '../../shared/notify/messages.ts';
import { makeNotifier } from '../../shared/notify/notifier.ts';
import { senderOf } from '../../shared/notify/senders.ts';
import { logTo } from '../../shared/telemetry.ts';
import { MemoryVault } from '../engine/world.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** What a dead worker's calls throw. */
export class Crash extends Error {}

export interface Message {
  readonly queue: string;
  readonly body: unknown;
  visibleAtMs: number;
}

export interface NotifyOptions {
  /** The app's own, where the platform names it. */
  readonly host?: string;
  /** As in KEYTURN_CHANNELS. */
  readonly channels: Readonly<Record<string, unknown>>;
  readonly standard?: readonly string[];
  /** By name; kept in the vault. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly resourceManager?: string;
  readonly token?: string;
  readonly trustedCertificates?: readonly string[];
}

export const vaultName = 'contoso-kv';

export function rotatedNotice(more: Partial<Notice> = {}): Notice {
  return {
    id: '0123456789abcdef0123456789abcdef',
    type: 'rotated',
    vault: vaultName,
    secret: 'orders-db',
    rotationId: '0123456789abcdef0123456789abcdef',
    at: '2026-03-01T02:14:07.000Z',
    version: 'a'.repeat(32),
    from: 'b'.repeat(32),
    login: 'orders_app_alt',
    retireBy: '2026-03-03T02:14:07.000Z',
    ...more,
  };
}

export class NotifyWorld {
  nowMs = Date.parse('2026-03-01T02:14:08Z');
  readonly vault = new MemoryVault();
  readonly messages: Message[] = [];
  readonly rows = new Map<string, Delivery>();
  readonly switches = new Map<string, ChannelSwitch>();
  readonly logs: string[] = [];
  /** Longest time of one attempt; real time, so it is short only where a test waits for it. */
  attemptMs = 20_000;
  /** Whether tables answer. */
  tablesDown = false;
  /** The call of the tables or the queues at which the worker dies, counted from now; before or after its effect. */
  crash: { at: number; readonly when: 'before' | 'after' } | undefined;
  readonly #notifier;
  readonly #log = logTo({
    info: (line) => this.logs.push(String(line)),
    warn: (line) => this.logs.push(String(line)),
    error: (line) => this.logs.push(String(line)),
  });

  constructor(options: NotifyOptions) {
    const vaults = new Map([[vaultName, this.vault]]);
    for (const [name, value] of Object.entries(options.secrets ?? {})) this.putSecret(name, value);
    const trustedCertificates = options.trustedCertificates ?? [];
    const environment = {
      ...{ http: libraryClient(trustedCertificates), vaults, wire: makeWire({ trustedCertificates }) },
      secrets: channelSecrets(vaults, () => this.nowMs),
      getToken: async () => new SecretText(options.token ?? 'token-of-the-app'),
      resourceManager: options.resourceManager ?? 'http://127.0.0.1:9',
      now: () => new Date(this.nowMs),
      wait: async () => undefined,
    };
    this.#notifier = makeNotifier({
      channels: channelsOf(options.channels),
      standard: options.standard ?? Object.keys(options.channels),
      host: options.host,
      senderOf: (name, channel) => senderOf(name, channel, environment),
      queues: this.#queues(),
      deliveries: this.#deliveries(),
      switches: this.#switches(),
      now: () => new Date(this.nowMs),
      random: () => 0.5,
      attemptMs: () => this.attemptMs,
    });
  }

  putSecret(name: string, value: string): void {
    this.vault.put(name, { value: new SecretText(value), tags: {} });
  }

  tell(notice: Notice): void {
    this.messages.push({ queue: queueNames.notifications, body: notice, visibleAtMs: this.nowMs });
  }

  /** Works off what is visible until `ms` from now, moving the clock from message to message. */
  async run(ms: number = 48 * hourMs): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.messages
        .filter(({ queue, visibleAtMs }) => queue !== givenUpQueue.name && visibleAtMs <= endMs)
        .sort((a, b) => a.visibleAtMs - b.visibleAtMs)[0];
      if (next === undefined) break;
      this.nowMs = Math.max(this.nowMs, next.visibleAtMs);
      await this.#take(next);
    }
    this.nowMs = Math.max(this.nowMs, ms > 24 * hourMs ? this.nowMs : endMs);
  }

  in(queue: string): readonly Message[] {
    return this.messages.filter((one) => one.queue === queue);
  }

  /** State of each channel's delivery. */
  states(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.rows.values()].map(({ channel, state }) => [channel, state]));
  }

  async #take(message: Message): Promise<void> {
    try {
      const news = newsMessage.parse(message.body);
      const outcome =
        'channel' in news
          ? await this.#notifier.deliver(news, this.#log)
          : await this.#notifier.fanOut(news, this.#log);
      if (!isFailure(outcome)) {
        this.messages.splice(this.messages.indexOf(message), 1);
        return;
      }
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    // A message that was not finished is visible again after the time in host.json.
    message.visibleAtMs = this.nowMs + 30_000;
  }

  async #call<Result>(effect: () => Result): Promise<Result> {
    const dies = this.crash !== undefined && --this.crash.at === 0 ? this.crash.when : undefined;
    if (dies === 'before') throw new Crash();
    const result = effect();
    if (dies === 'after') throw new Crash();
    return result;
  }

  #queues(): Queues {
    return {
      enqueue: <M>(queue: QueueOf<M>, message: M, { delayMs = 0 }: { readonly delayMs?: number }) =>
        this.#call(() => {
          const body: unknown = JSON.parse(JSON.stringify(queue.schema.parse(message)));
          this.messages.push({ queue: queue.name, body, visibleAtMs: this.nowMs + delayMs });
          return { kind: 'enqueued' as const };
        }),
    };
  }

  async #table<Result>(effect: () => Result) {
    if (this.tablesDown) return failure('storage-unreachable', { secret: 'orders-db', detail: 'down' });
    return this.#call(effect);
  }

  #deliveries(): Deliveries {
    const key = (one: Pick<Delivery, 'noticeId' | 'channel' | 'vault' | 'secret'>) =>
      [one.noticeId, one.channel, one.vault, one.secret].join(' ');
    return {
      keep: (delivery) =>
        this.#table(() => {
          this.rows.set(key(delivery), delivery);
          return { kind: 'kept' as const };
        }),
      one: (about) => this.#table(() => ({ kind: 'known' as const, delivery: this.rows.get(key(about)) })),
      of: (rotationId) =>
        this.#table(() => ({
          kind: 'listed' as const,
          deliveries: [...this.rows.values()].filter((one) => one.rotationId === rotationId),
        })),
    };
  }

  #switches(): ChannelSwitches {
    const kept = { kind: 'kept' as const };
    return {
      off: (one) =>
        this.#table(() => {
          this.switches.set(one.channel, one);
          return kept;
        }),
      on: (channel) =>
        this.#table(() => {
          this.switches.delete(channel);
          return kept;
        }),
      all: () => this.#table(() => ({ kind: 'listed' as const, switches: [...this.switches.values()] })),
      one: (channel) => this.#table(() => ({ kind: 'known' as const, off: this.switches.get(channel) })),
    };
  }
}

export function channelsOf(settings: Readonly<Record<string, unknown>>) {
  const outcome = channels(JSON.stringify(settings));
  if (outcome.kind === 'wrong') throw new Error(outcome.reason);
  return outcome.value;
}
