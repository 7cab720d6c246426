/** `keyturn value`: a secret's value is edited as a rotation would edit it, by a person, while the app is down. */
import { describe, expect, it } from 'vitest';
import { formats } from '../../shared/secret-value/index.ts';
import { keyturn } from './harness.ts';

const password = 'Kt1-new-password';
const env = { NEW: password };
const replace = ['value', 'replace', '--login', 'orders_app_alt', '--password-env', 'NEW'];

const written: Readonly<Record<(typeof formats)[number], readonly [string, string]>> = {
  raw: ['the-old-password\n', `${password}\n`],
  json: [
    '{ "username": "orders_app", "password": "the-old-password", "host": "db.example" }',
    `{ "username": "orders_app_alt", "password": "${password}", "host": "db.example" }`,
  ],
  uri: [
    'postgres://orders_app:the-old-password@db.example:5432/orders?sslmode=require',
    `postgres://orders_app_alt:${password}@db.example:5432/orders?sslmode=require`,
  ],
  libpq: [
    "host=db.example dbname=orders user=orders_app password='the-old-password'",
    `host=db.example dbname=orders user=orders_app_alt password='${password}'`,
  ],
  'ado-net': [
    'Server=tcp:db.example,1433;Database=orders;User ID=orders_app;Password=the-old-password',
    `Server=tcp:db.example,1433;Database=orders;User ID=orders_app_alt;Password=${password}`,
  ],
  'stackexchange-redis': [
    'db.example:6380,user=orders_app,password=the-old-password,ssl=True',
    `db.example:6380,user=orders_app_alt,password=${password},ssl=True`,
  ],
};

describe('keyturn value', () => {
  it.each(formats)('puts login and password into %s and leaves every other byte', async (format) => {
    const [before, after] = written[format];
    // A raw value has no place for a login.
    const words = format === 'raw' ? ['value', 'replace', '--password-env', 'NEW'] : replace;
    const outcome = await keyturn(words, { env, input: before });
    expect(outcome).toEqual({ exit: 0, err: '', out: after });
  });

  it('prints the login in use, and nothing else of the value', async () => {
    const outcome = await keyturn(['value', 'login'], { input: written.uri[0] });
    expect(outcome).toEqual({ exit: 0, err: '', out: 'orders_app' });
  });

  it('does not show a new value on a terminal', async () => {
    const outcome = await keyturn(replace, { env, input: written.uri[0], columns: 80 });
    expect(outcome).toMatchObject({ exit: 2, out: '' });
    expect(outcome.err).not.toContain(password);
  });

  it.each([
    ['a value that cannot be read', replace, 'DATABASE_URL=postgres://app:the-old-password@db/x', 1],
    ['no value', replace, '', 2],
    ['no password', ['value', 'replace'], written.raw[0], 2],
    ['a variable that is not set', ['value', 'replace', '--password-env', 'OLD'], written.raw[0], 2],
    ['another word', ['value', 'show'], written.raw[0], 2],
  ])('refuses %s and quotes none of it', async (_, words, input, exit) => {
    const outcome = await keyturn(words, { env, input });
    expect(outcome).toMatchObject({ exit, out: '' });
    expect(outcome.err).not.toContain('the-old-password');
    expect(outcome.err).not.toContain(password);
  });
});
