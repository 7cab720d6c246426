import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { ConsumerError, SecretText } from '../../consumer/index.ts';
import { rotatingPgPool } from '../../consumer/pg.ts';
import { isThisMachine, readConnectionValue } from '../../consumer/pools/connection-value.ts';
import { findSecrets } from '../canary.ts';
import { vaultWith, watched } from './helpers.ts';

const read = (value: string) => readConnectionValue(new SecretText(value), 'orders-db', ['postgres', 'postgresql']);

describe('the value of a secret as a connection', () => {
  it.each([
    [
      'postgres://app:p%40ss@db.example:5433/orders?sslmode=disable',
      { host: 'db.example', port: 5433, user: 'app', password: 'p@ss', database: 'orders', tls: false },
    ],
    [
      'postgresql://app@tenant:pw@db.example/orders?sslmode=verify-full&application_name=x',
      { host: 'db.example', user: 'app@tenant', password: 'pw', database: 'orders', tls: true },
    ],
    [
      'postgres://app:pw@[::1]/orders?sslmode=no-verify',
      { host: '::1', user: 'app', password: 'pw', database: 'orders', tls: true, unchecked: true },
    ],
    [
      '{"host":"db.example","port":5432,"username":"app","password":"p\\"w","dbname":"orders","ssl":true}',
      { host: 'db.example', port: 5432, user: 'app', password: 'p"w', database: 'orders', tls: true },
    ],
    ['{"SERVER":"db.example","User_Id":"app","PWD":"pw"}', { host: 'db.example', user: 'app', password: 'pw' }],
    [
      '{"url":"postgres://app:pw@db.example/orders"}',
      { host: 'db.example', user: 'app', password: 'pw', database: 'orders' },
    ],
    ['just-a-password', { password: 'just-a-password' }],
    [' a password with blanks: it is taken as it is ', { password: ' a password with blanks: it is taken as it is ' }],
  ])('%s is read', (value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  it.each([
    ['mysql://app:canary-pw@h/d', 'scheme'],
    ['postgres://app:canary%zzpw@h/d', 'percent sign'],
    ['postgres://app:canary-pw@h:port/d', 'no URI'],
    ['postgres://app@h/canary-pw', 'no password'],
    ['{"password": canary-pw}', 'begins as JSON'],
    ['{"user":"app","secret-word":"canary-pw"}', '"password"'],
    ['{"password":"canary-pw","port":"canary"}', '"port"'],
    ['Host=h;Username=app;Password=canary-pw', '"connect"'],
  ])('%s is refused with the reason and without the value', (value, words) => {
    let thrown: unknown;
    try {
      read(value);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConsumerError);
    expect(String(thrown)).toContain(words);
    expect(findSecrets(thrown, ['canary'])).toEqual([]);
  });

  it('any user and password come out of a URI and of JSON as they went in', () => {
    const text = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }).filter((one) => one.isWellFormed());
    fc.assert(
      fc.property(text, text, (user, password) => {
        const uri = `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/d`;
        expect(read(uri)).toMatchObject({ user, password });
        expect(read(JSON.stringify({ user, password }))).toMatchObject({ user, password });
      }),
    );
  });

  it('only this machine is spoken to without TLS unasked', () => {
    expect(['localhost', '127.0.0.1', '127.8.9.1', '::1', undefined].every(isThisMachine)).toBe(true);
    expect(['127.0.0.1.example', 'localhost.example', '10.0.0.1', '::2', ''].some(isThisMachine)).toBe(false);
  });

  it.each([
    ['the value', 'postgres://app:pw@db.example/orders', {}, true],
    ['the options', 'just-a-password', { host: 'db.example', user: 'app' }, true],
    ['nobody', 'just-a-password', { user: 'app' }, undefined],
    ['the value, which wants no TLS', 'postgres://app:pw@db.example/orders?sslmode=disable', {}, undefined],
  ])(
    'a pool for a host named by %s: TLS that is verified, or not as asked for',
    async (_who, value, options, verified) => {
      const { secret } = await watched(await vaultWith(value));
      const configs: pg.PoolConfig[] = [];
      class Recorder extends pg.Pool {
        constructor(config: pg.PoolConfig) {
          super({ ...config, host: '127.0.0.1', port: 1 });
          configs.push(config);
        }
      }
      await expect(rotatingPgPool({ secret, options, driver: { Pool: Recorder } })).rejects.toThrow('No login');
      expect(configs.map((config) => Reflect.get(Object(config.ssl), 'rejectUnauthorized'))).toEqual([verified]);
    },
  );
});
