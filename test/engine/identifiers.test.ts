import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPendingName, labelOf, pendingNameOf, rotationIdOf } from '../../shared/engine/policy/identifiers.ts';

const names = fc.stringMatching(/^[0-9a-zA-Z-]{1,127}$/);
const version = 'a'.repeat(32);

describe('the id of an automatic rotation', () => {
  test('is the same for all duplicates, however vault and name are written', () => {
    expect(rotationIdOf('Contoso-KV', 'Orders-DB', version)).toBe(rotationIdOf('contoso-kv', 'orders-db', version));
    expect(rotationIdOf('contoso-kv', 'orders-db', version)).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([
    ['another vault', ['other', 'orders-db', version]],
    ['another secret', ['contoso-kv', 'orders-d', version]],
    ['another version', ['contoso-kv', 'orders-db', 'b'.repeat(32)]],
    ['parts that run into each other', ['contoso-kvorders-db', '', version]],
  ] as const)('differs for %s', (_, [vault, secret, of]) => {
    expect(rotationIdOf(vault, secret, of)).not.toBe(rotationIdOf('contoso-kv', 'orders-db', version));
  });
});

describe('the label at a provider', () => {
  test('is 63 letters, digits and dashes at most, for any name', () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(labelOf('contoso-kv', name, version)).toMatch(/^[0-9a-zA-Z-]{1,63}$/);
      }),
    );
  });

  test('tells names apart that begin alike', () => {
    const long = 'n'.repeat(126);
    expect(labelOf('kv', `${long}a`, version)).not.toBe(labelOf('kv', `${long}b`, version));
  });
});

describe('the name of the stored candidate', () => {
  test('is legal, known as one, and never the name of the secret itself', () => {
    fc.assert(
      fc.property(names, (name) => {
        const pending = pendingNameOf(name);
        expect(pending).toMatch(/^[0-9a-zA-Z-]{1,127}$/);
        expect(isPendingName(pending)).toBe(true);
        expect(pending).not.toBe(name);
      }),
    );
  });

  test.each([1, 117, 118, 119, 126, 127])('a name of %i characters has one of its own', (length) => {
    const pending = pendingNameOf('n'.repeat(length));
    expect(pending.length).toBeLessThanOrEqual(127);
    expect(pending).not.toBe(pendingNameOf(`${'n'.repeat(length - 1)}m`));
  });

  test('an ordinary name is not taken for one', () => {
    expect(isPendingName('orders-db')).toBe(false);
    expect(isPendingName('pending')).toBe(false);
    expect(isPendingName('orders-keyturn-pending-db')).toBe(false);
  });
});
