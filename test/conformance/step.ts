import { randomInt } from 'node:crypto';
import type { PasswordRules } from '../../shared/contract/password-rules.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { StepParts } from './harness.ts';

const classes = ['ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz', '0123456789'] as const;

export interface StepExtras {
  readonly emergency?: boolean;
  readonly signal?: AbortSignal;
  readonly remainingMs?: () => number;
  readonly secret?: string;
  readonly validForMs?: number;
}

/** A step as the engine makes it, for calling a rotator directly. */
export function makeStep<Options>(
  strategy: Strategy,
  parts: StepParts<Options>,
  extras: StepExtras = {},
): Step<Options> {
  return {
    rotationId: 'rotation-of-a-test',
    label: 'keyturn-label-of-a-test',
    labelPrefix: 'keyturn-label-',
    secret: extras.secret ?? 'orders-db',
    strategy,
    current: parts.current,
    endpoint: parts.endpoint,
    adminEndpoint: parts.adminEndpoint,
    admin: parts.admin,
    options: parts.options,
    emergency: extras.emergency ?? false,
    validForMs: extras.validForMs ?? 90 * 86_400_000,
    signal: extras.signal ?? new AbortController().signal,
    remainingMs: extras.remainingMs ?? (() => 30_000),
    newPassword,
  };
}

/** A password as the engine's generator promises it. */
export function newPassword(rules: PasswordRules = {}): SecretText {
  const special = rules.require?.special === undefined ? [] : ['-._~'];
  const kinds = [...classes, ...special];
  const alphabet = rules.alphabet ?? kinds.join('');
  const length = rules.length ?? 40;
  for (;;) {
    const text = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
    const complete = kinds.every((letters) => [...letters].some((letter) => text.includes(letter)));
    if (rules.alphabet !== undefined || complete) return new SecretText(text);
  }
}
