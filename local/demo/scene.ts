import type { LocalAzure } from '../azure.ts';

/** One secret of the demo: its target, its consumer, and what is to come of it. */
export interface Scene {
  readonly secret: string;
  /** It is a copy of that secret or derived from it, and is renewed with it. */
  readonly source?: string;
  /** It stands in the second vault. */
  readonly elsewhere?: true;
  /** What it shows, in a few words. */
  readonly about: string;
  readonly strategy: string;
  readonly expected: 'rotated' | 'failed';
  /** Whether clients must not notice anything. */
  readonly unnoticed: boolean;
  /** A program that must be installed, and the Debian package that brings it. Without it the scene is left out, and said so. */
  readonly needs?: { readonly program: string; readonly package: string };
  /** The server that `start` starts, in words for the list of what is ready. */
  readonly server?: string;
  /** What must allow the end of the old credential; absent: anything. */
  readonly retiredBy?: 'free' | 'deadline';
  /** The retirement publishes once more, without the old key: that is what makes verifiers drop it. */
  readonly retirementPublishes?: boolean;
  /** Starts the target; gives the settings that the app needs for it. Comes before the app starts. */
  start?(): Promise<Readonly<Record<string, string>>>;
  /** Makes the login and stores the secret. */
  setUp(azure: LocalAzure): Promise<void>;
  /** One call of a consumer that holds this value; rejects when the target refuses it. Absent: nobody calls a target with it. */
  readonly use?: (value: string) => Promise<void>;
  /** Starts an application that follows the secret by itself; its calls are made instead of `use`. Ended with its consumer. */
  follow?(azure: LocalAzure): Promise<Follower>;
  /** Whether the target lets this value in. Absent: there is no target. */
  readonly accepts?: (value: string) => Promise<boolean>;
  /** Ends what `setUp` started. */
  close?(): Promise<void>;
}

/** An application that needs nobody to read its secret for it. */
export interface Follower {
  readonly call: () => Promise<unknown>;
  /** May be called again. */
  readonly close: () => Promise<void>;
}
