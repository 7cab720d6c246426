/** How far the news of a rotation is with each channel. Kept for people; losing it costs a duplicate that receivers drop by its id. */
import type { Failure } from '../errors.ts';
import type { NoticeType } from './notice-types.ts';

/**
 * `waiting`: to be sent, or to be sent again at `nextAt`. `delivered`: the receiver took it. `switched-off`: the receiver asked for no
 * more (410). `unknown`: the settings have no channel of that name. `given-up`: it was refused or unreachable for too long.
 */
export const deliveryStates = ['waiting', 'delivered', 'switched-off', 'unknown', 'given-up'] as const;

export type DeliveryState = (typeof deliveryStates)[number];

/** One notice on its way to one channel. */
export interface Delivery {
  readonly noticeId: string;
  readonly type: NoticeType;
  /** Empty where it failed before it was known which version is to be replaced. */
  readonly rotationId: string;
  readonly vault: string;
  readonly secret: string;
  readonly channel: string;
  readonly state: DeliveryState;
  /** How often it was sent. */
  readonly attempts: number;
  readonly firstAt: Date;
  readonly lastAt?: Date;
  /** When it is sent again. */
  readonly nextAt?: Date;
  /** What the receiver said, or why it did not: never anything secret. */
  readonly detail?: string;
}

/** All methods may be called again. */
export interface Deliveries {
  /** Makes the row or replaces it. */
  keep(delivery: Delivery): Promise<{ readonly kind: 'kept' } | Failure>;
  /** The row of one notice and channel, if there is one. */
  one(
    about: Pick<Delivery, 'rotationId' | 'noticeId' | 'channel' | 'vault' | 'secret'>,
  ): Promise<{ readonly kind: 'known'; readonly delivery: Delivery | undefined } | Failure>;
  /** All rows of a rotation, oldest first. An empty id: of failures that came before any rotation had one. */
  of(rotationId: string): Promise<{ readonly kind: 'listed'; readonly deliveries: readonly Delivery[] } | Failure>;
}

/** A channel whose receiver answered 410 gets nothing more until its setting changes or a person switches it on. */
export interface ChannelSwitch {
  readonly channel: string;
  /** Hash of the setting it was switched off with. */
  readonly setting: string;
  readonly reason: string;
  readonly at: Date;
}

/** Lost ones cost a request that is answered 410 once more. All methods may be called again. */
export interface ChannelSwitches {
  off(one: ChannelSwitch): Promise<{ readonly kind: 'kept' } | Failure>;
  on(channel: string): Promise<{ readonly kind: 'kept' } | Failure>;
  /** Channels that are off. */
  all(): Promise<{ readonly kind: 'listed'; readonly switches: readonly ChannelSwitch[] } | Failure>;
  one(channel: string): Promise<{ readonly kind: 'known'; readonly off: ChannelSwitch | undefined } | Failure>;
}
