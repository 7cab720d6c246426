import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClock, type VaultEvent, type VaultEventType } from '../../local/vault/index.ts';
import { LocalVault } from '../../local/vault/local-vault.ts';
import { clientFor, raw, vaultFor } from './helpers.ts';

const created = 'Microsoft.KeyVault.SecretNewVersionCreated';
const near = 'Microsoft.KeyVault.SecretNearExpiry';
const expired = 'Microsoft.KeyVault.SecretExpired';
const dayMs = 86_400_000;
const day = 86_400;

/** A vault whose events of expiry are written down as `DAY type name`, the day counted from its start. */
function watched(types: readonly VaultEventType[] = [near, expired]) {
  const clock = createClock();
  const vault = new LocalVault({ clock }, 'http://127.0.0.1:1');
  clock.onMove(() => vault.evaluate());
  const told: string[] = [];
  const start = clock.nowMs();
  const today = () => Math.round((clock.nowMs() - start) / dayMs);
  const stop = vault.onEvent(
    ({ eventType, subject }) =>
      told.push(`${today()} ${eventType.slice('Microsoft.KeyVault.Secret'.length)} ${subject}`),
    types,
  );
  const inDays = (days: number) => Math.floor(start / 1000) + days * day;
  /** Lets days pass one by one, as a clock does. */
  const pass = (days: number) => {
    for (let n = 0; n < days; n++) clock.advance(dayMs);
  };
  return { vault, clock, told, stop, inDays, pass };
}

const idOf = (vault: LocalVault, name: string) => vault.versions(name).at(-1)?.id ?? '';
const patch = (vault: LocalVault, name: string, body: object) =>
  vault.perform(
    {
      route: { operation: 'update', name, version: idOf(vault, name) },
      address: `http://127.0.0.1:1/secrets/${name}`,
      query: new URLSearchParams(),
      body: Buffer.from(JSON.stringify(body)),
    },
    'http://127.0.0.1:1',
  );
const act = (vault: LocalVault, operation: 'delete' | 'recover', name: string) =>
  vault.perform(
    { route: { operation, name }, address: 'http://127.0.0.1:1', query: new URLSearchParams(), body: Buffer.alloc(0) },
    'http://127.0.0.1:1',
  );

interface Case {
  readonly claim: string;
  readonly run: (at: ReturnType<typeof watched>) => void;
  readonly told: readonly string[];
}

const cases: readonly Case[] = [
  {
    claim: 'near-expiry comes 30 days before expiry, expired at expiry, each once',
    run: ({ vault, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(90) });
      pass(100);
    },
    told: ['60 NearExpiry a', '90 Expired a'],
  },
  {
    claim: 'a lifetime of 30 days or less is near its expiry at once',
    run: ({ vault, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(7) });
      vault.evaluate();
      pass(8);
    },
    told: ['0 NearExpiry a', '7 Expired a'],
  },
  {
    claim: 'one jump over both moments tells both, in order, secret by secret as they fall due',
    run: ({ vault, clock, inDays }) => {
      vault.put('late', { value: 'x', expiresSeconds: inDays(80) });
      vault.put('early', { value: 'x', expiresSeconds: inDays(60) });
      clock.advance(200 * dayMs);
    },
    told: ['200 NearExpiry early', '200 NearExpiry late', '200 Expired early', '200 Expired late'],
  },
  {
    claim: 'no expiry, no event',
    run: ({ vault, pass }) => {
      vault.put('a', { value: 'x' });
      pass(100);
    },
    told: [],
  },
  {
    claim: 'a disabled version expires like any other',
    run: ({ vault, inDays, pass }) => {
      vault.put('a', { value: 'x', enabled: false, expiresSeconds: inDays(40) });
      pass(41);
    },
    told: ['10 NearExpiry a', '40 Expired a'],
  },
  {
    claim: 'only the current version is told of: a replaced one goes quietly',
    run: ({ vault, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(40) });
      pass(11);
      vault.put('a', { value: 'y', expiresSeconds: inDays(111) });
      pass(100);
    },
    told: ['10 NearExpiry a', '81 NearExpiry a', '111 Expired a'],
  },
  {
    claim: 'a changed expiry counts, the old one no more',
    run: ({ vault, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(40) });
      patch(vault, 'a', { attributes: { exp: inDays(60) } });
      pass(61);
    },
    told: ['30 NearExpiry a', '60 Expired a'],
  },
  {
    claim: 'an expiry moved away and back, and moved again after the event, is told once per version',
    run: ({ vault, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(40) });
      patch(vault, 'a', { attributes: { exp: inDays(60) } });
      patch(vault, 'a', { attributes: { exp: inDays(40) } });
      pass(20);
      patch(vault, 'a', { attributes: { exp: inDays(90) } });
      pass(80);
    },
    told: ['10 NearExpiry a', '90 Expired a'],
  },
  {
    claim: 'a deleted secret is silent; recovered, it tells what it missed',
    run: ({ vault, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(40) });
      act(vault, 'delete', 'a');
      pass(20);
      act(vault, 'recover', 'a');
      pass(21);
    },
    told: ['21 NearExpiry a', '40 Expired a'],
  },
  {
    claim: 'after the subscription has ended nothing is told',
    run: ({ vault, stop, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(40) });
      stop();
      pass(41);
    },
    told: [],
  },
  {
    claim: 'a clock moved back tells nothing again',
    run: ({ vault, clock, inDays, pass }) => {
      vault.put('a', { value: 'x', expiresSeconds: inDays(40) });
      pass(15);
      clock.advance(-10 * dayMs);
      pass(10);
    },
    told: ['10 NearExpiry a'],
  },
];

describe('expiry events', () => {
  test.for(cases)('$claim', ({ run, told }) => {
    const at = watched();
    run(at);
    expect(at.told).toEqual(told);
  });

  test('a version older than the subscription is never told of, whatever happens to it; a newer one is', () => {
    const { vault, inDays, pass } = watched();
    vault.put('a', { value: 'x', expiresSeconds: inDays(40) });
    const late: string[] = [];
    vault.onEvent(({ eventType, data }) => late.push(`${eventType} ${data.ObjectName}`));
    patch(vault, 'a', { attributes: { exp: inDays(50) } });
    vault.put('b', { value: 'x', expiresSeconds: inDays(50) });
    pass(51);
    expect(late).toEqual([`${created} b`, `${near} b`, `${expired} b`]);
  });

  test('of any set of expiries each is told exactly once, in the order they fall due', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -10, max: 400 }), { maxLength: 60 }), (lifetimes) => {
        const clock = createClock();
        const vault = new LocalVault({ clock }, 'http://127.0.0.1:1');
        const told: VaultEvent[] = [];
        vault.onEvent((event) => told.push(event), [expired]);
        const start = clock.nowSeconds();
        for (const [n, days] of lifetimes.entries())
          vault.put(`s-${n}`, { value: 'x', expiresSeconds: Math.max(0, start + days * day) });
        clock.advance(401 * dayMs);
        vault.evaluate();
        vault.evaluate();
        const order = told.map(({ data }) => data.EXP ?? 0);
        return (
          new Set(told.map(({ subject }) => subject)).size === lifetimes.length &&
          told.length === lifetimes.length &&
          order.every((at, n) => n === 0 || (order[n - 1] ?? 0) <= at)
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('events of an emulator', () => {
  test('each new version is told at once, in the documented shape and without its value', async () => {
    const vault = await vaultFor({ name: 'my-vault' });
    const told: VaultEvent[] = [];
    vault.onEvent((event) => told.push(event));
    const expiresOn = new Date(Math.floor(Date.now() / 1000) * 1000 + 400 * dayMs);
    const { properties } = await clientFor(vault).setSecret('orders-db', 'canary', {
      expiresOn,
      tags: { t: 'canary' },
    });
    expect(told).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        topic: expect.stringMatching(/\/providers\/Microsoft\.KeyVault\/vaults\/my-vault$/),
        subject: 'orders-db',
        eventType: created,
        eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        dataVersion: '1',
        metadataVersion: '1',
        data: {
          Id: properties.id,
          VaultName: 'my-vault',
          ObjectType: 'Secret',
          ObjectName: 'orders-db',
          Version: properties.version,
          NBF: null,
          EXP: expiresOn.getTime() / 1000,
        },
      },
    ]);
    expect(JSON.stringify(told)).not.toContain('canary');
  });

  test('when the clock has been moved the events have been told, with the time of the vault', async () => {
    const vault = await vaultFor();
    const told: VaultEvent[] = [];
    vault.onEvent((event) => told.push(event), [near]);
    vault.put('orders-db', { value: 'x', expiresSeconds: vault.clock.nowSeconds() + 90 * day });
    vault.clock.advance(60 * dayMs);
    expect(told).toHaveLength(1);
    expect(Math.abs(Date.parse(told[0]?.eventTime ?? '') - vault.clock.nowMs())).toBeLessThan(60_000);
  });

  test('without a move the emulator looks by itself', async () => {
    const vault = await vaultFor({ tickMs: 5 });
    const told = new Promise<VaultEvent>((resolve) => vault.onEvent(resolve, [near]));
    await raw(vault, 'PUT', '/secrets/short', {
      body: { value: 'x', attributes: { exp: vault.clock.nowSeconds() + day } },
    });
    expect(await told).toMatchObject({ subject: 'short', eventType: near });
  });

  test('two vaults on one clock move together and name themselves', async () => {
    const clock = createClock();
    const told: string[] = [];
    for (const name of ['north', 'south']) {
      const vault = await vaultFor({ name, clock });
      vault.onEvent(({ data }) => told.push(data.VaultName), [near]);
      vault.put('orders-db', { value: 'x', expiresSeconds: clock.nowSeconds() + 40 * day });
    }
    clock.advance(10 * dayMs);
    expect(told.sort()).toEqual(['north', 'south']);
  });
});

describe('clock', () => {
  test('advances, is set, goes back to real time, and runs on', () => {
    const clock = createClock();
    clock.advance(dayMs);
    expect(clock.offsetMs).toBe(dayMs);
    clock.set(new Date('2040-05-06T07:08:09Z'));
    expect(clock.now().toISOString()).toMatch(/^2040-05-06T07:0[89]/);
    expect(clock.nowSeconds()).toBe(Math.floor(clock.nowMs() / 1000));
    clock.reset();
    expect(clock.offsetMs).toBe(0);
  });

  test.for([Number.NaN, Number.POSITIVE_INFINITY, 1e18])('a move by %s is refused and moves nothing', (ms) => {
    const clock = createClock();
    expect(() => clock.advance(ms)).toThrow(RangeError);
    expect(() => clock.set(new Date(Number.NaN))).toThrow(/valid date/);
    expect(clock.offsetMs).toBe(0);
  });
});
