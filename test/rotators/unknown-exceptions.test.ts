/** An exception of a driver that nobody expected, with a password in its message: no rotator tells it to anybody. */
import { describe, expect, test } from 'vitest';
import { faultOf as mysqlFault } from '../../rotators/mysql/fault.ts';
import { faultOf as postgresFault } from '../../rotators/postgres/fault.ts';
import { faultOfConnection, faultOfReply, secretsIn } from '../../rotators/redis/fault.ts';
import { faultOf as sqlServerFault } from '../../rotators/sql-server/fault.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { noAnswer } from '../../shared/http/client.ts';
import { findSecrets } from '../canary.ts';

const signal = new AbortController().signal;

/** The second is a word of the sentence that it stands in. */
const passwords = ['kt-"canary" 1', 'password'];

const messageWith = (password: string) =>
  `authentication of the password ${password} (${encodeURIComponent(password)}) failed`;

function exceptions(password: string): readonly (readonly [string, unknown])[] {
  const message = messageWith(password);
  const more = { code: 'EODD', sql: password, parameters: [password], config: { password } };
  return [
    ['an error', new Error(message)],
    [
      'an error with everything that drivers hang onto it',
      Object.assign(new Error(message, { cause: new Error(message) }), more),
    ],
    [
      'an error of a server',
      Object.assign(new Error(message), { errno: 1064, sqlState: '42000', number: 102, ...more }),
    ],
    ['a text', message],
  ];
}

type Tell = (error: unknown, secret: SecretText) => unknown;

const redis = (error: unknown, command: string, args: readonly string[]) =>
  faultOfReply({ node: 'db:6379', command, args, error, broken: undefined, signal, secrets: secretsIn(command, args) });

function replyOf(error: unknown): unknown {
  return error instanceof Error ? Object.assign(error, { name: 'ReplyError' }) : error;
}

const tellers: Readonly<Record<string, Tell>> = {
  postgres: (error, secret) => postgresFault(error, [secret]),
  'mysql, at the login': (error, secret) => mysqlFault('db:3306', error, 'login', [secret], false),
  'mysql, later': (error, secret) => mysqlFault('db:3306', error, 'statement', [secret], false),
  'sql-server': (error, secret) => sqlServerFault(error, [secret]),
  'redis, AUTH': (error, secret) => redis(replyOf(error), 'AUTH', ['app', secret.reveal()]),
  'redis, ACL SETUSER': (error, secret) =>
    redis(replyOf(error), 'ACL', ['SETUSER', 'app', 'on', `>${secret.reveal()}`]),
  'redis, CONFIG SET': (error, secret) => redis(replyOf(error), 'CONFIG', ['SET', 'masterauth', secret.reveal()]),
  'redis, no reply': (error, secret) => redis(error, 'AUTH', [secret.reveal()]),
  'redis, a socket': (error, secret) => faultOfConnection('db:6379', error, signal, [secret]),
  'azure-keys, entra-app and http-keys': (error) => noAnswer(error, signal),
};

describe.each(Object.entries(tellers))('%s', (_, tell) => {
  test.each(passwords.flatMap((password) => exceptions(password).map(([name, error]) => ({ name, password, error }))))(
    'tells nothing of $name with "$password"',
    ({ password, error }) => {
      const told = tell(error, new SecretText(password));
      expect(findSecrets(told, [messageWith(password)])).toEqual([]);
      expect(JSON.stringify([told, told instanceof Error ? told.message : ''])).not.toContain(
        `the password ${password}`,
      );
      if (password.includes('canary')) expect(findSecrets(told, [password])).toEqual([]);
    },
  );
});

test('a refusal of Redis that quotes no secret is told, without the arguments', () => {
  const error = replyOf(new Error('NOPERM User orders has no permissions to run the command'));
  expect(redis(error, 'ACL', ['SETUSER', 'app', 'on'])).toMatchObject({
    fault: 'forbidden',
    detail: 'NOPERM User orders has no permissions to run the command',
  });
});
