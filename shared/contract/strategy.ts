/**
 * How a target moves from one credential to the next.
 *
 * `single-user`: the password of one login is replaced in place. `alternating-users`: two logins with the same rights, the
 * idle one gets a new password. `dual-password`: one login holds two passwords. `dual-key`: a resource has two key slots.
 * `issue-revoke`: the provider issues a new key. `self-issued`: there is no target, the value itself is the credential.
 */
export const strategies = [
  'single-user',
  'alternating-users',
  'dual-password',
  'dual-key',
  'issue-revoke',
  'self-issued',
] as const;

export type Strategy = (typeof strategies)[number];

/** What the engine has to know of a strategy; the order of steps is the engine's and the same for all. */
export interface StrategyTraits {
  /**
   * When the candidate is stored as `keyturn-pending-NAME`. `before-apply`: the target starts to depend on it at apply, so a crash must find
   * it again. `after-apply`: only the target's answer holds the value and it cannot be read twice. `never`: nobody depends on the
   * candidate until it is published, so a crash may throw it away.
   */
  readonly pending: 'before-apply' | 'after-apply' | 'never';
  /** Whether the credential before goes on working until it is retired. */
  readonly oldLives: boolean;
  /** Whether the target takes a credential that we choose, so that an earlier one can be made to work again. */
  readonly chosen: boolean;
  /** Whether there is a target that could refuse a credential. */
  readonly hasTarget: boolean;
  /** Whether a credential is a login's: a version then speaks for that login alone. Keys are told apart by their provider. */
  readonly ofLogin: boolean;
  /** Whether each credential has a login of its own, so that an old one is ended by its login. */
  readonly perLogin: boolean;
}

export const strategyTraits: Readonly<Record<Strategy, StrategyTraits>> = {
  'single-user': {
    pending: 'before-apply',
    oldLives: false,
    chosen: true,
    hasTarget: true,
    ofLogin: true,
    perLogin: false,
  },
  'alternating-users': {
    pending: 'never',
    oldLives: true,
    chosen: true,
    hasTarget: true,
    ofLogin: true,
    perLogin: true,
  },
  'dual-password': { pending: 'never', oldLives: true, chosen: true, hasTarget: true, ofLogin: true, perLogin: false },
  'dual-key': { pending: 'never', oldLives: true, chosen: false, hasTarget: true, ofLogin: false, perLogin: false },
  'issue-revoke': {
    pending: 'after-apply',
    oldLives: true,
    chosen: false,
    hasTarget: true,
    ofLogin: false,
    perLogin: false,
  },
  'self-issued': { pending: 'never', oldLives: true, chosen: true, hasTarget: false, ofLogin: false, perLogin: false },
};
