/** The Postgres rotator called directly, as the engine calls it. */

import { makePostgresRotator } from '../../rotators/postgres/rotator.ts';
import type { PostgresTags } from '../../rotators/postgres/tags.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Scene, StepParts } from '../conformance/harness.ts';
import { makeStep, type StepExtras } from '../conformance/step.ts';
import { proposed } from '../conformance/workbench.ts';

export type PostgresScene = Scene<PostgresTags>;
type Changes = Partial<StepParts<PostgresTags>>;

export const environment: RotatorEnvironment = {
  trustedCertificates: [],
  connectTimeoutMs: 10_000,
  getToken: async () => new SecretText('not asked for'),
  allowedHosts: [],
  cloud: { resourceManager: '', graph: '', login: '' },
};

export const rotator = makePostgresRotator(environment);

export function pairStep(scene: PostgresScene, changes: Changes = {}, extras: StepExtras = {}): Step<PostgresTags> {
  return makeStep('alternating-users', { ...scene, ...changes }, extras);
}

export function singleStep(scene: PostgresScene, changes: Changes = {}, extras: StepExtras = {}): Step<PostgresTags> {
  return makeStep('single-user', { ...scene, ...changes }, extras);
}

/** Proposes and applies. */
export function attempt(step: Step<PostgresTags>): Promise<ApplyOutcome> {
  return rotator.apply(step, proposed(rotator.propose(step, step.current)), step.current);
}

/** A whole rotation of a pair that must succeed; gives back what would have been published. */
export async function rotated(scene: PostgresScene, current: Credential = scene.current): Promise<Credential> {
  const step = pairStep(scene, { current });
  const outcome = await attempt(step);
  if (outcome.kind === 'failed') throw new Error(`apply failed as ${outcome.code}: ${outcome.message}`);
  const verified = await rotator.verify(step, outcome.credential);
  if (verified.kind !== 'accepted') throw new Error(`verify says ${JSON.stringify(verified)}`);
  return outcome.credential;
}
