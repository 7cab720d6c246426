import type { WatchedSecret } from '../../consumer/index.ts';

/** A server with a login of its own for an application, and the secret that is to hold it. */
export interface Target {
  /** Of the case. */
  readonly name: string;
  readonly secret: string;
  readonly strategy: string;
  /** Values of the secret and of its admin's at the start. */
  readonly value: string;
  readonly admin: string;
  readonly tags: Readonly<Record<string, string>>;
  /** A pool of the consumer client on the secret. */
  readonly open: (secret: WatchedSecret) => Promise<Load>;
  /** Whether the server lets somebody in who comes anew with this value. */
  readonly accepts: (value: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

export interface Load {
  /** One query that writes; rejects as the driver does. */
  readonly query: () => Promise<unknown>;
  readonly end: () => Promise<void>;
}
