import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rotators } from '../../rotators/registry.ts';
import { parsePolicy } from '../../shared/engine/policy/policy.ts';
import { rememberingPolicies } from '../../shared/engine/policy/policy-memory.ts';

const dayMs = 86_400_000;
const defaults = { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: 2 * dayMs };
const registry = new Map(rotators.map((entry) => [entry.name, entry]));

const names = [
  'strategy',
  'admin',
  'users',
  'valid-for',
  'overlap',
  'window',
  'provider',
  'ValidityPeriodDays',
  'owner',
];
const values = [
  'P90D',
  '30',
  'single-user',
  'a,b',
  'a',
  'self-issued',
  'Mon-Fri 01:00-05:00 Europe/Berlin',
  'nonsense',
  '',
];
const tags = fc.record({
  rotator: fc.constantFrom(...registry.keys(), 'unheard-of'),
  others: fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...values), { maxKeys: 4 }),
});

describe('remembered policies', () => {
  it('are what reading the tags anew gives, in whatever order secrets come', () => {
    fc.assert(
      fc.property(fc.array(tags, { maxLength: 40 }), (secrets) => {
        const remembered = rememberingPolicies();
        for (const { rotator, others } of [...secrets, ...secrets]) {
          const given = { ...others, rotator };
          expect(remembered(given, defaults, registry)).toEqual(parsePolicy(given, defaults, registry));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are read once for secrets that differ only in tags of their owners', () => {
    const remembered = rememberingPolicies();
    const first = remembered({ rotator: 'postgres', owner: 'a' }, defaults, registry);
    expect(remembered({ rotator: 'postgres', owner: 'b' }, defaults, registry)).toBe(first);
    expect(remembered({ rotator: 'postgres', users: 'b' }, defaults, registry)).not.toBe(first);
  });

  it('are told apart when one value holds what looks like the next tag', () => {
    const remembered = rememberingPolicies();
    const one = remembered({ rotator: 'postgres', admin: 'a1:b' }, defaults, registry);
    const other = remembered({ rotator: 'postgres', admin: 'a', users: 'b' }, defaults, registry);
    expect(one).not.toEqual(other);
  });
});
