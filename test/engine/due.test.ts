import { describe, expect, test } from 'vitest';
import { type Decision, decide, dueAtOf, type Facts, isDue } from '../../shared/engine/policy/due.ts';
import { inDays, now, policyOf, properties } from './facts.ts';

const earlier = 'b'.repeat(32);
const rotationId = '1'.repeat(32);
const stamp = { rotationId: '2'.repeat(32), from: earlier };
const running = { ...stamp, retireBy: inDays(1) };

type Mode = Facts['request']['mode'];
const modes: readonly Mode[] = ['scheduled', 'asked', 'forced', 'emergency', 'resume', 'roll-back'];

function decided(change: Partial<Facts>, tags = {}): Decision {
  const facts = {
    properties: properties(),
    stamp: undefined,
    requested: {},
    request: { mode: 'scheduled' as const },
    rotationId,
    now,
  };
  const whole = { ...facts, ...change };
  const decision = decide(whole, policyOf(tags));
  expect(isDue(whole, policyOf(tags)), 'asked without the words').toBe(decision.kind === 'due');
  return decision;
}

describe('whatever the mode', () => {
  test.each(modes)('%s: the version that this very rotation made is left alone', (mode) => {
    const made = { ...stamp, rotationId };
    expect(decided({ request: { mode }, stamp: made })).toMatchObject({ kind: 'skip', reason: 'already-rotated' });
  });

  test.each(modes)('%s: a request for a version that is no longer current is superseded', (mode) => {
    expect(decided({ request: { mode, version: earlier } })).toMatchObject({ kind: 'skip', reason: 'superseded' });
  });

  test('already rotated comes before superseded: a duplicate finds its own work, not somebody else in its way', () => {
    const made = { ...stamp, rotationId };
    expect(decided({ request: { mode: 'scheduled', version: earlier }, stamp: made })).toMatchObject({
      reason: 'already-rotated',
    });
  });
});

describe('scheduled', () => {
  test.each([
    ['the day before it is due', inDays(31), 'skip'],
    ['a second before it is due', new Date(inDays(30).getTime() + 1_000), 'skip'],
    ['the moment it is due', inDays(30), 'due'],
    ['near its expiry', inDays(1), 'due'],
    ['after its expiry', inDays(-5), 'due'],
  ])('%s', (_, expiresAt, kind) => {
    expect(decided({ properties: properties({ expiresAt }) }).kind).toBe(kind);
  });

  test('a skip says when it will be due', () => {
    const decision = decided({ properties: properties({ expiresAt: inDays(31) }) });
    expect(decision).toMatchObject({ reason: 'not-due', detail: `due at ${inDays(1).toISOString()}` });
  });

  test('without an expiry, creation and valid-for decide', () => {
    const { expiresAt, ...rest } = properties({ createdAt: inDays(-59) });
    expect(expiresAt).toBeDefined();
    expect(decided({ properties: rest })).toMatchObject({ kind: 'skip', reason: 'not-due' });
    expect(decided({ properties: { ...rest, createdAt: inDays(-60) } }).kind).toBe('due');
  });

  test('while the overlap runs it waits, and goes on when the overlap is over or the old credential retired', () => {
    expect(decided({ stamp: running })).toMatchObject({ kind: 'skip', reason: 'overlap-running' });
    expect(decided({ stamp: { ...running, retireBy: now } }).kind).toBe('due');
    expect(decided({ stamp: { ...running, retired: true } }).kind).toBe('due');
  });

  test('outside its window it waits; what is not due is simply not due', () => {
    const window = 'Mon-Fri 01:00-05:00 UTC';
    expect(decided({}, { window })).toMatchObject({ kind: 'skip', reason: 'outside-window' });
    expect(decided({ properties: properties({ expiresAt: inDays(60) }) }, { window })).toMatchObject({
      reason: 'not-due',
    });
    expect(decided({ now: new Date('2026-06-02T02:00:00Z') }, { window }).kind).toBe('due');
  });
});

describe('asked for', () => {
  test.each(['asked', 'forced'] as const)('%s: due at any time, but not while the overlap runs', (mode) => {
    const fresh = properties({ expiresAt: inDays(90) });
    expect(decided({ request: { mode }, properties: fresh })).toMatchObject({ kind: 'due', reason: 'asked' });
    expect(decided({ request: { mode }, stamp: running })).toMatchObject({ reason: 'overlap-running' });
  });

  test.each([
    ['emergency', 'emergency'],
    ['resume', 'stalled'],
    ['roll-back', 'rolled-back'],
  ] as const)('%s: waits for no overlap and no window', (mode, reason) => {
    expect(decided({ request: { mode }, stamp: running }, { window: 'Mon 01:00-02:00 UTC' })).toMatchObject({
      kind: 'due',
      reason,
    });
  });

  test.each([
    ['asked', 'paused'],
    ['forced', 'paused'],
    ['roll-back', 'paused'],
    ['repair', 'paused'],
    ['emergency', 'emergency'],
    ['resume', 'stalled'],
  ] as const)(
    '%s: a pause that came later says: %s; one that stood when it was asked for says nothing',
    (mode, reason) => {
      const requested = { paused: { by: 'key:ops', at: now } };
      const asked = (days: number) => ({ mode, askedAt: inDays(days).toISOString() });
      expect(decided({ request: asked(-1), requested })).toMatchObject({ reason });
      expect(decided({ request: asked(1), requested }).kind).toBe('due');
      const over = { paused: { ...requested.paused, until: now } };
      expect(decided({ request: asked(-1), requested: over, now: inDays(0.5) }).kind).toBe('due');
    },
  );

  test('a person who asks is not held back by the window', () => {
    expect(decided({ request: { mode: 'asked' } }, { window: 'Mon 01:00-02:00 UTC' }).kind).toBe('due');
  });
});

test('the lead time of the secret decides when, not the event', () => {
  expect(dueAtOf(properties(), policyOf({ 'rotate-before': 'P7D' }))).toEqual(inDays(23));
  expect(dueAtOf(properties(), policyOf({ 'valid-for': 'P9D' }))).toEqual(inDays(27));
});
