/** The throw-away twin of a rehearsal: a login of its own beside the one in use, or a key that is issued for it. */
import type { Step, TwinStep } from '../../shared/contract/rotator.ts';

/**
 * The twin's login: the same for every rehearsal of the secret, and no other secret's. 29 characters, so that every server takes it (MySQL: 32).
 */
export function twinLogin({ labelPrefix }: Pick<Step, 'labelPrefix'>): string {
  return `keyturn_twin_${labelPrefix.slice(-17, -1)}`;
}

interface WithUsers {
  readonly users?: readonly [string, string] | undefined;
}

/** A second login as `alternating-users` makes it, whatever the secret's own strategy is: the live one is only read. `current`: the login in use. */
export function twinOfPair<Options extends WithUsers>(
  step: Step<Options>,
  current: string | undefined,
): TwinStep<Options> {
  if (step.admin.kind === 'self') {
    const detail =
      'Without an admin (tag "admin") nobody can make a throw-away login; the published one was proven, and its rights were looked at.';
    return { kind: 'no-twin', detail };
  }
  if (current === undefined || current === '')
    return { kind: 'no-twin', detail: 'The value names no login that a twin could be made like.' };
  const users: readonly [string, string] = [current, twinLogin(step)];
  return {
    kind: 'twin',
    step: { ...step, strategy: 'alternating-users', options: { ...step.options, users }, emergency: false },
  };
}

/** A key under a label of its own: what bears it is a rehearsal's, and never a rotation's. */
export function twinOfIssuer<Options>(step: Step<Options>): TwinStep<Options> {
  return { kind: 'twin', step: { ...step, label: `${step.labelPrefix}rehearsal`, emergency: false } };
}
