import { ConsumerError } from '../errors.ts';
import { withoutSecrets, wordsOf } from '../scrub.ts';
import type { CurrentSecret } from '../watch-secret.ts';
import { Generation, type Opened } from './generation.ts';
import type { PoolDriver, RotatingPoolOptions } from './pool-driver.ts';
import { withinMs } from './waiting.ts';

/** A pool that was not proven, and whether that is because the target refused its credential. */
export interface Unproven {
  readonly kind: 'failed';
  readonly version: string;
  readonly refused: boolean;
  readonly error: ConsumerError;
}

export type Proven<Pool> = Unproven | { readonly kind: 'proven'; readonly generation: Generation<Pool> };

/** Opens a pool and logs in with it. One that could not be proven is closed. Never rejects. */
export async function prove<Pool>(
  driver: PoolDriver<Pool>,
  { secret, proveTimeoutMs = 15_000 }: RotatingPoolOptions,
  current: CurrentSecret,
): Promise<Proven<Pool>> {
  const { version } = current;
  const about = `version ${version} of ${secret.name}`;
  let opened: Opened<Pool> | undefined;
  const trouble = (error: unknown): void => {
    const words = wordsOf(error, [current.value, ...(opened?.secrets ?? [])]);
    secret.report(new ConsumerError('connection-lost', `A connection with ${about} was lost: ${words}`));
  };
  try {
    opened = await driver.open(current, trouble);
    await withinMs(proveTimeoutMs, driver.prove(opened.pool));
    return { kind: 'proven', generation: new Generation(version, opened) };
  } catch (error) {
    const refused = driver.isRefusal(error);
    const secrets = [current.value, ...(opened?.secrets ?? [])];
    // Nobody waits for a pool that did not connect; how it closes tells nothing.
    if (opened !== undefined) void driver.close(opened.pool, false).catch(trouble);
    if (error instanceof ConsumerError) return { kind: 'failed', version, refused, error };
    const words = `No login with ${about}${refused ? ': the target refused it' : ''}: ${wordsOf(error, secrets)}`;
    return {
      kind: 'failed',
      version,
      refused,
      error: new ConsumerError('pool-unproven', words, withoutSecrets(error, secrets)),
    };
  }
}
