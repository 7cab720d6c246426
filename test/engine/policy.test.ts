import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Tags } from '../../shared/contract/ports.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { parsed, policyOf } from './facts.ts';
import { dayMs, memoryEntry } from './world.ts';

const hourMs = dayMs / 24;

function problems(tags: Tags, entry?: RotatorEntry): readonly string[] {
  const outcome = parsed({ rotator: 'memory', ...tags }, entry);
  return outcome.kind === 'invalid' ? outcome.problems.map(({ tag, detail }) => `${tag}: ${detail}`) : [];
}

describe('what the tags say', () => {
  test('without the tag rotator nothing else is looked at', () => {
    expect(parsed({ strategy: 'nonsense', 'valid-for': '-' })).toEqual({ kind: 'opted-out' });
    expect(parsed({})).toEqual({ kind: 'opted-out' });
  });

  test('with it alone, the app decides and the rotator gives its safest strategy', () => {
    expect(policyOf()).toMatchObject({
      ...{ strategy: memoryEntry.strategies[0], admin: { kind: 'self' }, users: [], consumers: [] },
      ...{ validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs },
      ...{ window: undefined, notify: undefined, format: undefined, field: undefined },
    });
  });

  test.each<[Tags, object]>([
    [{ strategy: 'dual-password' }, { strategy: 'dual-password' }],
    [{ admin: 'orders-admin' }, { admin: { kind: 'secret', name: 'orders-admin' } }],
    [{ admin: 'managed-identity' }, { admin: { kind: 'identity' } }],
    [{ users: 'app, app_alt' }, { users: ['app', 'app_alt'] }],
    [{ users: 'app app_alt,,' }, { users: ['app', 'app_alt'] }],
    [{ 'valid-for': 'P30D' }, { validForMs: 30 * dayMs, rotateBeforeMs: 10 * dayMs }],
    [{ 'valid-for': '45' }, { validForMs: 45 * dayMs, rotateBeforeMs: 15 * dayMs }],
    [{ 'valid-for': 'PT6H' }, { validForMs: 6 * hourMs, rotateBeforeMs: 2 * hourMs, overlapMs: 2 * hourMs }],
    [{ 'rotate-before': 'P30D' }, { rotateBeforeMs: 30 * dayMs }],
    [{ overlap: 'PT5M' }, { overlapMs: hourMs / 12 }],
    [{ overlap: 'P0D' }, { overlapMs: 0 }],
    [{ 'valid-for': 'PT1M' }, { validForMs: 60_000 }],
    [{ consumers: 'shop, billing' }, { consumers: ['shop', 'billing'] }],
    [{ notify: 'ops' }, { notify: ['ops'] }],
    [{ format: 'ado-net' }, { format: 'ado-net' }],
    [{ window: 'Sat 01:00-05:00 Europe/Berlin' }, { window: { zone: 'Europe/Berlin' } }],
    [{ ValidityPeriodDays: '60' }, { validForMs: 60 * dayMs }],
    [{ ValidityPeriodDays: '60', 'valid-for': 'P10D' }, { validForMs: 10 * dayMs }],
    [{ CredentialId: 'app' }, { users: ['app'] }],
    [{ announce: 'P7D' }, { announceMs: 7 * dayMs }],
    [{ team: 'orders', rotation: 'whatever' }, {}],
  ])('%j', (tags, policy) => {
    expect(policyOf(tags)).toMatchObject(policy);
  });

  test('the alias of the provider reaches the schema of the rotator', () => {
    const entry: RotatorEntry = { ...memoryEntry, options: z.object({ resource: z.string() }) };
    const outcome = parsed({ rotator: 'memory', ProviderAddress: '/subscriptions/1' }, entry);
    expect(outcome).toMatchObject({ policy: { options: { resource: '/subscriptions/1' } } });
  });
});

describe('the tag policy', () => {
  test('holds several tags, windows with several spans among them, and blanks do not matter', () => {
    const text =
      'valid-for=P60D; rotate-before = P20D ;overlap=PT12H;window=Fri 22:00-04:00; Sat,Sun 00:00-24:00 UTC; announce=P7D;';
    expect(policyOf({ policy: text, notify: 'ops' })).toMatchObject({
      ...{ validForMs: 60 * dayMs, rotateBeforeMs: 20 * dayMs, overlapMs: dayMs / 2, announceMs: 7 * dayMs },
      ...{ window: { zone: 'UTC', text: 'Fri 22:00-04:00; Sat,Sun 00:00-24:00 UTC' }, notify: ['ops'] },
    });
  });

  test('holds the rotator’s own tags, too', () => {
    const entry: RotatorEntry = { ...memoryEntry, options: z.object({ resource: z.string() }) };
    const outcome = parsed({ rotator: 'memory', policy: 'overlap=P1D; resource=/subscriptions/1' }, entry);
    expect(outcome).toMatchObject({ policy: { overlapMs: dayMs, options: { resource: '/subscriptions/1' } } });
  });

  test('wins over an alias of the same tag', () => {
    expect(policyOf({ policy: 'valid-for=P10D', ValidityPeriodDays: '60' })).toMatchObject({ validForMs: 10 * dayMs });
  });
});

describe('a secret that a person replaces', () => {
  test('is read as nothing: whatever its value is, it is left as it is', () => {
    const entry: RotatorEntry = { ...memoryEntry, manual: () => ({ owner: 'ops' }) };
    const outcome = parsed({ rotator: 'memory', format: 'json' }, entry);
    expect(outcome).toMatchObject({ policy: { format: 'raw', manual: { owner: 'ops' } } });
    expect(policyOf().manual).toBeUndefined();
  });
});

describe('what the tags must not say', () => {
  test.each<[Tags, RegExp]>([
    [{ strategy: 'Single-User' }, /^strategy: is one of single-user, /],
    [{ strategy: '' }, /^strategy: /],
    [{ admin: 'a b' }, /^admin: is the name of a vault secret/],
    [{ admin: '' }, /^admin: /],
    [{ 'valid-for': 'P1M' }, /^valid-for: .*days/],
    [{ 'valid-for': 'soon' }, /^valid-for: is neither a duration like/],
    [{ 'valid-for': 'P0D' }, /^valid-for: is shorter than 60 s$/],
    [{ 'valid-for': 'PT1S' }, /^valid-for: is shorter than 60 s$/],
    [{ 'valid-for': 'PT59S' }, /^valid-for: is shorter than 60 s$/],
    [{ 'valid-for': 'P3651D' }, /^valid-for: is longer than 3650 days$/],
    [{ 'rotate-before': 'PT0S' }, /^rotate-before: is shorter than 1 s$/],
    [{ 'rotate-before': 'P3651D' }, /^rotate-before: is longer than 3650 days$/],
    [{ overlap: 'P3651D' }, /^overlap: is longer than 3650 days$/],
    [{ ValidityPeriodDays: '0' }, /^valid-for: is shorter than 60 s$/],
    [{ 'valid-for': 'P999999D' }, /^valid-for: is longer than a hundred years/],
    [{ 'rotate-before': 'P31D' }, /^rotate-before: is at most a third/],
    [{ 'valid-for': 'P30D', 'rotate-before': 'P11D' }, /^rotate-before: is at most a third/],
    [{ overlap: '-1' }, /^overlap: is neither a duration/],
    [{ overlap: 'P90D' }, /^overlap: must be shorter than the time between/],
    [{ overlap: 'P60D' }, /^overlap: must be shorter than the time between/],
    [{ window: 'Mon-Fri' }, /^window: is like/],
    [{ window: 'Mon 01:00-02:00 Mars/Olympus' }, /^window: .*no time zone/],
    [{ consumers: 'sh$op' }, /^consumers: takes names/],
    [{ notify: 'x'.repeat(65) }, /^notify: takes names/],
    [{ format: 'yaml' }, /^format: is one of raw/],
    [{ announce: 'P60D' }, /^announce: must be shorter than the time between two rotations/],
    [{ policy: 'overlap=P1Y' }, /^overlap: months and years/],
    [{ policy: 'overlap=P1D', overlap: 'P2D' }, /^overlap: is set twice: alone, and inside "policy"/],
    [{ policy: 'overlap=P1D; overlap=P2D' }, /^policy: sets "overlap" twice/],
    [{ policy: 'valid_for=P90D' }, /^policy: "valid_for" is no tag that it takes/],
    [{ policy: 'valid-for=P90D; team=shop' }, /^policy: "team" is no tag that it takes/],
    [{ policy: '90 days' }, /^policy: "90 days" is no tag that it takes/],
    [{ policy: 'rotator=memory' }, /^policy: "rotator" is no tag that it takes/],
    [{ policy: 'policy=overlap' }, /^policy: "policy" is no tag that it takes/],
    [{ policy: 'valid-for=P90D; Sat 01:00-02:00 UTC' }, /^valid-for: is neither a duration like/],
  ])('%j', (tags, problem) => {
    const all = problems(tags);
    expect(all).toHaveLength(1);
    expect(all[0]).toMatch(problem);
  });

  test('every problem is named at once, also those of the rotator', () => {
    const options = z.object({ provider: z.string({ error: 'is missing: name the provider' }) });
    const entry: RotatorEntry = { ...memoryEntry, options, strategies: ['dual-key'] };
    const wrong = { strategy: 'single-user', admin: '!', 'valid-for': 'x', overlap: 'y', window: 'z', format: 'w' };
    const tags = problems(wrong, entry).map((problem) => problem.split(':')[0]);
    expect(tags.sort()).toEqual(['admin', 'format', 'overlap', 'provider', 'strategy', 'valid-for', 'window']);
  });

  test('an unknown rotator is named with those there are, and does not hide the rest', () => {
    const outcome = parsed({ rotator: 'oracle', format: 'yaml' });
    expect(outcome).toMatchObject({
      kind: 'invalid',
      problems: [{ tag: 'rotator', detail: '"oracle" is no rotator; there are memory' }, { tag: 'format' }],
    });
  });

  test('a strategy of another kind of target is named with what this one can do', () => {
    const entry: RotatorEntry = { ...memoryEntry, strategies: ['alternating-users', 'single-user'] };
    expect(problems({ strategy: 'dual-key' }, entry)).toEqual([
      'strategy: memory cannot do dual-key; it can do alternating-users, single-user',
    ]);
  });
});
