/** Circumstances of the pages: what they are about has to be there before their commands are typed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { environmentText } from '../../local/addresses.ts';
import { localApiKeys } from '../../local/api-keys.ts';
import { projectFiles } from '../tidy/files.ts';
import { blocksOf } from './blocks.ts';
import type { Shell } from './shell.ts';
import type { Target, TargetKind } from './targets.ts';
import type { Reset, World } from './world.ts';

export interface Scene {
  readonly world: World;
  readonly shell: Shell;
  readonly target: Target;
}

/** Something to end after the block. */
type End = () => Promise<unknown>;

export interface Ways {
  /** Of the whole page, in block 0: the target of orders-db, and others that its commands speak of. */
  readonly target?: TargetKind;
  readonly others?: readonly TargetKind[];
  readonly reset?: Reset;
  /** Done right before the block. */
  readonly before?: (scene: Scene) => Promise<End | undefined>;
  /** What is typed where a command asks. */
  readonly input?: (target: Target) => string;
}

const nothing: End = async () => undefined;
const then = (work: (scene: Scene) => Promise<unknown>) => async (scene: Scene) => {
  await work(scene);
  return nothing;
};

const rotated = then(async ({ world }) => world.must('rotate', 'orders-db', '--reason', 'given'));
const fresh = then(async ({ world, target }) => world.again(target));
const deleted = then(({ world }) => world.vaultCall('DELETE', '/secrets/orders-db'));
const changedByHand = then(async ({ world, target }) => {
  await world.again(target);
  await target.run("ALTER ROLE orders_app PASSWORD 'changed-by-hand'");
});

/** A version that a person wrote with the tags of the one before, and whose value does not log in. */
const wrongValueWithTags = then(async ({ world, target }) => {
  await world.again(target);
  const { vault } = world.azure;
  const tags = vault.versions('orders-db').at(-1)?.tags ?? {};
  vault.put('orders-db', { value: target.value.replace(/:[^:@]+@/, ':wrong@'), tags });
});

/** A version that a person wrote without tags, whose value logs in. */
const withoutTags = then(async ({ world, target }) => {
  await world.again(target);
  world.azure.vault.put('orders-db', { value: target.value });
});

/** A second secret of the same login. */
const legacy = then(async ({ world, target }) => {
  const tags = { rotator: 'postgres', strategy: 'alternating-users', admin: 'orders-admin', team: 'orders' };
  world.azure.vault.put('orders-db-legacy', { value: target.value, tags });
});

/** Nothing is left of what other pages wrote that a look at all secrets would find fault with. */
const tidied = then(async ({ world, target }) => {
  await world.again(target);
  for (const left of ['orders-db-net', 'orders-db-legacy']) {
    if (world.azure.vault.versions(left).length > 0) await world.vaultCall('DELETE', `/secrets/${left}`);
  }
});

/** The same credential in another form, as a copy that agrees to be one. */
const copied = then(async ({ world, target }) => {
  const { hostname, port } = new URL(target.value);
  const value = `Host=${hostname};Port=${port};Database=orders;Username=orders_app;Password=${target.appPassword};SSL Mode=Require`;
  world.azure.vault.put('orders-db-net', { value, tags: { 'copy-of': 'orders-db' } });
});

/** The first block of break-glass, which the commands by hand build on. */
const prepared = then(async ({ world, shell, target }) => {
  await world.again(target);
  const page = projectFiles().find(({ path }) => path === 'docs/on-call/break-glass.md');
  const [first] = blocksOf('break-glass', page?.text ?? '');
  const { ended, err } = await shell.run(first?.text ?? 'false', '');
  if (ended.length > 0) throw new Error(`the first block of break-glass failed: ${err}`);
});

const pendingStored = then(async ({ world, target }) => {
  await world.again(target);
  world.azure.vault.put('keyturn-pending-orders-db', { value: target.value });
});

/** The old login is in use, on Postgres and Redis. */
const inUse = async ({ world }: Scene): Promise<End> => {
  await world.must('rotate', 'orders-db', '--reason', 'given');
  const [postgres, redis] = [await world.target('postgres'), await world.target('redis')];
  const client = new Client({ connectionString: postgres.value.split('?')[0] ?? '', ssl: { ca: world.authority } });
  // The page ends this session.
  client.on('error', () => undefined);
  await client.connect();
  const cache = new Redis(redis.value, { tls: { ca: world.authority } });
  await cache.ping();
  return async () => {
    cache.disconnect();
    await client.end();
  };
};

const newVersion = (name: string, which: number) =>
  then(async ({ world, shell }) => {
    const id = world.azure.vault.versions('orders-db').at(which)?.id ?? '';
    await shell.run(
      `${name}=${name === 'NEWEST_ID' ? 'https://contoso-kv.vault.azure.net/secrets/orders-db/' : ''}${id}`,
      '',
    );
  });

const both =
  (...all: readonly ((scene: Scene) => Promise<End | undefined>)[]) =>
  async (scene: Scene) => {
    for (const one of all) await one(scene);
    return nothing;
  };

const admin = (target: Target): string => `${target.admin}\n`;
const value = (target: Target): string => `${target.value}\n`;
const storageKey = { value: 'c3RhbmQtaW4ga2V5IG9uZSBvZiB0aGUgc3RvcmFnZSBhY2NvdW50IHRoYXQgaXMgbG9uZw==' };
const shopSecrets = then(async ({ world }) => {
  for (let at = 0; at < 12; at += 1)
    world.azure.vault.put(`shop-${at}`, { value: 'k'.repeat(40), tags: { rotator: 'self-issued', team: 'shop' } });
});

/** The world as the stack of `npm start`: its addresses where that writes them, its Postgres, and `npx` as in the project's folder. */
const localStack = then(async ({ world, shell, target }) => {
  const folder = join(world.folder, '.local');
  await mkdir(folder);
  const server = `${new URL(target.admin).host}/postgres?sslmode=require`;
  await target.run("CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD 'sample-password-of-the-admin'");
  world.azure.vault.put('postgres-admin', {
    value: `postgres://keyturn_admin:sample-password-of-the-admin@${server}`,
    tags: { serves: '*' },
  });
  const authority = join(folder, 'vault-authority.pem');
  await writeFile(authority, world.azure.vault.certificate);
  const { name, url, httpsUrl } = world.azure.vault;
  const vault = { name, url, httpsUrl, authority, control: `${url}/_emulator/`, token: 'any' };
  const api = { url: `${world.azure.host.url}/api/v1`, keys: localApiKeys };
  const postgres = { url: `postgres://postgres:${target.ownerPassword}@${server}` };
  await writeFile(join(folder, 'azure.json'), JSON.stringify({ vault, api }));
  await writeFile(join(folder, 'env.sh'), environmentText({ vault, postgres }));
  // The stack of npm start is asked without TLS, so not through the front that the other pages call.
  await shell.run('npx() { shift; keyturn "$@"; }\ncurl() { command curl -q "$@"; }', '');
});

const errors: Readonly<Record<string, Ways>> = {
  'admin-invalid#1': { input: admin },
  'admin-refused#1': { input: admin },
  'copy-unfit#1': { before: copied },
  'credential-drifted#2': { before: wrongValueWithTags },
  'credential-drifted#3': { before: fresh },
  'key-unproven#1': { before: rotated },
  'lesser-rights#1': { before: rotated },
  'lesser-rights#2': { before: fresh },
  'login-shared#1': { before: legacy },
  'manual-rotation#1': { input: () => 'the-next-key-of-billing\n' },
  'no-live-credential#1': { input: () => 'set-as-administrator\nset-as-administrator\n' },
  'no-live-credential#2': { input: (target) => `${target.value.replace(/:[^:@]+@/, ':set-as-administrator@')}\n` },
  'opted-out#1': { before: withoutTags },
  'pending-taken#1': { before: pendingStored },
  'permission-missing#0': { others: ['sql-server'] },
  'permission-missing#1': { before: rotated },
  'retire-refused#1': { before: rotated },
  'secret-deleted#1': { before: deleted },
  'secret-disabled#1': {
    before: both(
      then(({ world }) => world.disable('orders-db')),
      newVersion('NEWEST_ID', -1),
    ),
  },
  'secret-missing#1': { before: deleted },
  'sessions-open#0': { others: ['redis'] },
  'sessions-open#2': { before: rotated },
  'target-busy#1': { input: (target) => `${target.ownerPassword}\n` },
  'target-tls#2': { input: (target) => `${target.appPassword}\n` },
  'value-unreadable#2': { before: fresh, input: value },
  'vault-busy#1': { before: deleted },
};

const rotators: Readonly<Record<string, Ways>> = {
  'postgres#1': { input: admin },
  'postgres#2': { before: both(rotated, prepared) },
  'postgres#3': { before: prepared },
  'sql-server#0': { target: 'sql-server' },
  'sql-server#1': { input: admin },
  'sql-server#2': { before: prepared },
  'sql-server#3': { before: prepared },
  'mysql#0': { target: 'mariadb' },
  'mysql#1': { input: admin },
  'mysql#2': { before: prepared },
  'mysql#5': { before: prepared },
  'mysql#6': { before: prepared },
  'redis#0': { target: 'redis' },
  'redis#1': { input: admin },
  'redis#2': { before: prepared },
  'redis#3': { before: prepared },
  'azure-keys#0': { reset: { ...storageKey, tags: { rotator: 'azure-keys', format: 'raw' } } },
  'azure-keys#2': { before: prepared },
  'entra-app#0': { reset: { value: 'a-client-secret-of-an-application', tags: { rotator: 'entra-app' } } },
  'entra-app#2': { before: prepared, input: () => 'the-secret-of-the-portal\nits-id\n' },
  'http-keys#0': { reset: { value: 'SG.a-key-of-a-provider', tags: { rotator: 'http-keys', format: 'raw' } } },
  'http-keys#2': { before: prepared, input: () => 'SG.the-key-of-the-portal\nits-id\n' },
  'self-issued#0': { reset: { value: 'a-signing-key-that-nobody-issued', tags: { rotator: 'self-issued' } } },
  'self-issued#2': { before: prepared },
};

const onCall: Readonly<Record<string, Ways>> = {
  'README#1': { before: tidied },
  'break-glass#2': { before: then(({ shell }) => shell.run('publish --old-days 2', '')) },
  'drift#0': { others: ['mariadb', 'sql-server'] },
  'drift#1': { before: changedByHand },
  'drift#3': { before: fresh, input: value },
  'drift#4': { before: wrongValueWithTags },
  'drift#5': { before: fresh },
  'drift#6': { before: fresh },
  'leaked#2': { before: fresh },
  'leaked#4': { before: newVersion('VERSION', 0) },
  'leaked#5': { input: (target) => `${target.appPassword}\n` },
  'old-credential-in-use#0': { others: ['sql-server', 'mariadb', 'redis'] },
  'old-credential-in-use#1': { before: inUse },
  'old-credential-in-use#2': { before: both(fresh, inUse) },
  'rotation-failed#3': { before: pendingStored },
  'wrong-version#1': { before: rotated },
  'wrong-version#4': { before: fresh },
  'wrong-version#3': { before: both(fresh, rotated, newVersion('VERSION', 0)) },
};

const table: Readonly<Record<string, Ways>> = {
  ...prefixed('docs/errors/', errors),
  ...prefixed('docs/rotators/', rotators),
  ...prefixed('docs/on-call/', onCall),
  ...prefixed('docs/', {
    'cli#3': { before: shopSecrets },
    'cli#6': { before: fresh },
    'other-writers#1': { before: wrongValueWithTags },
    'other-writers#2': { before: then(({ shell }) => shell.run('BUILD_URL=https://ci.contoso.example/builds/7', '')) },
    'notifications#6': { input: () => 'a routing key\n' },
    'quickstart#3': { before: localStack },
    'quickstart#9': { before: fresh, input: admin },
    'runbooks#4': { input: value },
  }),
};

function prefixed(folder: string, ways: Readonly<Record<string, Ways>>): Readonly<Record<string, Ways>> {
  return Object.fromEntries(Object.entries(ways).map(([key, one]) => [`${folder}${key.replace('#', '.md#')}`, one]));
}

/** By page and number of the block; 0 is the page itself. */
export function given(page: string, number: number): Ways {
  return table[`${page}#${number}`] ?? {};
}

/** Keys of the table, to see that none is for a block that is gone. */
export const givenKeys: readonly string[] = Object.keys(table);
