/** The kinds of work that are killed: how a secret comes to it, what is asked, and what is true in the end. */
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { answers, isRetirementOpen, readStamp, revokedOf } from '../../shared/engine/policy/stamp.ts';
import type { Order } from './protocol.ts';
import type { Scene } from './scene.ts';

export interface Work {
  readonly name: string;
  readonly of: (strategy: Strategy) => boolean;
  /** Whether it begins with a whole rotation. */
  readonly rotatedBefore?: true;
  /** Whether the overlap of that rotation is over. */
  readonly overlapOver?: true;
  readonly copied?: true;
  readonly intruded?: true;
  readonly message: (scene: Scene) => Pick<Order, 'activity' | 'message'>;
  /** What is wrong in the end, in words; nothing where all is well. */
  readonly judge: (scene: Scene) => Promise<readonly string[]>;
}

type Verdict = readonly (string | false | undefined)[];

const said = (verdict: Verdict): readonly string[] => verdict.filter((one) => typeof one === 'string');

function about(scene: Scene, more: object): Order['message'] {
  return { vault: 'local', secret: scene.name, requestedBy: 'the crash matrix', ...more };
}

const hasTarget = (strategy: Strategy): boolean => strategyTraits[strategy].hasTarget;

/** One version more than before, and one that answers the request. */
function versions(scene: Scene, count: number, rotationId: string): Verdict {
  const all = scene.versions();
  const answering = all.filter(({ tags = {} }) => answers(readStamp(tags), rotationId));
  return [
    all.length !== count && `${all.length} versions instead of ${count}`,
    answering.length !== 1 && `${answering.length} versions answer the request`,
  ];
}

async function history(scene: Scene, outcome: 'rotated' | 'retired', rotationId: string): Promise<string | false> {
  const told = (await scene.history()).some((one) => one.outcome === outcome && one.rotationId === rotationId);
  return !told && `the history does not say that it ${outcome}`;
}

const rotation: Work = {
  name: 'rotation',
  of: () => true,
  message: (scene) => ({
    activity: 'rotation',
    message: about(scene, { mode: 'asked', rotationId: scene.id('rotation') }),
  }),
  judge: async (scene) => {
    const { oldLives, hasTarget: asked } = strategyTraits[scene.strategy];
    const lives = await scene.login(scene.first);
    return said([
      ...versions(scene, 2, scene.id('rotation')),
      scene.current() === scene.first && 'the credential is the old one',
      asked && lives !== oldLives && `the old credential ${lives ? 'lives' : 'is dead'} during the overlap`,
      await history(scene, 'rotated', scene.id('rotation')),
    ]);
  },
};

const retirement: Work = {
  name: 'retirement',
  of: (strategy) => strategyTraits[strategy].oldLives,
  rotatedBefore: true,
  overlapOver: true,
  message: (scene) => ({
    activity: 'retirement',
    message: about(scene, { mode: 'scheduled', rotationId: scene.id('rotation') }),
  }),
  judge: async (scene) => {
    const stamp = readStamp(scene.newest().tags ?? {});
    const asked = hasTarget(scene.strategy);
    return said([
      ...(asked ? versions(scene, 2, scene.id('rotation')) : []),
      isRetirementOpen(stamp) && 'the retirement is open still',
      asked && (await scene.login(scene.first)) && 'the old credential lives',
      asked && scene.versions()[0]?.enabled !== false && 'the old version is enabled still',
      await history(scene, 'retired', scene.id('rotation')),
    ]);
  },
};

const rollBack: Work = {
  name: 'roll-back',
  of: hasTarget,
  rotatedBefore: true,
  message: (scene) => ({
    activity: 'rotation',
    message: about(scene, { mode: 'roll-back', rotationId: scene.id('roll-back') }),
  }),
  judge: async (scene) =>
    said([
      ...versions(scene, 3, scene.id('roll-back')),
      scene.current() !== scene.first && 'it is not the credential before',
      await history(scene, 'rotated', scene.id('roll-back')),
    ]),
};

async function revoked(scene: Scene): Promise<Verdict> {
  return [
    (await scene.login(scene.first)) && 'the leaked credential logs in',
    (await scene.sessionAlive()) && 'the session of the intruder is open',
    isRetirementOpen(readStamp(scene.newest().tags ?? {})) && 'the emergency is not over',
    !scene.versions().some(({ tags = {} }) => revokedOf(tags) !== undefined) && 'no version is marked as revoked',
  ];
}

const emergency: Work = {
  name: 'emergency',
  of: hasTarget,
  intruded: true,
  message: (scene) => ({
    activity: 'rotation',
    message: about(scene, { mode: 'emergency', rotationId: scene.id('emergency'), reason: 'a leak' }),
  }),
  judge: async (scene) =>
    said([
      ...versions(scene, 2, scene.id('emergency')),
      ...(await revoked(scene)),
      await history(scene, 'rotated', scene.id('emergency')),
    ]),
};

const copy: Work = {
  ...rotation,
  name: 'copy',
  copied: true,
  judge: async (scene) => [
    ...(await rotation.judge(scene)),
    ...said([
      scene.copies().length !== 2 && `${scene.copies().length} versions of the copy instead of 2`,
      scene.copies().at(-1)?.value !== scene.newest().value && 'the copy holds something else',
    ]),
  ],
};

export const works: readonly Work[] = [rotation, retirement, rollBack, emergency, copy];
