import { describe } from 'vitest';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import { startRedisCluster } from '../../local/redis-cluster.ts';
import { redis } from '../../rotators/redis/entry.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Features, RotatorHarness, Scene, Target } from '../conformance/rotator-conformance.ts';
import { describeRotator } from '../conformance/rotator-conformance.ts';
import { newPassword } from '../conformance/step.ts';
import {
  asOwner,
  breakagesOn,
  endpointOf,
  logsInAt,
  openSession,
  owner,
  type RedisTags,
  snapshot,
  targetOf,
  users,
} from './redis-bench.ts';

const features = (admin: boolean): Features => ({
  sessions: 'unseen',
  admin,
  selfRotation: true,
  network: 'endpoint',
  retirement: 'refuses',
});

// Redis refuses blanks and zero bytes in names of users, and takes everything else.
const hostileNames = [`o'brien";--`, '#hash>pass<', '!%s\\n$(id)`', 'größe-😀', 'x'.repeat(400)];

const standalone: { nodes: readonly RedisServer[] } = { nodes: [] };

describeRotator('redis', {
  entry: redis,
  features: () => features(true),
  hostileNames,
  breakages: () => breakagesOn(() => lastOf(standalone.nodes)),
  start: async () => {
    const primary = await startRedis({ acl: users, replicateAs: owner });
    const replica = await startRedis({ acl: users, replicateAs: owner, replicaOf: primary });
    standalone.nodes = [primary, replica];
    await untilReplicating(primary);
    return targetOf(standalone.nodes, () => stopAll(standalone.nodes));
  },
});

describe('a cluster of three masters and three replicas', () => {
  const cluster: { nodes: readonly RedisServer[] } = { nodes: [] };
  describeRotator('redis', {
    entry: redis,
    features: () => features(true),
    hostileNames: [],
    breakages: () => breakagesOn(() => lastOf(cluster.nodes)),
    start: async () => {
      const started = await startRedisCluster({ masters: 3, replicas: 3, acl: users, replicateAs: owner });
      cluster.nodes = started.nodes;
      return targetOf(started.nodes, started.stop);
    },
  });
});

describe('a server with one password for everybody', () => {
  describeRotator('redis', onePassword());
});

function onePassword(): RotatorHarness<RedisTags> {
  return {
    entry: { ...redis, strategies: ['single-user', 'dual-password'] },
    features: () => features(false),
    hostileNames: [],
    breakages: () => ({
      'a server that lets everybody in': async (scene) => {
        await asOwner(nodeOf(scene), 'CONFIG', 'SET', 'requirepass', '');
        return {};
      },
    }),
    start: async () => {
      const server = await startRedis({
        configFile: true,
        settings: [`user ${owner.username} on >${owner.password} ~* &* +@all`],
      });
      const target = await targetOf([server], () => server.stop());
      return { ...target, scene: () => sceneOfOnePassword(server) } satisfies Target<RedisTags>;
    },
  };
}

async function sceneOfOnePassword(server: RedisServer): Promise<Scene<RedisTags>> {
  const current: Credential = { password: newPassword() };
  await asOwner(server, 'CONFIG', 'SET', 'requirepass', current.password.reveal());
  return {
    current,
    endpoint: endpointOf(server),
    adminEndpoint: endpointOf(server),
    admin: { kind: 'self' },
    options: {},
    login: (credential) => logsInAt([server], credential),
    openSession: (credential) => openSession(server, credential),
    snapshot: () => snapshot([server]),
    missing: { password: newPassword() },
  };
}

function nodeOf(scene: Scene<RedisTags>): { readonly host: string; readonly port: number } {
  return { host: scene.endpoint.host, port: scene.endpoint.port ?? 0 };
}

function lastOf(nodes: readonly RedisServer[]): RedisServer {
  const last = nodes.at(-1);
  if (last === undefined) throw new Error('the target was not started');
  return last;
}

async function stopAll(nodes: readonly RedisServer[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}

async function untilReplicating(primary: RedisServer): Promise<void> {
  for (;;) {
    const info = String(await asOwner(primary, 'INFO', 'replication'));
    if (info.includes('state=online')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
