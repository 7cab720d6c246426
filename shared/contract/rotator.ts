/**
 * The contract between the engine and a rotator.
 *
 * A rotator knows one kind of target and nothing else: not the vault, the lease, the queue or the clock on the wall. The engine owns
 * order, storage, retries and time. Expected failures are returned; a throw is a bug. Every method may be called again after a
 * crash at any await, including after its own success. Words: see docs/glossary.md.
 */
import type { z } from 'zod';
import type { Failure } from '../errors.ts';
import type { Credential } from './credential.ts';
import type { PasswordRules } from './password-rules.ts';
import type { SecretText } from './secret-text.ts';
import type { Strategy } from './strategy.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port?: number;
}

/** Where a target listens. A plain connection is made to loopback only; everywhere else TLS is verified. */
export interface Endpoint {
  readonly host: string;
  readonly port?: number;
  readonly database?: string;
  /** A list of hosts of one server, in the order in which they are tried, `host` first. Present where the value lists more than one. */
  readonly hosts?: readonly HostAndPort[];
  /** Further hosts that other fields of the value name beside `host`. An admin connection is only used when it is of all of them. */
  readonly otherHosts?: readonly string[];
  /** What else the connection needs, by the name the value gives it (`sslmode`, `instanceName`, …), lower case. Never anything secret. */
  readonly options: Readonly<Record<string, string>>;
}

/** Whose rights make the target accept a new credential. */
export type Admin =
  /** The login changes its own password. */
  | { readonly kind: 'self' }
  /** A connection held by another vault secret, which names its host itself. */
  | { readonly kind: 'connection'; readonly secret: string; readonly credential: Credential }
  /** The app's own identity; the target takes an Entra token as the password of `username` (empty where a token alone is enough). */
  | { readonly kind: 'identity'; readonly username: string; readonly getToken: (scope: string) => Promise<SecretText> };

/** Everything a rotator may know of one rotation. Made by the engine; the same for all calls of one attempt. */
export interface Step<Options = unknown> {
  /** Survives retries; safe to show. */
  readonly rotationId: string;
  /**
   * Name to give to whatever is made at a provider. The same for every attempt to replace the same version, whoever asked, so that
   * what a crashed attempt left behind is found by it. Letters, digits and dashes, 63 at most.
   */
  readonly label: string;
  /**
   * What `label` and the names of all earlier keys of this secret begin with, and of no other secret's. An id of a key in a tag or a stamp can
   * be written by whoever may edit the secret; a key that the provider lists under such a name is this secret's.
   */
  readonly labelPrefix: string;
  /** Name of the vault secret, for messages. */
  readonly secret: string;
  readonly strategy: Strategy;
  /** The published credential at the start of the attempt. Its `keyId` comes from the stamp of the version. */
  readonly current: Credential;
  /**
   * Where a consumer logs in: database, port and options as the value says. With an admin connection the host is the admin's, or another
   * name of its server that the admin secret lists in its tag `names`.
   * The host is empty for rotators that are `hostless`.
   */
  readonly endpoint: Endpoint;
  /** Where the admin connects, as the admin connection says. The same as `endpoint` for a self-rotation. */
  readonly adminEndpoint: Endpoint;
  readonly admin: Admin;
  /** The rotator's own tags, parsed by the schema it registered. */
  readonly options: Options;
  /** Revoke now: sessions on the old credential are ended. */
  readonly emergency: boolean;
  /** How long the version to be published will be valid, in ms. A target that ends its logins sooner is named before anything is changed. */
  readonly validForMs: number;
  /** Aborts when the call must be over. */
  readonly signal: AbortSignal;
  /**
   * Time left for the call in ms, inside the lease. A rotator whose target has a clock makes the target refuse a change that arrives
   * later than this, so that a worker that was frozen cannot overwrite what its successor did.
   */
  readonly remainingMs: () => number;
  /** What the secret's tag `password` asks of every new password. Absent: nothing. */
  readonly passwordRules?: PasswordRules;
  /**
   * A new random password that keeps the rules of the tag and the ones given: 128 bits at least, without rules 40 letters and digits, which
   * need no quoting anywhere. A rotator that adds rules of its target asks `meet` first whether both can be kept.
   */
  readonly newPassword: (rules?: PasswordRules) => SecretText;
}

export type ApplyOutcome =
  | {
      readonly kind: 'applied';
      readonly credential: Credential;
      /** What a person should mend although the rotation goes on (a change the target will forget at its restart): whole sentences, each with an order, never anything secret. */
      readonly warnings?: readonly string[];
      /** How long the target lets the credential log in before it asks for another one, in ms. Absent: it has no such rule. The version expires no later. */
      readonly lastsMs?: number;
    }
  | Failure;

export type VerifyOutcome =
  | { readonly kind: 'accepted' }
  /**
   * The target answered and said no. `detail` is scrubbed. `unasked`: no login was tried, because a failed one is punished; the target's own
   * catalogue says that it would fail.
   */
  | { readonly kind: 'refused'; readonly detail: string; readonly unasked?: true }
  /** No answer. No evidence about the credential in either direction. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** It logs in but may do less than the current one. */
  | { readonly kind: 'lesser-rights'; readonly missing: readonly string[] }
  | Failure;

export type UseOutcome =
  | { readonly kind: 'idle' }
  /** `by`: where the sessions come from, as the target names them (application, address); never secret. */
  | { readonly kind: 'in-use'; readonly sessions: number; readonly by: readonly string[] }
  | { readonly kind: 'unknown'; readonly detail: string };

export type RetireOutcome =
  | {
      readonly kind: 'retired';
      /** How many were cut. */
      readonly sessionsEnded: number;
      /** How many go on although the credential is refused, because the target keeps a session until it ends by itself. */
      readonly sessionsGoOn?: number;
    }
  | Failure;

/** One line of a preflight: a claim, and whether it holds. */
export interface Check {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'unknown';
  readonly detail: string;
  /** What to do about it, as an order. Present when it failed. */
  readonly fix?: string;
}

/** The step in which a throw-away twin is the candidate; or why there is none. */
export type TwinStep<Options = unknown> =
  | { readonly kind: 'twin'; readonly step: Step<Options> }
  /** `detail`: a whole sentence. */
  | { readonly kind: 'no-twin'; readonly detail: string };

/**
 * How a rotation is tried without touching what is published. `propose`, `apply`, `verify` and `retire` treat the twin as any candidate, in
 * the step that is given here: none of them then reaches the published credential.
 */
export interface Rehearsal<Options = unknown> {
  /**
   * The twin's login or label is the same for every rehearsal of the secret, so that the next one finds what a crash left behind. No I/O. May
   * be called again.
   */
  twinStep(step: Step<Options>): TwinStep<Options>;
  /**
   * Removes what is left of the twin at the target; not found is success. `step` is the twin's. Reaches nothing that does not bear the
   * twin's name. May be called again.
   */
  discard(step: Step<Options>): Promise<{ readonly kind: 'discarded' } | Failure>;
}

/** What a rotator looks at: one word for one thing, whichever target it is. docs/glossary.md says what each is; a test compares them. */
export const checkNames = [
  'admin',
  'current credential',
  'login',
  'second login',
  'permissions',
  'strategy',
  'target',
  'transport',
  'writable',
  'databases',
  'replicas',
  'sentinels',
  'persistence',
  'sessions',
  'emergency',
  'failed logins',
  'password rules',
  'password storage',
  'stored passwords',
  'password lifetime',
  'other hosts',
  'roll-back',
  'keys',
  'slot',
  'key id',
  'value',
  'overlap',
  'rotation',
] as const;

export type CheckName = (typeof checkNames)[number];

/** A check of a rotator. */
export interface RotatorCheck extends Check {
  readonly name: CheckName;
}

export interface Rotator<Options = unknown> {
  /** Which credential comes next. No I/O. The candidate of a target that issues its own keys carries an empty password until apply. */
  propose(step: Step<Options>, current: Credential): Credential | Failure;
  /**
   * Makes the candidate the target's first credential, the one that its planned end never takes away, and gives back the credential as it
   * now is. Looks before it writes. `live` is a credential that is known to log in now: what a self-rotation connects with.
   *
   * A candidate that carries a password may be an earlier one on the way back: it may log in already and still not be first (the second of
   * two passwords, a key in the other slot), and what the target had first becomes the one that `retire` ends. A target that issues its own
   * keys then only makes sure that the key is still there. A candidate with an empty password is to be issued.
   */
  apply(step: Step<Options>, candidate: Credential, live: Credential): Promise<ApplyOutcome>;
  /** Logs in with the credential on a fresh connection; compares what it may do with what `step.current`'s login may. Changes nothing. */
  verify(step: Step<Options>, credential: Credential): Promise<VerifyOutcome>;
  /** Live sessions still on `previous`. Changes nothing. */
  inUse(step: Step<Options>, previous: Credential): Promise<UseOutcome>;
  /**
   * Makes the target refuse `previous`. Not found is success. Whatever `step.current` logs in as goes on working: a rotator that cannot end
   * the one without the other says so in a failure. That is the published credential, or, in an emergency that makes room before the publish,
   * the candidate that the target took; `previous` is the published one then.
   *
   * In an emergency `previous` is refused first (a pool that is cut comes back at once, and must not get in with it), then all its sessions
   * are told to end at once, then looked at until none is left or the time is over. What is left is the failure `sessions-open`, with the
   * right that is missing. Where the old password died at apply only sessions are ended.
   */
  retire(step: Step<Options>, previous: Credential): Promise<RetireOutcome>;
  /** Preflight: reachable, permitted, TLS, strategy possible. Changes nothing. */
  check(step: Step<Options>): Promise<readonly RotatorCheck[]>;
  /** Absent in rotators that are made for tests: there is no twin. */
  readonly rehearsal?: Rehearsal<Options>;
}

/** What a secret publishes, as far as it tells whose login, pair or slot it is: nothing secret. */
export interface IdentityFacts<Options = unknown> {
  readonly strategy: Strategy;
  /** Absent where the value names none. */
  readonly username?: string;
  /** Where consumers log in and where the admin connects, as they are written. */
  readonly endpoints: readonly Endpoint[];
  readonly options: Options;
}

/** Who replaces a credential by hand, and where. */
export interface ManualCare {
  readonly owner?: string;
  readonly link?: string;
}

/** What the registry says of a kind of target without loading its driver. */
export interface RotatorEntry<Options = unknown> {
  readonly name: string;
  /** Supported strategies, the safest first: that one is the default. */
  readonly strategies: readonly [Strategy, ...Strategy[]];
  /**
   * Reads the rotator's own tags. Unknown tags are left alone.
   * Issues must be sentences that name the tag and the fix; they become `tag-invalid` failures.
   */
  readonly options: z.ZodType<Options>;
  /** Whether a target without a host in the admin connection or the value makes sense (keys of a provider). Default false. */
  readonly hostless?: boolean;
  /** Present where only a person makes its credentials: it is watched and reminded of, and never rotated. Pure. */
  manual?(options: Options): ManualCare;
  /**
   * Names what rotations of the secret change at the target: each login with each of its hosts, or the resource. Two secrets with one name in
   * common are of one login, pair or resource, and the engine rotates neither. Keys of an issuer have one name for all keys of an account; the
   * engine tells them apart. Host names are written in one way (`hostNames` in shared/contract/hosts.ts). Absent: there is no target. Pure.
   */
  identity?(facts: IdentityFacts<Options>): readonly string[];
  /** Loads the driver and makes the rotator. Called until it has succeeded once. */
  readonly load: (environment: RotatorEnvironment) => Promise<Rotator<Options>>;
}

/** What every rotator gets from the app's settings. */
export interface RotatorEnvironment {
  /** PEM certificates trusted besides the system's. */
  readonly trustedCertificates: readonly string[];
  /** Longest time one connection attempt may take, in ms. */
  readonly connectTimeoutMs: number;
  /** A token of the app's own identity for `scope`. */
  readonly getToken: (scope: string) => Promise<SecretText>;
  /** Hosts that provider descriptions may name; nothing else is called. */
  readonly allowedHosts: readonly string[];
  /** Whether the app's settings list a host for targets (KEYTURN_TARGET_HOSTS). Absent: they list none. */
  readonly listsHost?: (host: string) => boolean;
  /** Folder with the app's own provider descriptions, besides the ones that come with Keyturn. */
  readonly descriptionsFolder?: string;
  /** Base URLs of the cloud in use, without a slash at the end. */
  readonly cloud: { readonly resourceManager: string; readonly graph: string; readonly login: string };
}
