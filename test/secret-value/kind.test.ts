/** What a secret is taken for, and what it never is taken for. */
import { describe, expect, it } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { guessKind } from '../../shared/secret-value/kind.ts';

const ofValue = (value: string, name = 'thing') => guessKind({ name, tags: {}, value: new SecretText(value) });

describe('the kind of a secret', () => {
  it.each([
    ['postgres://app:pw-canary-1@db.test/orders', 'postgres'],
    ['Host=db.test;Username=app;Password=pw-canary-1;Database=orders', 'postgres'],
    ['host=db.test dbname=orders user=app password=pw-canary-1', 'postgres'],
    ['jdbc:mysql://db.test/orders?user=app&password=pw-canary-1', 'mysql'],
    ['Server=x.mysql.database.azure.com;Uid=app;Pwd=pw-canary-1', 'mysql'],
    ['Server=tcp:x.database.windows.net,1433;User ID=app;Password=pw-canary-1', 'sql-server'],
    ['{"engine":"postgres","host":"db.test","username":"app","password":"pw-canary-1"}', 'postgres'],
    ['cache.test:6380,password=pw-canary-1,ssl=True', 'redis'],
    ['rediss://app:pw-canary-1@cache.test:6380', 'redis'],
    [
      'DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=cHctY2FuYXJ5LTE=;EndpointSuffix=core.windows.net',
      'azure-keys',
    ],
    [
      'Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=cHctY2FuYXJ5LTE=',
      'azure-keys',
    ],
    ['abc8Q~0123456789abcdefghijklmnopqrstuvwxyzAB', 'entra-app'],
    ['SG.0123456789abcdefXY.0123456789abcdefghijklmnopqrstuvwxyz', 'http-keys'],
    ['-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----', 'manual'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'manual'],
  ])('is told from the value: %s', (value, rotator) => {
    const kind = ofValue(value);
    expect(kind).toMatchObject({ rotator, because: 'value', sure: true });
    expect(JSON.stringify(kind)).not.toContain('canary');
  });

  it.each([
    ['orders-pg-password', 'postgres'],
    ['OrdersRedisCache', 'redis'],
    ['webhook-signing-key', 'self-issued'],
    ['billing-client-secret', 'entra-app'],
  ])('is guessed from the name %s, and never for sure', (name, rotator) => {
    expect(guessKind({ name, tags: {} })).toMatchObject({ rotator, because: 'name', sure: false });
    expect(ofValue('hunter2', name)).toMatchObject({ rotator, because: 'name', sure: false });
  });

  it.each([
    ['mongodb://app:x@db.test/orders'],
    ['a note: ask Jane for the password'],
    ['0123456789abcdef0123456789abcdef'],
    [''],
  ])('without a rotator that fits is said to have none: %s', (value) => {
    expect(ofValue(value).rotator).toBeUndefined();
  });

  it('follows a tag before anything else', () => {
    const value = new SecretText('postgres://a:b@c.test/d');
    expect(guessKind({ name: 'x', tags: { rotator: 'redis' }, value })).toMatchObject({
      rotator: 'redis',
      because: 'tag',
    });
    expect(guessKind({ name: 'x', tags: { serves: '*' }, value })).toMatchObject({
      rotator: undefined,
      because: 'tag',
    });
  });
});
