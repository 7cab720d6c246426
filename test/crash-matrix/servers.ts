/** The targets of the crash matrix that have logins, each as its own conformance suite starts it. */
import { mysqlFiles } from '../../local/mysql/files.ts';
import { isInstalled } from '../../local/programs.ts';
import { startRedis } from '../../local/redis.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { Scene, Target } from '../conformance/harness.ts';
import { type Flavour, mysqlTarget } from '../rotators/mysql/bench.ts';
import { onMariadb } from '../rotators/mysql/on-mariadb.ts';
import { onMysql } from '../rotators/mysql/on-mysql.ts';
import { startFixture as startPostgresFixture } from '../rotators/postgres-fixture.ts';
import { targetOf, users } from '../rotators/redis-bench.ts';
import { startFixture as startSqlServerFixture } from '../rotators/sql-server-fixture.ts';
import type { MatrixTarget, Planted, StartedTarget } from './target.ts';

/** A value of the form that the target's clients take, and what is in it. */
interface Form {
  readonly write: (scene: Pick<Scene<unknown>, 'endpoint'>, credential: Credential) => string;
  readonly read: (value: string) => Credential;
}

function urlForm(scheme: string): Form {
  return {
    write: ({ endpoint: { host, port, database = '' } }, { username = '', password }) =>
      `${scheme}://${encodeURIComponent(username)}:${encodeURIComponent(password.reveal())}@${host}:${port}/${database}`,
    read: (value) => {
      const { username, password } = new URL(value);
      return { username: decodeURIComponent(username), password: new SecretText(decodeURIComponent(password)) };
    },
  };
}

const adoForm: Form = {
  write: ({ endpoint: { host, port, database } }, { username = '', password }) =>
    `Server=${host},${port};${database === undefined ? '' : `Database=${database};`}User ID=${username};Password=${password.reveal()};Encrypt=True`,
  read: (value) => {
    const field = (name: string): string => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(value)?.[1] ?? '';
    return { username: field('User ID'), password: new SecretText(field('Password')) };
  },
};

function plantedOf<Options>(rotator: string, strategy: Strategy, scene: Scene<Options>, form: Form): Planted {
  const { admin, adminEndpoint, current } = scene;
  const own = { rotator, strategy };
  return {
    value: form.write(scene, current),
    tags: admin.kind === 'connection' ? { ...own, admin: admin.secret } : own,
    ...(admin.kind === 'connection' && {
      admin: { name: admin.secret, value: form.write({ endpoint: adminEndpoint }, admin.credential) },
    }),
    credentialIn: form.read,
    login: (credential) => scene.login(credential),
    ...(scene.openSession !== undefined && { openSession: scene.openSession.bind(scene) }),
  };
}

function started<Options>(rotator: string, target: Target<Options>, form: Form): StartedTarget {
  const certificates = target.environment?.trustedCertificates ?? [];
  return {
    settings: certificates.length === 0 ? {} : { KEYTURN_TRUSTED_CERTIFICATES: certificates.join('\n') },
    plant: async (strategy) =>
      plantedOf(rotator, strategy, await target.scene(strategy, { admin: 'connection' }), form),
    close: () => target.close(),
  };
}

function mysqlOn(name: string, flavour: Flavour, isThere: () => boolean): MatrixTarget {
  return {
    name,
    rotator: 'mysql',
    strategies: ['dual-password', 'alternating-users', 'single-user'],
    kind: 'server',
    isThere,
    start: async () => started('mysql', await mysqlTarget(flavour, 'dual-password'), urlForm('mysql')),
  };
}

export const servers: readonly MatrixTarget[] = [
  {
    name: 'postgres',
    rotator: 'postgres',
    strategies: ['alternating-users', 'single-user'],
    kind: 'server',
    start: async () =>
      started('postgres', await startPostgresFixture({ settings: { max_connections: '300' } }), urlForm('postgres')),
  },
  mysqlOn('mysql', onMysql, () => mysqlFiles() !== undefined),
  mysqlOn('mariadb', onMariadb, () => isInstalled('mariadbd')),
  {
    name: 'redis',
    rotator: 'redis',
    strategies: ['dual-password', 'single-user'],
    kind: 'server',
    isThere: () => isInstalled('redis-server'),
    start: async () => {
      const server = await startRedis({ acl: users });
      return started('redis', await targetOf([server], () => server.stop()), urlForm('redis'));
    },
  },
  {
    name: 'sql-server',
    rotator: 'sql-server',
    strategies: ['alternating-users', 'single-user'],
    kind: 'stand-in',
    start: async () => started('sql-server', await startSqlServerFixture({ account: 'login' }), adoForm),
  },
];
