/** What came of each scene, asked of the vault and the target themselves. */
import type { SecretClient } from '@azure/keyvault-secrets';
import type { Told } from '../log-words.ts';
import type { VaultEmulator } from '../vault/index.ts';
import type { Calls } from './consumer.ts';
import type { Scene } from './scene.ts';

export interface Outcome {
  readonly secret: string;
  readonly about: string;
  readonly strategy: string;
  readonly outcome: 'rotated' | 'failed' | 'nothing';
  readonly oldVersion: string;
  readonly newVersion?: string;
  readonly versionsMade: number;
  /** Whether the target refuses the old value and accepts the newest one. Absent where there is no target. */
  readonly oldRefused?: boolean;
  readonly newAccepted?: boolean;
  readonly oldVersionEnabled: boolean;
  /** What allowed the end of the old credential: `free` when all consumers had acknowledged, `deadline`. */
  readonly retiredBy?: string;
  /** Signed messages that were taken, and who has acknowledged the version that is current. */
  readonly messagesTaken: number;
  readonly acknowledgedBy: readonly string[];
  readonly calls: Calls;
  /** The strategy has a moment in which clients are refused. */
  readonly noticed: boolean;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
  readonly failure?: { readonly code: string; readonly message: string; readonly hint: string };
  /** Promises that did not hold, in words. */
  readonly broken: readonly string[];
}

export interface Before {
  readonly version: string;
  readonly value: string;
}

export async function outcomeOf(
  scene: Scene,
  before: Before,
  calls: Calls,
  told: readonly Told[],
  vault: VaultEmulator,
  client: SecretClient,
): Promise<Outcome> {
  const mine = told.filter(({ secret }) => secret === (scene.source ?? scene.secret));
  const failed = mine.find(({ event }) => event === 'rotation-failed');
  const retired = mine.find(({ event }) => event === 'retired');
  const current = await client.getSecret(scene.secret);
  const version = current.properties.version ?? '';
  const versions = vault.versions(scene.secret);
  const rotated = version !== before.version;
  const seen: Omit<Outcome, 'broken'> = {
    secret: scene.secret,
    about: scene.about,
    strategy: scene.strategy,
    outcome: rotated ? 'rotated' : failed === undefined ? 'nothing' : 'failed',
    oldVersion: before.version,
    ...(rotated ? { newVersion: version } : {}),
    versionsMade: versions.length - 1,
    ...(await acceptance(scene, rotated, before.value, current.value ?? '')),
    oldVersionEnabled: versions.find(({ id }) => id === before.version)?.enabled ?? false,
    ...(retired?.evidence === undefined ? {} : { retiredBy: retired.evidence }),
    // What is done for a copy is told of its source.
    messagesTaken: mine.filter(({ event }) => event === 'notice-delivered').length,
    acknowledgedBy: mine.flatMap(({ event, consumer, version: acknowledged }) =>
      event === 'acknowledged' && acknowledged === version && consumer ? [consumer] : [],
    ),
    calls,
    noticed: !scene.unnoticed,
    steps: mine.flatMap(({ event, step, ms }) =>
      event === 'step' && step !== undefined ? [{ name: step, ms: ms ?? 0 }] : [],
    ),
    ...(failed === undefined
      ? {}
      : { failure: { code: failed.code ?? '', message: failed.detail ?? '', hint: failed.hint ?? '' } }),
  };
  return { ...seen, broken: brokenPromises(scene, seen) };
}

async function acceptance(scene: Scene, rotated: boolean, before: string, now: string) {
  if (scene.accepts === undefined) return {};
  const newAccepted = await scene.accepts(now);
  return rotated ? { oldRefused: !(await scene.accepts(before)), newAccepted } : { newAccepted };
}

/** The promises of the first page, held against what was seen. */
function brokenPromises(scene: Scene, seen: Omit<Outcome, 'broken'>): string[] {
  const claims: readonly (readonly [holds: boolean, otherwise: string])[] = [
    [seen.outcome === scene.expected, `it should have been ${scene.expected}, and was ${seen.outcome}`],
    [seen.newAccepted !== false, "the vault's current version does not log in"],
    [seen.oldRefused !== false, 'the old credential still logs in'],
    [
      scene.retiredBy === undefined || seen.retiredBy === scene.retiredBy,
      `its old credential should have ended by ${scene.retiredBy}, and ended by ${seen.retiredBy ?? 'nothing'}`,
    ],
    [!scene.unnoticed || seen.calls.failed === 0, `${seen.calls.failed} calls of its consumer failed`],
    [
      seen.outcome !== 'rotated' || seen.versionsMade === (scene.retirementPublishes === true ? 2 : 1),
      `${seen.versionsMade} versions were made for one rotation`,
    ],
    [scene.expected !== 'failed' || seen.versionsMade === 0, 'the vault was touched although the rotation failed'],
    [scene.expected !== 'failed' || (seen.failure?.hint ?? '') !== '', 'the failure came without a hint'],
  ];
  return claims.flatMap(([holds, otherwise]) => (holds ? [] : [otherwise]));
}
