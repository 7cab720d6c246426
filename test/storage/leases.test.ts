import { BlobLeaseClient, BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { type Lease, type LeasesHeld, leaseMs } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { Bug, failure } from '../../shared/errors.ts';
import { BlobLeases, type LeaseTiming, leaseContainer, rememberedLeases } from '../../shared/storage/blob-leases.ts';
import { connectStorage } from '../../shared/storage/connect.ts';

const noCredential = { getToken: async () => null };
let azurite: Azurite;
const held: Lease[] = [];

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(async () => {
  await Promise.all(held.map((lease) => lease.release()));
  await azurite.close();
});

function leases(timing?: Partial<LeaseTiming>): BlobLeases {
  const value = new SecretText(azurite.connectionString);
  const clients = connectStorage({ kind: 'connection-string', value }, noCredential);
  const real = { elapsedMs: () => performance.now(), wallMs: () => Date.now(), renewEveryMs: leaseMs / 3 };
  return new BlobLeases(clients, { ...real, ...timing });
}

async function take(from: BlobLeases, secret: string): Promise<Lease> {
  const outcome = await from.acquire('contoso', secret);
  if (outcome.kind !== 'held') throw new Error(`not held: ${JSON.stringify(outcome)}`);
  held.push(outcome.lease);
  return outcome.lease;
}

/** Takes the lease away, as when it had run out and another worker had taken it. */
async function steal(secret: string): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(leaseContainer);
  await container.getBlobClient(`contoso/${secret}`).getBlobLeaseClient().breakLease(0);
}

describe('a lease', () => {
  it('is held by one worker, busy for another, and free again after the release', async () => {
    const first = await take(leases(), 'one');
    expect(await leases().acquire('contoso', 'one')).toEqual({ kind: 'busy' });
    await first.release();
    expect(first.remainingMs()).toBe(0);
    expect((await take(leases(), 'one')).remainingMs()).toBeGreaterThan(0);
  });

  it('of many workers at once on a new secret goes to exactly one', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => leases().acquire('contoso', 'rush')));
    for (const outcome of outcomes) if (outcome.kind === 'held') held.push(outcome.lease);
    expect(outcomes.map((one) => one.kind).sort()).toEqual([...Array(7).fill('busy'), 'held']);
  });

  it('is of one secret only, and of its name in any case', async () => {
    await take(leases(), 'Orders-DB');
    expect(await leases().acquire('CONTOSO', 'orders-db')).toEqual({ kind: 'busy' });
    await take(leases(), 'orders-db2');
  });

  it('counts from before its request was sent', async () => {
    await (await take(leases(), 'slow')).release();
    const times = [1_000, 9_000];
    const lease = await take(leases({ elapsedMs: () => times.shift() ?? 9_000, wallMs: () => 0 }), 'slow');
    expect(lease.remainingMs()).toBe(leaseMs - 8_000);
  });

  it.each([
    ['the monotonic clock', leaseMs + 1, 0],
    ['only the clock of the machine, as after a freeze', 0, leaseMs + 1],
  ])('has no time left when %s says so', async (name, elapsed, wall) => {
    const now = { elapsed: 0, wall: 0 };
    const lease = await take(leases({ elapsedMs: () => now.elapsed, wallMs: () => now.wall }), `gone-${name.length}`);
    expect(lease.remainingMs()).toBe(leaseMs);
    Object.assign(now, { elapsed, wall });
    expect(lease.remainingMs()).toBeLessThanOrEqual(0);
  });

  it('gains time by renewing while it is held', async () => {
    const now = { elapsed: 0 };
    const lease = await take(leases({ elapsedMs: () => now.elapsed, wallMs: () => 0, renewEveryMs: 10 }), 'renewed');
    now.elapsed = leaseMs / 2;
    await vi.waitFor(() => expect(lease.remainingMs()).toBe(leaseMs), { timeout: 10_000 });
    await lease.release();
  });

  it('whose renewal is a mistake in Keyturn is kept for the time that is left, and the worker is told at its release', async () => {
    const renew = vi
      .spyOn(BlobLeaseClient.prototype, 'renewLease')
      .mockRejectedValueOnce(new TypeError('not a function'));
    try {
      const lease = await take(leases({ renewEveryMs: 10 }), 'mistaken');
      await vi.waitFor(() => expect(renew).toHaveBeenCalled(), { timeout: 10_000 });
      expect(lease.remainingMs()).toBeGreaterThan(0);
      await expect(lease.release()).rejects.toThrow(Bug);
      held.pop();
    } finally {
      renew.mockRestore();
    }
    expect((await take(leases(), 'mistaken')).remainingMs()).toBeGreaterThan(0);
  });

  it('that another worker took has no time left as soon as it is renewed', async () => {
    const lease = await take(leases({ renewEveryMs: 10 }), 'stolen');
    await steal('stolen');
    const other = await take(leases(), 'stolen');
    await vi.waitFor(() => expect(lease.remainingMs()).toBe(0), { timeout: 10_000 });
    await lease.release();
    expect(other.remainingMs()).toBeGreaterThan(0);
    expect(await leases().acquire('contoso', 'stolen')).toEqual({ kind: 'busy' });
  });
});

describe('the leases that are held', () => {
  it('are listed by vault, while they are held', async () => {
    const [one, two] = [await take(leases(), 'Held-One'), await take(leases(), 'held-two')];
    await two.release();
    expect(await leases().held('contoso')).toMatchObject({ kind: 'held' });
    const listed = await leases().held('Contoso');
    const names = listed.kind === 'held' ? [...listed.secrets] : [];
    expect([names.includes('held-one'), names.includes('held-two')]).toEqual([true, false]);
    expect(await leases().held('fabrikam')).toEqual({ kind: 'held', secrets: new Set() });
    await one.release();
  });

  it('are remembered for a moment, and not when they could not be listed', async () => {
    let [now, asked] = [0, 0];
    const answers = [failure('storage-unreachable', { secret: 'x', detail: 'away' }), undefined];
    const source: LeasesHeld = {
      held: async () => answers[asked++] ?? { kind: 'held', secrets: new Set(['a']) },
    };
    const remembered = rememberedLeases(source, 1_000, () => now);
    expect(await remembered.held('contoso')).toMatchObject({ kind: 'failed' });
    for (let time = 0; time < 3; time++) expect(await remembered.held('contoso')).toMatchObject({ kind: 'held' });
    expect(asked).toBe(2);
    now = 1_000;
    await remembered.held('contoso');
    expect(asked).toBe(3);
  });
});

describe('a storage account that does not answer', () => {
  it('is named, without its key', async () => {
    const gone = await startAzurite();
    const value = new SecretText(gone.connectionString);
    const orphan = new BlobLeases(connectStorage({ kind: 'connection-string', value }, noCredential));
    const lease = await take(orphan, 'orphan');
    await gone.close();
    const outcome = await orphan.acquire('contoso', 'other');
    expect(outcome).toMatchObject({ kind: 'failed', code: 'storage-unreachable', class: 'retry' });
    expect(JSON.stringify(outcome)).not.toContain(gone.key);
    await expect(lease.release()).resolves.toBeUndefined();
  });
});
