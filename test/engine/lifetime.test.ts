/** A target may end a password by itself: the version that holds it must not claim to live longer. */
import { expect, test } from 'vitest';
import { decide } from '../../shared/engine/policy/due.ts';
import { rotationIdOf } from '../../shared/engine/policy/identifiers.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { now, policyOf, properties } from './facts.ts';
import { dayMs, makeWorld } from './world.ts';

test.each([
  [30, 30],
  [365, 90],
])('passwords that the target ends after %i days are published for %i', async (days, published) => {
  const world = makeWorld('single-user', { 'valid-for': 'P90D' });
  const applyReally = world.rotator.apply.bind(world.rotator);
  world.rotator.apply = async (step, candidate, live) => {
    const outcome = await applyReally(step, candidate, live);
    return outcome.kind === 'applied' ? { ...outcome, lastsMs: days * dayMs } : outcome;
  };
  expect(
    await rotate(world.deps(), { vault: world.vault.name, secret: world.secret, mode: 'asked', requestedBy: 'ann' }),
  ).toMatchObject({ kind: 'rotated' });
  const expiresAt = world.vault.newest(world.secret).expiresAt?.getTime() ?? 0;
  expect(expiresAt - world.vault.now.getTime()).toBe(published * dayMs);
});

test('a version that lives shorter than valid-for is due in the last third of its life, not at once', () => {
  const policy = policyOf({ 'valid-for': 'P90D', 'rotate-before': 'P30D' });
  const at = (days: number) => {
    const made = new Date(now.getTime() - days * dayMs);
    const expiresAt = new Date(made.getTime() + 30 * dayMs);
    const facts = properties({ createdAt: made, updatedAt: made, expiresAt, tags: { rotation: 'id=x' } });
    const request = { mode: 'scheduled' } as const;
    const requested = {};
    return decide(
      { properties: facts, stamp: undefined, requested, request, rotationId: rotationIdOf('v', 's', 'x'), now },
      policy,
    ).kind;
  };
  expect([at(0), at(19), at(21)]).toEqual(['skip', 'skip', 'due']);
});

test('a version of somebody else with a short life is due by rotate-before, as its owner asked', () => {
  const policy = policyOf({ 'valid-for': 'P90D', 'rotate-before': 'P30D' });
  const expiresAt = new Date(now.getTime() + 20 * dayMs);
  const facts = properties({ createdAt: now, updatedAt: now, expiresAt });
  const request = { mode: 'scheduled' } as const;
  const decision = decide(
    { properties: facts, stamp: undefined, requested: {}, request, rotationId: 'x', now },
    policy,
  );
  expect(decision.kind).toBe('due');
});
