/** What a manifest means, and how its mistakes are told. */
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../cli/api/views.ts';
import { surprises } from '../../cli/manifest/counts.ts';
import { readManifest } from '../../cli/manifest/read.ts';
import { manifestJsonSchema } from '../../cli/manifest/schema.ts';
import { rotatorNames, tagNames, writtenByKeyturn } from '../../cli/manifest/tag-names.ts';
import { compareWith, differenceLines } from '../../cli/manifest/wanted.ts';
import { rotators } from '../../rotators/registry.ts';
import { ownTags } from '../../shared/engine/policy/policy.ts';
import { requestedTag } from '../../shared/engine/policy/requested.ts';
import { pendingOfTag, stampTag } from '../../shared/engine/policy/stamp.ts';

const problemsIn = (text: string): readonly string[] => {
  const read = readManifest(text);
  return read.kind === 'wrong' ? read.problems : [];
};

const manifest = (text: string) => {
  const read = readManifest(text);
  if (read.kind === 'wrong') throw new Error(read.problems.join('\n'));
  return read.manifest;
};

const secret = (name: string, tags: Record<string, string> = {}, vault = 'shop-prod'): Secret => ({
  ...{ vault, secret: name, state: 'unmanaged', detail: '', enabled: true, createdAt: '2026-01-01T00:00:00Z', tags },
});

const whole = `
version: 1
defaults: { valid-for: 90, notify: ops }
environments:
  prod: { vaults: shop-prod, defaults: { valid-for: P30D } }
  test: { vaults: [shop-test, lab-*] }
secrets:
  - match: [orders-*, billing-*]
    except: orders-old
    tags: { rotator: postgres, admin: postgres-admin, team: shop }
  - match: billing-*
    environments: [prod]
    tags: { window: "Sat,Sun 00:00-24:00 UTC", legacy: null }
  - match: postgres-admin
    tags: { serves: "orders-*,billing-*" }
`;

describe('a manifest', () => {
  it('gives the defaults to what is to be managed, those of the environment over the others, and later rules win', () => {
    const secrets = [
      secret('orders-db', { 'valid-for': 'P90D' }),
      secret('billing-db', { legacy: 'x', window: 'any' }),
      secret('postgres-admin'),
      secret('orders-old'),
      secret('orders-db', {}, 'shop-test'),
    ];
    const { differences, rules } = compareWith(manifest(whole), 'prod', secrets);
    expect(differences.map((one) => [one.secret, differenceLines(one)])).toEqual([
      [
        'orders-db',
        [
          '~ valid-for = P30D (was P90D)',
          '+ notify = ops',
          '+ rotator = postgres',
          '+ admin = postgres-admin',
          '+ team = shop',
        ],
      ],
      [
        'billing-db',
        [
          '+ valid-for = P30D',
          '+ notify = ops',
          '+ rotator = postgres',
          '+ admin = postgres-admin',
          '+ team = shop',
          '~ window = Sat,Sun 00:00-24:00 UTC (was any)',
          '- legacy (was x)',
        ],
      ],
      ['postgres-admin', ['+ serves = orders-*,billing-*']],
    ]);
    expect(rules.map(({ matched }) => matched)).toEqual([2, 1, 1]);
  });

  it('that everything is as it says changes nothing', () => {
    const [first] = compareWith(manifest(whole), 'test', [secret('orders-db', {}, 'lab-7')]).differences;
    const done = secret('orders-db', { ...first?.set }, 'lab-7');
    expect(compareWith(manifest(whole), 'test', [done])).toMatchObject({ differences: [], same: 1 });
  });

  it('with an unknown key is refused with its line and the key that was probably meant', () => {
    const text = 'version: 1\nsecrets:\n  - match: a\n    excpet: b\n    tags: { rotator: redis }\ndefault: {}\n';
    expect(problemsIn(text)).toEqual([
      'line 4: "excpet" is not known in secrets[1]; did you mean "except"?',
      'line 6: "default" is not known here; did you mean "defaults"?',
    ]);
  });

  it.each([
    ['valid_for: P90D', 'the tag "valid_for" has no effect; did you mean "valid-for"?'],
    ['strateggy: single-user', 'the tag "strateggy" has no effect; did you mean "strategy"?'],
    ['rotation: id=1', 'the tag "rotation" is written by Keyturn alone'],
    ['rotator: postgress', 'is one of'],
    ['owner: [a, b]', 'takes a text, a number, or null'],
  ])('with the tag "%s" is refused', (tag, said) => {
    expect(problemsIn(`version: 1\nsecrets:\n  - match: a\n    tags: { ${tag} }\n`).join()).toContain(said);
  });

  it.each([
    ['no YAML', 'version: 1\nsecrets: [', 'line'],
    ['a key twice', 'version: 1\nversion: 1\nsecrets: []', 'unique'],
    ['no version', 'secrets:\n  - { match: a, tags: {} }', 'version'],
    [
      'an environment that is not there',
      'version: 1\nsecrets:\n  - { match: a, environments: [prdo], tags: {} }',
      'no environment',
    ],
    ['a pattern that is none', 'version: 1\nsecrets:\n  - { match: "a/b", tags: {} }', 'letters, digits and dashes'],
    ['aliases of aliases', `version: 1\nsecrets: &a [${'*a,'.repeat(3)}]`, ''],
  ])('with %s is refused, and throws nothing', (_, text, said) => {
    const problems = problemsIn(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toContain(said);
  });

  it('knows every tag that the app reads from its own table, every rotator, and no tag that only Keyturn writes', () => {
    const aliases = ['ValidityPeriodDays', 'ProviderAddress', 'CredentialId'];
    expect(ownTags.filter((tag) => !tagNames.includes(tag) && !aliases.includes(tag))).toEqual([]);
    expect([...rotatorNames]).toEqual(rotators.map(({ name }) => name));
    expect([...writtenByKeyturn].sort()).toEqual([pendingOfTag, requestedTag, stampTag].sort());
  });

  it('has a JSON schema for editors that names each tag', () => {
    const schema = JSON.stringify(manifestJsonSchema());
    for (const tag of tagNames) expect(schema).toContain(`"${tag}"`);
  });
});

describe('the counts of before', () => {
  const rule = (matched: number) => [{ rule: 1, match: 'orders-*', matched }];
  const earlier = (matched: number) => ({ matched: { '*': { 'orders-*': matched } } });

  it.each([
    ['nothing, for the first time', 0, { matched: {} }, 'matches no secret'],
    ['nothing any more', 0, earlier(12), 'matches no secret, and 12'],
    ['ten times as much', 120, earlier(12), 'matches 120 secrets, and 12'],
  ])('a rule that matches %s is surprising', (_, matched, counts, said) => {
    expect(surprises(counts, undefined, rule(matched)).join()).toContain(said);
  });

  it.each([
    ['more, and less than ten times', 119, earlier(12)],
    ['something for the first time', 500, { matched: {} }],
    ['ten where there was one: few enough to look at', 10, earlier(1)],
  ])('a rule that matches %s is not', (_, matched, counts) => {
    expect(surprises(counts, undefined, rule(matched))).toEqual([]);
  });
});
