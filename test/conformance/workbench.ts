import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { isFailure } from '../../shared/errors.ts';
import { findSecrets } from '../canary.ts';
import type { CutOff, CutOffKind, Features, RotatorHarness, Scene, StepParts, Target, Variant } from './harness.ts';
import { cutOffByEndpoint } from './listeners.ts';
import { makeStep, newPassword, type StepExtras } from './step.ts';

/** What every claim works with: one started target and one rotator whose every answer is kept and searched for secrets. */
export interface Workbench<Options> {
  readonly strategy: Strategy;
  readonly harness: RotatorHarness<Options>;
  readonly features: Features;
  readonly target: () => Target<Options>;
  readonly rotator: () => Rotator<Options>;
  /** A second worker: the rotator loaded anew, knowing nothing of the first. */
  readonly freshRotator: () => Promise<Rotator<Options>>;
  /** A login of its own for the test, with the admin connection where there is one. */
  readonly scene: (variant?: Partial<Variant>) => Promise<Scene<Options>>;
  readonly step: (
    scene: StepParts<Options>,
    changes?: Partial<StepParts<Options>>,
    extras?: StepExtras,
  ) => Step<Options>;
  readonly cutOff: (scene: Scene<Options>, kind: CutOffKind) => Promise<CutOff<Options>>;
}

const methods = ['apply', 'verify', 'inUse', 'retire', 'check'] as const;

/** Registers the hooks of one rotator and strategy. Must be called inside `describe`. */
export function useWorkbench<Options>(strategy: Strategy, harness: RotatorHarness<Options>): Workbench<Options> {
  const witness = new Witness();
  const features = harness.features(strategy);
  let target: Target<Options> | undefined;
  let rotator: Rotator<Options> | undefined;
  const cutOffs: CutOff<Options>[] = [];
  const needTarget = () => need(target, 'the target was not started');
  const load = async () => witness.watch(await harness.entry.load(environmentOf(needTarget())));

  beforeAll(async () => {
    target = await harness.start(strategy);
    rotator = await load();
  }, 60_000);
  afterAll(async () => target?.close(), 60_000);
  beforeEach(() => witness.start());
  afterEach(async () => {
    for (const cut of cutOffs.splice(0)) await cut.restore();
    await witness.testify(target);
  });

  return {
    strategy,
    harness,
    features,
    target: needTarget,
    rotator: () => need(rotator, 'the rotator was not loaded'),
    freshRotator: load,
    scene: (variant = {}) =>
      needTarget().scene(strategy, { admin: features.admin ? 'connection' : 'self', ...variant }),
    step: (scene, changes = {}, extras = {}) => makeStep(strategy, { ...partsOf(scene), ...changes }, extras),
    async cutOff(scene, kind) {
      const make = needTarget().cutOff?.bind(target);
      const cut = make === undefined ? await cutOffByEndpoint(partsOf(scene), kind) : await make(scene, kind);
      cutOffs.push(cut);
      return cut;
    },
  };
}

/** One whole rotation as the engine does it. Gives back what would have been published. */
export async function rotate<Options>(
  bench: Workbench<Options>,
  scene: Scene<Options>,
  changes: Partial<StepParts<Options>> = {},
): Promise<Credential> {
  const step = bench.step(scene, changes);
  const candidate = proposed(bench.rotator().propose(step, step.current));
  const outcome = await bench.rotator().apply(step, candidate, step.current);
  if (outcome.kind !== 'applied') throw new Error(`apply failed as ${outcome.code}: ${outcome.message}`);
  expect(await bench.rotator().verify(step, outcome.credential)).toEqual({ kind: 'accepted' });
  return outcome.credential;
}

/** The credential of a proposal that must not have failed. */
export function proposed(outcome: ReturnType<Rotator['propose']>): Credential {
  if ('kind' in outcome && isFailure(outcome)) throw new Error(`propose failed: ${outcome.message}`);
  if ('kind' in outcome) throw new Error('propose gave back something else');
  return outcome;
}

/** The same login with a password that was never set. */
export function wrong(credential: Credential): Credential {
  return { ...credential, password: newPassword() };
}

export function need<Value>(value: Value | undefined, otherwise: string): Value {
  if (value === undefined) throw new Error(otherwise);
  return value;
}

/** A change of the step that spoils its admin, or the harness's own way to do so. */
export async function spoiledAdmin<Options>(
  bench: Workbench<Options>,
  scene: Scene<Options>,
): Promise<Partial<StepParts<Options>>> {
  if (bench.harness.breakAdmin !== undefined) return bench.harness.breakAdmin(scene);
  if (scene.admin.kind !== 'connection') throw new Error('this harness needs breakAdmin');
  return { admin: { ...scene.admin, credential: wrong(scene.admin.credential) } };
}

function partsOf<Options>(scene: StepParts<Options>): StepParts<Options> {
  const { current, endpoint, adminEndpoint, admin, options } = scene;
  return { current, endpoint, adminEndpoint, admin, options };
}

function environmentOf<Options>(target: Target<Options>): RotatorEnvironment {
  return {
    trustedCertificates: [],
    connectTimeoutMs: 5_000,
    getToken: async () => newPassword(),
    allowedHosts: [],
    cloud: {
      resourceManager: 'https://management.azure.com',
      graph: 'https://graph.microsoft.com',
      login: 'https://login.microsoftonline.com',
    },
    ...target.environment,
  };
}

/** Keeps what a rotator answered, threw or logged, and every secret it was handed. */
class Witness {
  readonly #heard: unknown[] = [];
  readonly #secrets = new Set<string>();
  readonly #candidates = new Set<string>();
  #earlier: readonly string[] = [];
  #searched = 0;

  start(): void {
    this.#heard.length = 0;
    this.#secrets.clear();
    this.#earlier = [...this.#candidates];
    this.#candidates.clear();
    for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, name).mockImplementation((...words: unknown[]) => this.#heard.push(words));
    }
  }

  watch<Options>(rotator: Rotator<Options>): Rotator<Options> {
    return new Proxy(rotator, {
      get: (inner, name) => {
        const method: unknown = Reflect.get(inner, name);
        if (typeof method !== 'function') return method;
        const changes = name === 'propose' || name === 'apply';
        return (...words: unknown[]) => {
          this.#learn(words, false);
          const answer: unknown = this.#listen(() => Reflect.apply(method, inner, words));
          if (!methods.some((known) => known === name)) return this.#keep(answer, changes);
          return Promise.resolve(answer).then(
            (outcome) => this.#keep(outcome, changes),
            (error) => {
              throw this.#keep(error, false);
            },
          );
        };
      },
    });
  }

  /** Fails when a secret stands in anything that was answered, thrown or logged, or a candidate in the target's log. */
  async testify<Options>(target: Target<Options> | undefined): Promise<void> {
    vi.restoreAllMocks();
    expect(findSecrets(this.#heard, [...this.#secrets])).toEqual([]);
    const log = await target?.log?.();
    if (log === undefined) return;
    // What was there before cannot hold what this test drew at random; a target may write the end of a test's log in the next one.
    expect(findSecrets(log.slice(this.#searched), [...this.#candidates, ...this.#earlier])).toEqual([]);
    this.#searched = log.length;
  }

  #listen(call: () => unknown): unknown {
    try {
      return call();
    } catch (error) {
      throw this.#keep(error, false);
    }
  }

  #keep<Answer>(answer: Answer, changes: boolean): Answer {
    this.#heard.push(answer);
    this.#learn([answer], changes);
    return answer;
  }

  // Secrets are found by the one method that reveals them, wherever they are in a step, a credential or an outcome. A candidate is one
  // that the rotator was not handed before: the harness itself may have let the target log the password that a roll-back goes back to.
  #learn(words: readonly unknown[], candidates: boolean): void {
    const open: unknown[] = [...words];
    const seen = new Set<unknown>();
    for (let word = open.pop(); open.length > 0 || word !== undefined; word = open.pop()) {
      if (typeof word !== 'object' || word === null || seen.has(word) || word instanceof AbortSignal) continue;
      seen.add(word);
      if ('reveal' in word && typeof word.reveal === 'function') {
        const secret = String(word.reveal());
        if (secret.length < 8) continue;
        if (candidates && !this.#secrets.has(secret)) this.#candidates.add(secret);
        this.#secrets.add(secret);
      } else open.push(...Object.values(word));
    }
  }
}
