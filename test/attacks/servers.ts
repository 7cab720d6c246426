/** The servers that attacks and shared logins are played on: Postgres, MariaDB and Redis as they are, and SQL Server's stand-in. */
import { startPostgres } from '../../local/postgres.ts';
import { startRedis } from '../../local/redis.ts';
import { redis } from '../../rotators/redis/entry.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { RotatorHarness, Target } from '../conformance/harness.ts';
import { harnessOf } from '../rotators/mysql/harness.ts';
import { onMariadb } from '../rotators/mysql/on-mariadb.ts';
import { postgresHarness } from '../rotators/postgres-harness.ts';
import { targetOf, users } from '../rotators/redis-bench.ts';
import { harnessFor } from '../rotators/sql-server-harness.ts';
import { type AttackStage, startAttack } from './stage.ts';

const redisHarness: RotatorHarness<Readonly<Record<string, never>>> = {
  entry: redis,
  features: () => ({ sessions: 'unseen', admin: true, selfRotation: true, network: 'endpoint', retirement: 'refuses' }),
  hostileNames: [],
  breakages: () => ({}),
  start: async () => {
    const server = await startRedis({ acl: users });
    return targetOf([server], () => server.stop());
  },
};

export interface Played {
  start(strategy: Strategy): Promise<Target<unknown>>;
  stage(strategy: Strategy, target: Target<unknown>): Promise<AttackStage>;
  readonly strategies: readonly Strategy[];
}

function played<Options>(harness: RotatorHarness<Options>): Played {
  let started: Target<Options> | undefined;
  return {
    strategies: harness.entry.strategies,
    async start(strategy) {
      started = await harness.start(strategy);
      return { ...started, scene: () => Promise.reject(new Error('made by the stage')) };
    },
    stage: async (strategy) => {
      if (started === undefined) throw new Error('not started');
      return startAttack(harness, strategy, started);
    },
  };
}

export const servers: readonly (readonly [string, Played])[] = [
  ['postgres', played(postgresHarness(startPostgres, true))],
  ['mariadb', played(harnessOf(onMariadb, 76))],
  ['redis', played(redisHarness)],
  ['sql-server', played(harnessFor({ account: 'login' }))],
];
