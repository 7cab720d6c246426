/**
 * What the stand-in keeps: logins, roles, databases with their users, and who was granted what. Plain data, so that a transaction
 * can work on a copy. Passwords are kept as salted hashes only.
 */
import { createHash, randomBytes, randomInt } from 'node:crypto';

export interface StoredPassword {
  readonly salt: string;
  readonly hash: string;
}

export interface ServerPrincipal {
  readonly id: number;
  name: string;
  /** S: SQL login, R: server role, E: Entra login. */
  readonly type: 'S' | 'R' | 'E';
  /** Hexadecimal. */
  readonly sid: string;
  password?: StoredPassword;
  /** When anything of it was changed last, and when its password was, in ms. */
  modifiedAt: number;
  passwordSetAt: number;
  /** Whether it has to change its password when it logs in next. */
  mustChange: boolean;
  disabled: boolean;
  policyChecked: boolean;
  expirationChecked: boolean;
  defaultDatabase: string;
  defaultLanguage: string;
}

export interface DatabasePrincipal {
  readonly id: number;
  name: string;
  /** S: SQL user, R: database role, E: Entra user. */
  readonly type: 'S' | 'R' | 'E';
  sid: string;
  /** 0 none, 1 by the instance (a login), 2 by the database (contained), 4 external. */
  readonly authenticationType: 0 | 1 | 2 | 4;
  password?: StoredPassword;
  defaultSchema: string | null;
  defaultLanguage: string | null;
}

export interface Permission {
  /** 100 server, 101 login or server role; 0 database, 1 object or column, 3 schema, 4 database principal, and see `securableClasses`. */
  readonly class: number;
  readonly majorId: number;
  readonly minorId: number;
  readonly grantee: number;
  readonly permission: string;
  /** G granted, W granted with grant option, D denied, R a column taken out of what its table grants. */
  readonly state: 'G' | 'W' | 'D' | 'R';
}

/** Kinds of things in a database that permissions are given on, besides objects, schemas and principals, by their class. */
export const securableClasses = {
  assembly: 5,
  type: 6,
  'symmetric key': 24,
  certificate: 25,
  'asymmetric key': 26,
} as const;

export interface Securable {
  readonly kind: keyof typeof securableClasses;
  readonly id: number;
  readonly name: string;
  /** Types are in a schema. */
  readonly schemaId: number;
}

export interface Membership {
  readonly role: number;
  readonly member: number;
}

export interface Database {
  readonly id: number;
  readonly name: string;
  contained: boolean;
  /** 0 online, 6 offline. */
  state: number;
  readOnly: boolean;
  trustworthy: boolean;
  /** Server that holds a replica of it. */
  readonly partner?: string;
  ownerSid: string;
  principals: DatabasePrincipal[];
  members: Membership[];
  permissions: Permission[];
  schemas: { id: number; name: string; principalId: number }[];
  objects: { id: number; name: string; schemaId: number; columns: string[] }[];
  securables: Securable[];
}

export interface ServerState {
  principals: ServerPrincipal[];
  members: Membership[];
  permissions: Permission[];
  databases: Database[];
}

const fixedServerRoles = [
  'public',
  'sysadmin',
  'securityadmin',
  'serveradmin',
  'setupadmin',
  'processadmin',
  'diskadmin',
  'dbcreator',
  'bulkadmin',
  '##MS_LoginManager##',
  '##MS_ServerStateReader##',
];

const fixedDatabaseRoles = [
  'public',
  'db_owner',
  'db_accessadmin',
  'db_securityadmin',
  'db_ddladmin',
  'db_backupoperator',
  'db_datareader',
  'db_datawriter',
  'db_denydatareader',
  'db_denydatawriter',
];

/** Names are compared as the default collation does: without regard to case. */
export function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** Ids are drawn, not counted, so that a change made on a copy keeps its ids when it is made again at commit. */
export const newId = (): number => randomInt(100_000, 2 ** 31 - 1);

export const newSid = (): string => randomBytes(16).toString('hex');

/** Azure SQL Database: 32 bytes, of which the first half is the same for all logins. */
export const newAzureSid = (): string => `01060000000000640000000000000000${newSid()}`;

export function storePassword(password: string): StoredPassword {
  const salt = randomBytes(8).toString('hex');
  return { salt, hash: hashOf(salt, password) };
}

const hashOf = (salt: string, password: string): string =>
  createHash('sha512').update(salt).update(password, 'utf16le').digest('hex');

export function passwordMatches(stored: StoredPassword | undefined, password: string): boolean {
  return stored !== undefined && stored.hash === hashOf(stored.salt, password);
}

function serverRole(id: number, name: string): ServerPrincipal {
  return {
    id,
    name,
    type: 'R',
    sid: newSid(),
    modifiedAt: 0,
    passwordSetAt: 0,
    mustChange: false,
    disabled: false,
    policyChecked: false,
    expirationChecked: false,
    defaultDatabase: 'master',
    defaultLanguage: 'us_english',
  };
}

export function newLogin(id: number, name: string, about: Partial<ServerPrincipal>): ServerPrincipal {
  return { ...serverRole(id, name), type: 'S', policyChecked: true, ...about };
}

/** A database with its fixed roles and the user dbo, which is its owner. */
export function newDatabase(
  id: number,
  name: string,
  ownerSid: string,
  about: Partial<Pick<Database, 'contained' | 'partner' | 'trustworthy'>> = {},
): Database {
  const roles = fixedDatabaseRoles.map(
    (role, index): DatabasePrincipal => ({
      id: role === 'public' ? 0 : 16383 + index,
      name: role,
      type: 'R',
      sid: newSid(),
      authenticationType: 0,
      defaultSchema: null,
      defaultLanguage: null,
    }),
  );
  const dbo: DatabasePrincipal = {
    id: 1,
    name: 'dbo',
    type: 'S',
    sid: ownerSid,
    authenticationType: 1,
    defaultSchema: 'dbo',
    defaultLanguage: null,
  };
  return {
    id,
    name,
    contained: false,
    state: 0,
    readOnly: false,
    trustworthy: false,
    ownerSid,
    principals: [dbo, ...roles],
    members: [],
    permissions: [],
    schemas: [{ id: 1, name: 'dbo', principalId: 1 }],
    objects: [],
    securables: [],
    ...about,
  };
}

/** On Azure SQL Database there is no msdb. */
export function newServer(saPassword: string, azure: boolean): ServerState {
  const sa = newLogin(1, 'sa', { sid: '01', password: storePassword(saPassword) });
  const roles = fixedServerRoles.map((role, index) => serverRole(index + 2, role));
  const sysadmin = roles.find((role) => role.name === 'sysadmin')?.id ?? 3;
  return {
    principals: [sa, ...roles],
    members: [{ role: sysadmin, member: sa.id }],
    permissions: [],
    databases: [
      newDatabase(1, 'master', sa.sid),
      newDatabase(2, 'tempdb', sa.sid),
      ...(azure ? [] : [newDatabase(4, 'msdb', sa.sid, { trustworthy: true })]),
    ],
  };
}

export function findLogin(state: ServerState, name: string): ServerPrincipal | undefined {
  return state.principals.find((one) => one.type !== 'R' && sameName(one.name, name));
}

export function findServerRole(state: ServerState, name: string): ServerPrincipal | undefined {
  return state.principals.find((one) => one.type === 'R' && sameName(one.name, name));
}

export function findDatabase(state: ServerState, name: string): Database | undefined {
  return state.databases.find((one) => sameName(one.name, name));
}

export function findUser(database: Database, name: string): DatabasePrincipal | undefined {
  return database.principals.find((one) => one.type !== 'R' && sameName(one.name, name));
}

export function findPrincipal(database: Database, name: string): DatabasePrincipal | undefined {
  return database.principals.find((one) => sameName(one.name, name));
}
