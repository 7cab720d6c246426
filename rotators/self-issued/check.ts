import type { RotatorCheck, Step } from '../../shared/contract/rotator.ts';
import { wrongRules } from './rules.ts';
import type { SelfIssuedTags } from './tags.ts';

/** Preflight. No I/O. */
export function check(step: Step<SelfIssuedTags>): RotatorCheck[] {
  const both = step.current.parts?.['previous'] !== undefined;
  const wrong = wrongRules(step);
  return [
    ...(wrong === undefined
      ? []
      : [
          {
            name: 'password rules' as const,
            state: 'failed' as const,
            detail: `the tag "password" ${wrong}`,
            fix: `Correct the tag "password" of ${step.secret}.`,
          },
        ]),
    {
      name: 'value' as const,
      state: step.current.password.isEmpty ? 'failed' : 'passed',
      detail: step.current.password.isEmpty ? 'the value is empty' : 'the value is what verifiers trust',
      ...(step.current.password.isEmpty ? { fix: `Store a first value of ${step.secret}.` } : {}),
    },
    {
      name: 'overlap',
      state: both ? 'passed' : 'unknown',
      detail: both
        ? 'the old key stays in the field "previous" until it is retired'
        : 'the value holds one key: verifiers must keep the old one themselves, or the value must be JSON with "current" and "previous"',
    },
  ];
}
