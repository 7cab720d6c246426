import type { Credential } from '../../shared/contract/credential.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';

/** A connection of a client that stays open until it is closed from either side. */
export interface OpenSession {
  alive(): Promise<boolean>;
  close(): Promise<void>;
}

/** One login or key at a target, and the secret that holds it. Judged with clients that are not the rotators. */
export interface Planted {
  readonly value: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The secret that holds the admin's credential, where there is one. */
  readonly admin?: { readonly name: string; readonly value: string };
  credentialIn(value: string): Credential;
  /** Whether the target lets the credential in now. */
  login(credential: Credential): Promise<boolean>;
  /** Absent where the target has none. */
  openSession?(credential: Credential): Promise<OpenSession>;
  /** Every key of this secret that the provider holds, by what it is for its user. Absent where nobody could list passwords. */
  keys?(): readonly string[];
}

export interface StartedTarget {
  /** Settings of the app. */
  readonly settings: Readonly<Record<string, string>>;
  plant(strategy: Strategy, secret: string): Promise<Planted>;
  close(): Promise<void>;
}

export interface MatrixTarget {
  readonly name: string;
  readonly rotator: string;
  readonly strategies: readonly Strategy[];
  /** What is behind it: a server of its maker, or a stand-in that speaks its protocol. */
  readonly kind: 'server' | 'stand-in' | 'none';
  /** Whether its server is on this machine; absent: it comes with the packages. */
  readonly isThere?: () => boolean;
  start(): Promise<StartedTarget>;
}
