/** A local Azure with the built app, the servers, and keys of the API for everybody who takes part. */
import { apiKeySetting, localApiKeys } from '../../local/api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import { startMariadb } from '../../local/mariadb.ts';
import { startMysql } from '../../local/mysql/index.ts';
import { type AppLog, appLog } from './app-log.ts';
import type { Target } from './target.ts';
import { startFront, startMysqlTarget, startPostgresTarget, startRedisTarget } from './targets.ts';

/** The consumer that follows its secrets, and the one that does not. Each has a key of its own. */
export const consumerNames = { follows: 'shop', lags: 'reports' } as const;

export interface Stage {
  readonly azure: LocalAzure;
  readonly log: AppLog;
  /** `http://127.0.0.1:PORT/api`. */
  readonly api: string;
  readonly targets: readonly Target[];
  /** A secret whose second consumer lags. */
  readonly lagging: Target;
  close(): Promise<void>;
}

/** Longest life of an old credential in the run, and where a consumer lags. */
export const overlaps = { followed: 'PT60S', lagging: 'PT12S' } as const;

const dayMs = 86_400_000;

export function consumerKey(name: string): string {
  return `key-of-the-consumer-${name}-in-a-bench`;
}

export async function startStage(): Promise<Stage> {
  const log = appLog();
  const { follows, lags } = consumerNames;
  const azure = await startLocalAzure({
    vaultName: 'bench',
    // What is measured is what consumers notice, not how many versions a vault takes.
    limits: false,
    settings: {
      KEYTURN_API_KEYS: apiKeySetting([
        { name: 'operator', role: 'operator', key: localApiKeys.operator },
        { name: 'responder', role: 'emergency', key: localApiKeys.emergency },
        ...[follows, lags].map((name) => ({ name, role: 'consumer' as const, key: consumerKey(name) })),
      ]),
    },
    queues: { maxPollingMs: 200 },
    onLog: log.hear,
  });
  const started: Target[] = [];
  const close = async (): Promise<void> => {
    await azure.close();
    await Promise.all(started.map((target) => target.close()));
  };
  try {
    const { postgres } = azure;
    if (postgres === undefined) throw new Error('the bench needs Postgres');
    started.push(
      ...(await Promise.all([
        startMysqlTarget('mariadb', startMariadb),
        startMysqlTarget('mysql', startMysql),
        startRedisTarget(),
      ])),
    );
    started.unshift(await startPostgresTarget(postgres, 'orders'));
    for (const mode of ['transaction', 'session'] as const)
      started.push(await startPostgresTarget(postgres, `orders${mode}`, await startFront(postgres, mode)));
    const lagging = await startPostgresTarget(postgres, 'ledger');
    for (const target of started) putSecrets(azure, target, follows, overlaps.followed);
    putSecrets(azure, lagging, `${follows},${lags}`, overlaps.lagging);
    return { azure, log, api: `${azure.host.url}/api`, targets: started, lagging, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The secret of a target and its admin's. */
export function putSecrets({ vault }: LocalAzure, target: Target, consumers: string, overlap: string): void {
  const { secret, admin, value, tags } = target;
  vault.put(`${secret}-admin`, { value: admin, tags: { serves: secret } });
  vault.put(secret, {
    value,
    tags: { ...tags, admin: `${secret}-admin`, consumers, overlap },
    expiresSeconds: Math.floor((vault.clock.nowMs() + 90 * dayMs) / 1000),
  });
}
