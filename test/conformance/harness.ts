/** What a rotator brings to the conformance suite: its registry entry and a real target to break. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Admin, Endpoint, RotatorEntry, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';

/** The parts of a step that depend on the target. */
export interface StepParts<Options> {
  readonly current: Credential;
  readonly endpoint: Endpoint;
  readonly adminEndpoint: Endpoint;
  readonly admin: Admin;
  readonly options: Options;
}

/** A connection that stays open until it is closed from either side. */
export interface Session {
  /** Whether the target still answers on it. */
  alive(): Promise<boolean>;
  /** May be called when the target has ended it already. */
  close(): Promise<void>;
}

/** One fresh login (or key) at the target, for one test. */
export interface Scene<Options> extends StepParts<Options> {
  /** Whether the target lets the credential in now, asked with a client that is not the rotator. Throws when there is no answer. */
  login(credential: Credential): Promise<boolean>;
  /** Needed unless `sessions` is `none`. */
  openSession?(credential: Credential): Promise<Session>;
  /** What the login may do, found out by doing it with an independent client. Needed for `alternating-users`. */
  mayDo?(credential: Credential): Promise<readonly string[]>;
  /** Everything at the target that a rotator could change, in a comparable form. */
  snapshot(): Promise<unknown>;
  /** A credential in the form of `current` that the target has never known. */
  readonly missing: Credential;
}

/** A target nobody gets an answer from. */
export interface CutOff<Options> {
  /** What of the step changes: usually both endpoints. */
  readonly parts: Partial<StepParts<Options>>;
  /** Settles once the rotator tried to connect. */
  readonly contacted: Promise<void>;
  restore(): Promise<void>;
}

/** `refusing`: connections are refused or cut at once. `silent`: they are taken and never answered. */
export type CutOffKind = 'refusing' | 'silent';

/** A breakage leaves the scene in place and gives back what of the step changes. */
export type Breakage<Options> = (scene: Scene<Options>) => Promise<Partial<StepParts<Options>>>;

export interface Variant {
  /** Name of the login to make; the target's choice when absent. */
  readonly login?: string;
  readonly admin: 'connection' | 'self';
}

export interface Target<Options> {
  /** Settings of the app that only the started target knows: trusted certificates, allowed hosts, cloud addresses. */
  readonly environment?: Partial<RotatorEnvironment>;
  scene(strategy: Strategy, variant: Variant): Promise<Scene<Options>>;
  /** Needed when `network` is `stand-in`; with `endpoint` the suite points the step at a listener of its own. */
  cutOff?(scene: Scene<Options>, kind: CutOffKind): Promise<CutOff<Options>>;
  /** Everything the target logged or received in clear, where it can tell. Candidates must not appear in it. */
  log?(): Promise<string>;
  close(): Promise<void>;
}

/** Which claims apply. A claim that does not apply is not declared; none is ever skipped. */
export interface Features {
  /** `seen`: the rotator counts sessions on the old credential. `unseen`: there are sessions, but it cannot tell. `none`: the target has none. */
  readonly sessions: 'seen' | 'unseen' | 'none';
  /** Whether an admin connection makes the change, so that it can be refused. */
  readonly admin: boolean;
  /** Whether a login can change its own credential (admin kind `self`). */
  readonly selfRotation: boolean;
  /** `endpoint`: the step says where to connect. `stand-in`: the target cuts itself off. `none`: there is no target at all. */
  readonly network: 'endpoint' | 'stand-in' | 'none';
  /** `refuses`: a retired credential no longer logs in. `keeps`: nothing refuses it (`self-issued`). */
  readonly retirement: 'refuses' | 'keeps';
}

export interface RotatorHarness<Options> {
  readonly entry: RotatorEntry<Options>;
  readonly features: (strategy: Strategy) => Features;
  /** Names a login may legally have here: quotes, semicolons, unicode, the longest. Empty where credentials have no names. */
  readonly hostileNames: readonly string[];
  /** What `check` must name, each with a fix. The suite adds a wrong admin and a refusing network by itself. */
  readonly breakages: (strategy: Strategy) => Readonly<Record<string, Breakage<Options>>>;
  /** How to spoil the admin connection: by default the password of an admin connection is replaced. */
  readonly breakAdmin?: Breakage<Options>;
  /** Starts the target once per strategy. Everything it starts ends with `close`. */
  readonly start: (strategy: Strategy) => Promise<Target<Options>>;
}
