/** What a person asks of the HTTP API, and what the vault says of it. */
import * as z from 'zod';
import { localApiKeys } from '../../local/api-keys.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import type { Line } from './app-log.ts';
import type { Stage } from './stage.ts';

/** Longer than any overlap of the bench. */
const patienceMs = 80_000;

const rotated = z.looseObject({
  rotationId: z.string(),
  state: z.literal('rotated'),
  to: z.string(),
  /** Absent in an emergency, which is not waited for. */
  retireBy: z.iso.datetime().optional(),
});

export interface Rotated {
  readonly rotationId: string;
  /** Value and version that were replaced, and the version that was made. */
  readonly oldValue: string;
  readonly oldVersion: string;
  readonly newVersion: string;
  /** The deadline of the old credential, in ms since 1970. */
  readonly retireByMs: number;
}

const keys = { rotate: localApiKeys.operator, emergency: localApiKeys.emergency } as const;

/** Rotates a secret and waits until the new version is published. Anything else ends the bench. */
export async function rotate(stage: Stage, secret: string, how: 'rotate' | 'emergency' = 'rotate'): Promise<Rotated> {
  const before = newest(stage, secret);
  const answer = await fetch(`${stage.api}/v1/vaults/bench/secrets/${secret}/${how}?wait=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-keyturn-key': keys[how] },
    body: JSON.stringify({ reason: 'bench' }),
  });
  const body: unknown = await answer.json();
  const parsed = rotated.safeParse(body);
  if (!parsed.success) throw new Error(`${secret} was not rotated: ${answer.status} ${JSON.stringify(body)}`);
  const { rotationId, to, retireBy } = parsed.data;
  const old = { oldValue: before.value, oldVersion: before.id };
  return { rotationId, ...old, newVersion: to, retireByMs: retireBy === undefined ? Date.now() : Date.parse(retireBy) };
}

const acknowledgements = z.looseObject({ missing: z.array(z.looseObject({ consumer: z.string() })) });

/** Consumers that have not acknowledged the version, as the API names them. */
export async function missing(stage: Stage, secret: string, version: string): Promise<readonly string[]> {
  const answer = await fetch(`${stage.api}/v1/vaults/bench/secrets/${secret}/versions/${version}/acknowledgements`, {
    headers: { 'x-keyturn-key': localApiKeys.operator },
  });
  return acknowledgements.parse(await answer.json()).missing.map(({ consumer }) => consumer);
}

/**
 * Waits until the app says that the old credential is gone, and the vault says so too: by the stamp of the new version, and as the old
 * version is disabled. Gives what the app said. A message of a retirement that came while the rotation was tidying up comes again after
 * ten seconds.
 */
export async function untilRetired(stage: Stage, secret: string, { rotationId, oldVersion }: Rotated): Promise<Line> {
  const line = await stage.log.said('retired', rotationId, patienceMs);
  const old = stage.azure.vault.versions(secret).find(({ id }) => id === oldVersion);
  const marked = readStamp(newest(stage, secret).tags ?? {})?.retired === true;
  if (!marked || old?.enabled !== false)
    throw new Error(`${secret}: the vault does not say that ${oldVersion} is retired`);
  return line;
}

function newest({ azure }: Stage, secret: string) {
  const version = azure.vault.versions(secret).at(-1);
  if (version === undefined) throw new Error(`there is no secret ${secret}`);
  return version;
}
