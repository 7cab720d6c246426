/** Redis for tests: users made and read by an independent client, on all nodes of a target. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { command } from '../../local/redis-cluster.ts';
import { redis } from '../../rotators/redis/entry.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint, Rotator, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Breakage, Scene, Session, Target, Variant } from '../conformance/harness.ts';
import { newPassword } from '../conformance/step.ts';

export type RedisTags = Readonly<Record<string, never>>;
export type RedisScene = Scene<RedisTags>;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** May do everything; used by tests to make and look at users, never by the rotator. */
export const owner = { username: 'owner', password: 'owner-of-a-throwaway-server' };

/** The rights of docs/rotators/redis.md and no more, so that the tests prove them to be enough. */
export const adminRules =
  'resetchannels -@all +info +acl|getuser +acl|setuser +acl|save +acl|dryrun +config|get +config|set +config|rewrite +client|id +client|list +client|kill +cluster|nodes';
export const admin = { username: 'rotation-admin', password: 'admin-of-a-throwaway-server' };

export const users = [
  'user default off',
  `user ${owner.username} on >${owner.password} ~* &* +@all`,
  `user ${admin.username} on >${admin.password} ${adminRules}`,
  'user powerless on >powerless-password ~* -@all +info +cluster|nodes +ping',
];

export const adminCredential: Credential = { username: admin.username, password: new SecretText(admin.password) };

/** One command as the owner. */
export async function asOwner(node: Address, name: string, ...args: readonly (string | number)[]): Promise<unknown> {
  return command(node, { replicateAs: owner }, name, ...args);
}

export function endpointOf(node: Address): Endpoint {
  return { host: node.host, port: node.port, options: {} };
}

/** The rotator as the app loads it. */
export async function loadRedis(environment: Partial<RotatorEnvironment> = {}): Promise<Rotator<RedisTags>> {
  return redis.load({
    trustedCertificates: [],
    connectTimeoutMs: 3_000,
    getToken: async () => newPassword(),
    allowedHosts: [],
    cloud: { resourceManager: '', graph: '', login: '' },
    ...environment,
  });
}

/** Whether all nodes let the credential in. Throws when they disagree, or when one gives no answer. */
export async function logsInAt(nodes: readonly Address[], credential: Credential): Promise<boolean> {
  const answers = await Promise.all(nodes.map((node) => logsIn(node, credential)));
  if (new Set(answers).size > 1) throw new Error(`the nodes disagree: ${answers.join(', ')}`);
  return answers[0] ?? false;
}

async function logsIn(node: Address, credential: Credential): Promise<boolean> {
  const client = plainClient(node);
  try {
    await client.connect();
    await client.call('AUTH', ...wordsOf(credential));
    return true;
  } catch (error) {
    if (error instanceof Error && /WRONGPASS|NOAUTH|without any password/.test(error.message)) return false;
    throw error;
  } finally {
    client.disconnect();
  }
}

function wordsOf({ username, password }: Credential): string[] {
  return username === undefined ? [password.reveal()] : [username, password.reveal()];
}

function plainClient(node: Address): Redis {
  const client = new Redis({
    ...node,
    protocol: 2,
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  client.on('error', () => undefined);
  return client;
}

/** A connection of a client that stays open. */
export async function openSession(node: Address, credential: Credential): Promise<Session> {
  const client = plainClient(node);
  await client.connect();
  await client.call('AUTH', ...wordsOf(credential));
  await client.call('CLIENT', 'SETNAME', 'orders-service');
  return {
    alive: async () => {
      try {
        return (await client.call('PING')) === 'PONG';
      } catch (error) {
        if (error instanceof Error && error.name !== 'ReplyError') return false;
        throw error;
      }
    },
    close: async () => {
      client.disconnect();
    },
  };
}

/** Everything the server shows of what it is sent. */
export async function watch(node: Address): Promise<{ text(): string; stop(): void }> {
  const client = new Redis({ ...node, ...owner, protocol: 2, lazyConnect: true });
  const monitor = await client.monitor();
  const lines: string[] = [];
  monitor.on('monitor', (_time: string, args: readonly string[]) => lines.push(args.join(' ')));
  return {
    text: () => lines.join('\n'),
    stop: () => {
      monitor.disconnect();
      client.disconnect();
    },
  };
}

/** A target of nodes that all know `users`; every scene gets a user of its own on each node. */
export async function targetOf(nodes: readonly Address[], stop: () => Promise<void>): Promise<Target<RedisTags>> {
  const watches = await Promise.all(nodes.map(watch));
  const [first] = nodes;
  if (first === undefined) throw new Error('a target needs a node');
  return {
    scene: (_strategy, variant) => sceneOf(nodes, first, variant),
    log: async () => watches.map((one) => one.text()).join('\n'),
    close: async () => {
      for (const one of watches) one.stop();
      await stop();
    },
  };
}

async function sceneOf(nodes: readonly Address[], first: Address, variant: Variant): Promise<RedisScene> {
  const username = variant.login ?? `app-${randomUUID()}`;
  const current: Credential = { username, password: newPassword() };
  const rules = variant.admin === 'self' ? '+@all' : '+@all -@admin';
  for (const node of nodes) {
    const password = `>${current.password.reveal()}`;
    await asOwner(node, 'ACL', 'SETUSER', username, 'reset', 'on', password, '~*', ...rules.split(' '));
  }
  return {
    current,
    endpoint: endpointOf(first),
    adminEndpoint: endpointOf(first),
    admin:
      variant.admin === 'self'
        ? { kind: 'self' }
        : { kind: 'connection', secret: 'redis-admin', credential: adminCredential },
    options: {},
    login: (credential) => logsInAt(nodes, credential),
    openSession: (credential) => openSession(first, credential),
    snapshot: () => snapshot(nodes),
    missing: { username: `nobody-${randomUUID()}`, password: newPassword() },
  };
}

/** Users, settings and files of all nodes. */
export async function snapshot(nodes: readonly Address[]): Promise<unknown> {
  return Promise.all(
    nodes.map(async (node) => [
      await asOwner(node, 'ACL', 'LIST'),
      await asOwner(node, 'CONFIG', 'GET', 'requirepass'),
      await asOwner(node, 'CONFIG', 'GET', 'masterauth'),
    ]),
  );
}

/** What `check` has to name on any target with access control lists. */
export function breakagesOn(lastNode: () => Address): Readonly<Record<string, Breakage<RedisTags>>> {
  return {
    'a login that one node does not know': async (scene) => {
      await asOwner(lastNode(), 'ACL', 'DELUSER', nameOf(scene));
      return {};
    },
    'a login that takes any password on one node': async (scene) => {
      await asOwner(lastNode(), 'ACL', 'SETUSER', nameOf(scene), 'nopass');
      return {};
    },
    'a login that is switched off': async (scene) => {
      await asOwner(lastNode(), 'ACL', 'SETUSER', nameOf(scene), 'off');
      return {};
    },
    'an admin without rights': async () => {
      const credential = { username: 'powerless', password: new SecretText('powerless-password') };
      return { admin: { kind: 'connection', secret: 'redis-admin', credential } };
    },
  };
}

function nameOf(scene: RedisScene): string {
  return scene.current.username ?? 'default';
}
