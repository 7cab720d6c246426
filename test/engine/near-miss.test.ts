/** Tags that are nearly those of Keyturn. */
import { describe, expect, test } from 'vitest';
import { rotators } from '../../rotators/registry.ts';
import { policyOf } from '../../shared/engine/policy/current.ts';
import { nearlyOptedIn, nearMissesOf } from '../../shared/engine/policy/near-miss.ts';
import { lookAt } from '../../shared/engine/sweep/standing.ts';
import { plan } from '../../shared/operations/inspect.ts';
import { around } from './around.ts';

const byName = new Map(rotators.map((entry) => [entry.name, entry]));
const entry = (name: string) => {
  const found = byName.get(name);
  if (found === undefined) throw new Error(`no rotator ${name}`);
  return found;
};

describe('a tag that has no effect', () => {
  test.each([
    ['valid_for', 'valid-for'],
    ['rotate_before', 'rotate-before'],
    ['RotateBefore', 'rotate-before'],
    ['Valid For', 'valid-for'],
    ['strateggy', 'strategy'],
    ['stratgey', 'strategy'],
    ['Admin', 'admin'],
    ['onForeignVersion', 'on-foreign-version'],
    ['overlaps', 'overlap'],
    ['copy_of', 'copy-of'],
  ])('%s: did you mean %s?', (tag, name) => {
    const [problem] = nearMissesOf({ rotator: 'postgres', [tag]: 'x' }, entry('postgres'));
    expect(problem).toEqual({ tag, detail: `has no effect; did you mean "${name}"?` });
  });

  test('of the rotator itself is known, too', () => {
    const [problem] = nearMissesOf({ rotator: 'azure-keys', Resource: 'x' }, entry('azure-keys'));
    expect(problem?.detail).toContain('"resource"');
  });

  test.each(['team', 'env', 'cost-center', 'application', 'format-version', 'source', 'managed-by', 'created'])(
    '%s is its owner’s, and nobody is bothered',
    (tag) => expect(nearMissesOf({ rotator: 'postgres', [tag]: 'x' }, entry('postgres'))).toEqual([]),
  );

  test('is no news beside the tag that was meant', () => {
    const tags = { rotator: 'postgres', valid_for: 'P30D', 'valid-for': 'P90D' };
    expect(nearMissesOf(tags, entry('postgres'))).toEqual([]);
  });

  test('is said by a plan as a check that is not passed and stops nothing', async () => {
    const it = around({ valid_for: 'P10D' });
    const { vault, secret } = it.world;
    const made = await plan(it.deps.engine, vault, { secret, mode: 'asked' }, new AbortController().signal);
    expect(made).toMatchObject({
      checks: [{ name: 'tags', state: 'unknown', detail: '"valid_for" has no effect; did you mean "valid-for"?' }],
    });
  });
});

describe('a secret that nearly opted in', () => {
  const defaults = { validForMs: 90, rotateBeforeMs: 30, overlapMs: 1 };
  const secret = (tags: Record<string, string>) => ({
    ...{ name: 'orders-db', enabled: true, tags },
    ...{ createdAt: new Date(0), updatedAt: new Date(0) },
  });

  test.each(['Rotator', 'ROTATOR', 'rotater', 'rotators', 'roator'])(
    'by the tag %s is invalid, not left alone',
    (tag) => {
      const seen = policyOf({ defaults, rotators: byName }, secret({ [tag]: 'postgres' }));
      expect(seen).toMatchObject({ kind: 'failed', code: 'tag-invalid' });
      const { standing } = lookAt({ defaults, rotators: byName }, secret({ [tag]: 'Postgres' }), {}, new Date(0));
      expect(standing).toMatchObject({ state: 'invalid' });
    },
  );

  test.each([{ Rotator: 'of the year' }, { rotate: 'postgres' }, { rotation: 'postgres' }, { router: 'redis' }])(
    '%o is none',
    (tags) => expect(nearlyOptedIn(tags, byName)).toBeUndefined(),
  );
});
