/** What the crash matrix kills besides an ordinary rotation: how the world comes to it, what is asked, and what must be true in the end. */
import { expect } from 'vitest';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { answers, isRetirementOpen, readStamp, revokedOf } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import type { EngineDependencies } from '../../shared/engine/running/dependencies.ts';
import { copiedWorld, copiesOf, expectCopied } from './copied-world.ts';
import { dyingAt, type Trace } from './crash.ts';
import { Crash, credentialIn, dayMs, type World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly of: (strategy: Strategy) => boolean;
  /** Absent: a secret of its own. */
  readonly world?: (strategy: Strategy) => World;
  /** Everything before the worker that is killed. */
  readonly before: (world: World) => Promise<void>;
  /** One delivery of the request. Whether it is done. */
  readonly deliver: (world: World, deps: EngineDependencies) => Promise<boolean>;
  readonly expectRight: (world: World, strategy: Strategy) => void;
}

const id = (letter: string): string => letter.repeat(32);
const hasTarget = (strategy: Strategy): boolean => strategyTraits[strategy].hasTarget;
const keepsPending = (strategy: Strategy): boolean => strategyTraits[strategy].pending !== 'never';

function about({ vault, secret }: World) {
  return { vault: vault.name, secret, requestedBy: 'entra:ann-id' };
}

async function rotation(world: World, deps: EngineDependencies, request: Partial<RotationRequest>): Promise<boolean> {
  const result = await rotate(deps, { ...about(world), mode: 'asked', ...request });
  return result.kind === 'rotated' || (result.kind === 'skipped' && result.reason !== 'busy');
}

function retirement(mode: 'scheduled' | 'emergency'): Scenario['deliver'] {
  return async (world, deps) => {
    const { rotationId = '' } = readStamp(world.vault.newest(world.secret).tags) ?? {};
    const result = await retire(deps, { ...about(world), rotationId, mode });
    return result.kind === 'retired' || (result.kind === 'skipped' && result.reason !== 'busy');
  };
}

async function rotated(world: World): Promise<void> {
  await rotation(world, world.deps(), { rotationId: id('1') });
  const { vault } = world;
  vault.now = new Date(vault.now.getTime() + 60_000);
}

async function overlapOver(world: World): Promise<void> {
  await rotated(world);
  const { vault } = world;
  vault.now = new Date(vault.now.getTime() + dayMs);
}

async function intruded(world: World): Promise<void> {
  const { username, password } = world.current();
  if (username !== undefined) world.target.sessions = [{ login: username, password: password.reveal() }];
}

/** A worker stores a candidate and dies, before the target has it or after. */
async function stored(world: World, request: Partial<RotationRequest>): Promise<void> {
  const trace: Trace = { calls: [], dead: false };
  const wrap = dyingAt(undefined, trace, () => {
    trace.dead = world.vault.count(pendingNameOf(world.secret)) > 0;
  });
  try {
    await rotation(world, world.deps(wrap), request);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  world.leases.expire();
}

const accepts = ({ target }: World, password: string): boolean =>
  [...target.logins.values()].some((passwords) => passwords.has(password));

function expectVersions(world: World, count: number, ...ids: string[]): void {
  const { vault, secret } = world;
  expect(vault.count(secret), 'versions of the secret').toBe(count);
  for (const each of ids) {
    const answering = (vault.secrets.get(secret) ?? []).filter(({ tags }) => answers(readStamp(tags), each));
    expect(answering.length, `versions that answer ${each}`).toBe(1);
  }
}

function expectRevoked(world: World, password: string): void {
  const { vault, secret, target } = world;
  expect(accepts(world, password), 'the leaked credential').toBe(false);
  expect(target.sessions, 'sessions of the intruder').toEqual([]);
  expect(isRetirementOpen(readStamp(vault.newest(secret).tags)), 'is anything left to end?').toBe(false);
  const leaked = (vault.secrets.get(secret) ?? []).filter(
    ({ value }) => credentialIn(value).password.reveal() === password,
  );
  expect(
    leaked.some(({ tags }) => revokedOf(tags) !== undefined),
    'the mark',
  ).toBe(true);
}

const emergency: Scenario = {
  name: 'an emergency',
  of: hasTarget,
  before: intruded,
  deliver: (world, deps) => rotation(world, deps, { mode: 'emergency', rotationId: id('e') }),
  expectRight: (world) => {
    expectVersions(world, 2, id('e'));
    expectRevoked(world, world.firstPassword);
  },
};

const rollBack: Scenario = {
  name: 'a roll-back',
  of: hasTarget,
  before: rotated,
  deliver: (world, deps) => rotation(world, deps, { mode: 'roll-back', rotationId: id('b') }),
  expectRight: (world) => {
    expectVersions(world, 3, id('b'));
    expect(world.current().password.reveal(), 'the credential gone back to').toBe(world.firstPassword);
  },
};

const forcedRollBack: Scenario = {
  name: 'a roll-back with force to a revoked credential',
  of: (strategy) => hasTarget(strategy) && strategyTraits[strategy].chosen,
  before: async (world) => {
    await rotation(world, world.deps(), { mode: 'emergency', rotationId: id('e') });
  },
  deliver: (world, deps) => rotation(world, deps, { mode: 'roll-back', rotationId: id('b'), force: true }),
  expectRight: (world) => {
    expectVersions(world, 3, id('b'));
    expect(world.current().password.reveal(), 'the credential gone back to').toBe(world.firstPassword);
  },
};

const resume: Scenario = {
  name: 'the resume of a stored candidate',
  of: keepsPending,
  before: (world) => stored(world, { rotationId: id('1') }),
  deliver: (world, deps) => rotation(world, deps, { mode: 'resume' }),
  expectRight: (world) => {
    expectVersions(world, 2, id('1'));
    expect(world.vault.newest(pendingNameOf(world.secret)).enabled, 'a candidate is stored').toBe(false);
  },
};

const adoption: Scenario = {
  name: 'a second request that adopts a stored candidate',
  of: keepsPending,
  before: (world) => stored(world, { rotationId: id('1') }),
  deliver: (world, deps) => rotation(world, deps, { rotationId: id('2') }),
  expectRight: (world) => expectVersions(world, 2, id('1'), id('2')),
};

const plannedRetirement: Scenario = {
  name: 'a planned retirement',
  of: (strategy) => strategyTraits[strategy].oldLives,
  before: overlapOver,
  deliver: retirement('scheduled'),
  expectRight: (world) => {
    expect(isRetirementOpen(readStamp(world.vault.newest(world.secret).tags))).toBe(false);
    if (world.vault.newest(world.secret).tags['strategy'] === 'self-issued') return;
    expect(accepts(world, world.firstPassword), 'the old credential').toBe(false);
  },
};

const forcedRetirement: Scenario = {
  name: 'a forced retirement',
  of: hasTarget,
  before: async (world) => {
    await intruded(world);
    await rotated(world);
  },
  deliver: retirement('emergency'),
  expectRight: (world) => expectRevoked(world, world.firstPassword),
};

const forcedLater: Scenario = {
  ...forcedRetirement,
  name: 'a forced retirement after a planned one',
  of: (strategy) => hasTarget(strategy) && strategyTraits[strategy].oldLives,
  before: async (world) => {
    await intruded(world);
    await overlapOver(world);
    await retirement('scheduled')(world, world.deps());
  },
};

/** A credential in several places: what is published goes to all of them, and the old one ends when none holds it any more. */
const copies: Scenario = {
  name: 'a copy',
  of: () => true,
  world: copiedWorld,
  before: async () => undefined,
  deliver: (world, deps) => rotation(world, deps, { rotationId: id('1') }),
  expectRight: (world) => {
    expectVersions(world, 2, id('1'));
    expectCopied(world, 2);
  },
};

const copiesInEmergency: Scenario = {
  ...emergency,
  name: 'a copy in an emergency',
  world: copiedWorld,
  expectRight: (world, strategy) => {
    emergency.expectRight(world, strategy);
    expectCopied(world, 2);
    for (const { vault, name } of copiesOf(world)) {
      const [old] = vault.secrets.get(name) ?? [];
      expect(old?.enabled, `what ${name} held`).toBe(false);
      expect(revokedOf(old?.tags ?? {}), `the mark of ${name}`).toBeDefined();
    }
  },
};

const copiesAtTheEnd: Scenario = {
  ...plannedRetirement,
  name: 'the end of a credential that copies held',
  world: copiedWorld,
  expectRight: (world, strategy) => {
    plannedRetirement.expectRight(world, strategy);
    // A derived secret holds no key before the current one that the end would take out.
    expectCopied(world, strategy === 'self-issued' ? 3 : 2, 2);
    for (const { vault, name } of copiesOf(world)) expect(vault.secrets.get(name)?.[0]?.enabled, name).toBe(false);
  },
};

/** Both old credentials were retired in peace; the session of the first one lives on. */
async function replacedTwice(world: World): Promise<void> {
  await intruded(world);
  for (const letter of ['1', '2']) {
    await rotation(world, world.deps(), { rotationId: id(letter) });
    world.vault.now = new Date(world.vault.now.getTime() + 2 * dayMs);
    await retirement('scheduled')(world, world.deps());
  }
}

const emergencyOfEarlier: Scenario = {
  name: 'an emergency about a version of two rotations ago',
  of: hasTarget,
  before: replacedTwice,
  deliver: (world, deps) =>
    rotation(world, deps, { mode: 'emergency', rotationId: id('e'), version: world.firstVersion }),
  expectRight: (world) => {
    expectVersions(world, 3);
    expectRevoked(world, world.firstPassword);
    expect(world.vault.newest(world.secret).tags['requested'], 'what is left to do').toBeUndefined();
  },
};

const forcedOfEarlier: Scenario = {
  ...emergencyOfEarlier,
  name: 'a forced retirement whose rotation was replaced',
  deliver: async (world, deps) => {
    const result = await retire(deps, { ...about(world), rotationId: id('1'), mode: 'emergency' });
    return result.kind === 'retired' || (result.kind === 'skipped' && result.reason !== 'busy');
  },
};

export const scenarios: readonly Scenario[] = [
  emergency,
  rollBack,
  forcedRollBack,
  resume,
  adoption,
  plannedRetirement,
  forcedRetirement,
  forcedLater,
  emergencyOfEarlier,
  forcedOfEarlier,
  copies,
  copiesInEmergency,
  copiesAtTheEnd,
];
