/** What stands in a secret that opted in by mistake: no rotator takes a file, an address or a reference for its password. */
import { describe, expect, test } from 'vitest';
import { rotators } from '../../rotators/registry.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import type { Policy } from '../../shared/engine/policy/policy.ts';
import { readValue } from '../../shared/engine/running/target.ts';

const values: readonly (readonly [claim: string, value: string])[] = [
  ['a .env file', 'DB_USER=app\nDB_PASSWORD=s3cret-value\n'],
  ['an assignment', 'DATABASE_URL=postgres://app:s3cret-value@db/shop'],
  ['Spring properties', 'spring.datasource.url=jdbc:mysql://db/shop\nspring.datasource.password=s3cret-value'],
  ['YAML', 'database:\n  user: app\n  password: s3cret-value\n'],
  ['TOML', '[database]\npassword = "s3cret-value"\n'],
  ['XML', '<add name="Shop" password="s3cret-value" />'],
  ['web.config', '<?xml version="1.0"?>\n<configuration><connectionStrings /></configuration>'],
  ['a PEM key', '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n'],
  ['a .pgpass line', 'db:5432:shop:app:s3cret-value'],
  ['a quoted URL', '"postgres://app:s3cret-value@db/shop"'],
  ['a SAS', 'sv=2024-11-04&ss=b&sig=abc%3D'],
  ['a Go DSN', 'app:s3cret-value@tcp(db)/shop'],
  ['a URL without a password', 'redis://cache:6379'],
  ['a key-vault reference', '@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/x)'],
  ['integrated security', 'Server=db;Database=shop;Integrated Security=true'],
];

function read(rotator: RotatorEntry, strategy: Strategy, value: string, format?: 'raw') {
  const policy: Policy = {
    ...{
      rotator,
      strategy,
      admin: { kind: 'self' },
      users: [],
      also: [],
      validForMs: 1,
      rotateBeforeMs: 1,
      overlapMs: 1,
    },
    ...{
      window: undefined,
      consumers: [],
      notify: undefined,
      announceMs: undefined,
      rehearseMs: undefined,
      onForeignVersion: 'report',
      manual: undefined,
      field: undefined,
      password: undefined,
      format,
      options: {},
    },
  };
  const now = new Date(0);
  const secret = {
    ...{ name: 'orders', version: 'v', value: new SecretText(value), enabled: true, tags: {} },
    ...{ createdAt: now, updatedAt: now, readAt: now },
  };
  return readValue(secret, policy);
}

const kinds = rotators.flatMap((rotator) => rotator.strategies.map((strategy) => ({ rotator, strategy })));

describe.each(kinds.map((kind) => ({ ...kind, name: kind.rotator.name })))(
  '$name with $strategy',
  ({ rotator, strategy }) => {
    test.each(values)('%s is refused with the reason', (_, value) => {
      const outcome = read(rotator, strategy, value);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'value-unreadable', class: 'config' });
      expect(JSON.stringify(outcome)).not.toContain('s3cret-value');
    });

    test.each(values)('the tag "format" = raw is believed of %s only where nothing is sent anywhere', (_, value) => {
      const outcome = read(rotator, strategy, value, 'raw');
      const holdsNeither = !/:\/\/|Server=|tcp\(|:5432|app|jdbc/.test(value);
      const believed = !strategyTraits[strategy].hasTarget || holdsNeither;
      expect(outcome.kind).toBe(believed ? 'parsed' : 'failed');
    });
  },
);

test('among them is a secret that only Keyturn itself makes', () => {
  expect(kinds.filter(({ strategy }) => !strategyTraits[strategy].hasTarget)).not.toEqual([]);
});
