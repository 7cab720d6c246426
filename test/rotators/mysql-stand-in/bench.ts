/** The stand-in as a target of the conformance suite. */
import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import type { Strategy } from '../../../shared/contract/strategy.ts';
import type { Scene, Session, Target, Variant } from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';
import type { StandInAccount } from './accounts.ts';
import { type MysqlStandIn, startMysqlStandIn } from './server.ts';

const host = '127.%';
const plugin = 'caching_sha2_password';
const noLimits = '0 0 0 0';
export const standInAdmin: Credential = {
  username: 'rotation_admin',
  password: new SecretText('admin-of-a-throwaway-server'),
};

export async function standInTarget(
  strategy: Strategy,
): Promise<Target<MysqlTags> & { readonly server: MysqlStandIn }> {
  const server = await startMysqlStandIn();
  const admin = server.accounts.create('rotation_admin', host, plugin, standInAdmin.password.reveal(), noLimits);
  admin.grants.push(
    { privileges: ['CREATE USER', 'PROCESS', 'CONNECTION_ADMIN'], object: '*.*', option: false },
    { privileges: ['SELECT'], object: '`mysql`.*', option: false },
    { privileges: ['SELECT', 'INSERT'], object: '`orders`.*', option: true },
  );
  admin.roles.push({ name: 'reporting', admin: true });
  return { server, scene: async (_strategy, variant) => sceneOf(server, strategy, variant), close: server.close };
}

/** A login with the rights of the application. */
export function makeLogin(
  server: MysqlStandIn,
  name = `app_${randomBytes(4).toString('hex')}`,
): {
  readonly credential: Credential;
  readonly account: StandInAccount;
} {
  const credential = { username: name, password: newPassword() };
  server.accounts.drop(`${name}_alt`, host);
  const account = server.accounts.create(name, host, plugin, credential.password.reveal(), '5 0 0 20');
  account.grants.push({ privileges: ['SELECT', 'INSERT'], object: '`orders`.*', option: false });
  account.roles.push({ name: 'reporting', admin: false });
  account.defaultRoles.push('reporting');
  return { credential, account };
}

function sceneOf(server: MysqlStandIn, strategy: Strategy, variant: Variant): Scene<MysqlTags> {
  const { credential: current, account } = makeLogin(server, variant.login);
  const self = variant.admin === 'self';
  if (self && strategy === 'dual-password') {
    account.grants.push({ privileges: ['ALL PRIVILEGES'], object: '*.*', option: true });
  }
  const endpoint = { host: '127.0.0.1', port: server.port, database: 'orders', options: {} };
  return {
    current,
    endpoint,
    adminEndpoint: { ...endpoint, options: {} },
    admin: self ? { kind: 'self' } : { kind: 'connection', secret: 'mysql-admin', credential: standInAdmin },
    options: {},
    login: (credential) => logsIn(server, credential),
    openSession: (credential) => openSession(server, credential),
    mayDo: (credential) => mayDo(server, credential),
    snapshot: async () => server.accounts.snapshot(),
    missing: { username: `nobody_${randomBytes(4).toString('hex')}`, password: newPassword() },
  };
}

function connect(server: MysqlStandIn, { username = '', password }: Credential) {
  return createConnection({ host: '127.0.0.1', port: server.port, user: username, password: password.reveal() });
}

export async function logsIn(server: MysqlStandIn, credential: Credential): Promise<boolean> {
  try {
    const connection = await connect(server, credential);
    connection.destroy();
    return true;
  } catch (error) {
    if (error instanceof Error && 'errno' in error && (error.errno === 1045 || error.errno === 3118)) return false;
    throw error;
  }
}

async function openSession(server: MysqlStandIn, credential: Credential): Promise<Session> {
  const connection = await connect(server, credential);
  connection.on('error', () => undefined);
  return {
    alive: () =>
      connection.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    close: async () => connection.destroy(),
  };
}

async function mayDo(server: MysqlStandIn, credential: Credential): Promise<readonly string[]> {
  const connection = await connect(server, credential);
  const done: string[] = [];
  for (const statement of [
    'SELECT * FROM `orders`.`items`',
    'INSERT INTO `orders`.`items`',
    'SELECT * FROM `secret`.`items`',
  ]) {
    const answer = await connection.query(statement).then(
      () => 'done',
      () => 'refused',
    );
    if (answer === 'done') done.push(statement);
  }
  connection.destroy();
  const account = server.accounts.matching(credential.username ?? '');
  return [...done, ...(account?.roles.map(({ name }) => `role ${name}`) ?? []), ...(account?.defaultRoles ?? [])];
}
