import type { PasswordRules } from '../../contract/password-rules.ts';
import type { Leases, Vault } from '../../contract/ports.ts';
import type { Rotator, RotatorEntry } from '../../contract/rotator.ts';
import type { SecretText } from '../../contract/secret-text.ts';
import type { LoginIndex } from '../../contract/state.ts';
import type { Failure } from '../../errors.ts';
import type { PolicyDependencies } from '../policy/current.ts';
import type { RotationRequest } from '../policy/request.ts';
import type { StepRecord } from './result.ts';

/** Where an attempt tells people how far it is. History only: nothing here is ever read to decide. */
export interface Progress {
  /** A step ended. Never fails and never waits. */
  step(
    about: { readonly rotationId: string; readonly vault: string; readonly secret: string },
    steps: readonly StepRecord[],
  ): void;
}

/** What follows a new version. */
export interface FollowUps {
  /**
   * Consumers are told of the new version, and the retirement of the old credential is scheduled. `again`: a duplicate or a retry found
   * the version made; what was done then is not done twice. A failure is of class `retry`: the next delivery does it.
   */
  published(
    rotated: Published,
    again: boolean,
  ): Promise<
    { readonly kind: 'followed-up' /** All of it had been done before. */; readonly before: boolean } | Failure
  >;
  /**
   * Whether all that follows this rotation is known to have been done. Not for certain when it is not: a lost mark makes a duplicate look
   * again. Changes nothing.
   */
  done(rotationId: string): Promise<{ readonly kind: 'known'; readonly done: boolean } | Failure>;
}

/** A version that was published, as its stamp tells it: known to whoever made it and to whoever finds it made. */
export interface Published {
  readonly rotationId: string;
  readonly vault: string;
  readonly secret: string;
  /** The version that was replaced, and the one that was made. */
  readonly from: string;
  readonly to: string;
  readonly retireBy: Date | undefined;
  readonly expiresAt: Date | undefined;
  /** Names of channels, undefined: the app's default. */
  readonly notify: readonly string[] | undefined;
  /** Who must acknowledge the version. */
  readonly consumers: readonly string[];
  /** Login, slot or key id of the new credential, where it is at hand. */
  readonly login?: string;
  /** It is of a copy or a derived secret, which has nothing of its own to retire. */
  readonly isCopy?: true;
  /** More is to come before all that follows has been done: it is told now, and looked at again. */
  readonly unfinished?: true;
  /** What a person should know although the rotation succeeded. */
  readonly warnings: readonly string[];
  readonly now: Date;
}

/** Brings somebody back to a request whose worker died. */
export interface WakeUps {
  /**
   * Arranges that the request is looked at again as soon as the lease of a worker that died can have run out. Harmless when all went well:
   * the request finds its work done. A failure is of class `retry`, and nothing was changed yet.
   */
  set(request: RotationRequest): Promise<WakeUp | Failure>;
  /** The same for the end of an old credential. */
  setForEnd(request: EndAsked): Promise<WakeUp | Failure>;
}

/** Somebody's request for the end of an old credential, as the queue of retirements takes it. */
export interface EndAsked {
  readonly vault: string;
  readonly secret: string;
  readonly rotationId: string;
  readonly mode: 'scheduled' | 'asked' | 'emergency';
  readonly requestedBy: string;
  readonly requestedById?: string | undefined;
  readonly reason?: string | undefined;
}

export interface WakeUp {
  readonly kind: 'set';
  /** The worker came back by itself. Never fails. */
  readonly withdraw: () => Promise<void>;
}

/** Everything the engine needs. Made once per process in functions/compose.ts, by fakes in tests. */
export interface EngineDependencies extends PolicyDependencies {
  /** By name, lower case. */
  readonly vaults: ReadonlyMap<string, Vault>;
  /** Loads a rotator with its driver, once per process; a load that failed is tried again. */
  readonly loadRotator: (entry: RotatorEntry) => Promise<Rotator>;
  readonly leases: Leases;
  readonly progress: Progress;
  readonly followUps: FollowUps;
  readonly wakeUps: WakeUps;
  /** Which secrets publish which logins. */
  readonly logins: LoginIndex;
  /** Consumers that have acknowledged a version. Lost acknowledgements make a retirement wait for its deadline. */
  readonly acknowledged: (
    vault: string,
    secret: string,
    version: string,
    signal: AbortSignal,
  ) => Promise<{ readonly kind: 'acknowledged'; readonly consumers: ReadonlySet<string> } | Failure>;
  /** Patterns of the hosts that a value may name, that of an admin too; empty: any host. */
  readonly targetHosts: readonly string[];
  /** Whether a value may name loopback without being listed: with local credentials only. */
  readonly localTargets: boolean;
  /** The login under which the app's own identity is known at a host; undefined: no token is ever sent there. */
  readonly identityLogin: (host: string) => string | undefined;
  readonly getToken: (scope: string) => Promise<SecretText>;
  readonly newPassword: (rules?: PasswordRules) => SecretText;
  /** Resolves after that time, or at once when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Monotonic time in ms, for durations. What is due is judged by the vault's clock. */
  readonly elapsedMs: () => number;
}
