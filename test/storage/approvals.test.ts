/** Requests that wait for a second person, on a real table. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAzurite } from '../../local/azurite.ts';
import type { Approval } from '../../shared/contract/approvals.ts';
import type { RotationRecord } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { expireApprovals } from '../../shared/operations/expire-approvals.ts';
import { connectStorage } from '../../shared/storage/connect.ts';
import { tableApprovals } from '../../shared/storage/state/approvals.ts';
import { Records } from '../../shared/storage/state/records.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let records: Records;

beforeAll(async () => {
  azurite = await startAzurite();
  const value = new SecretText(azurite.connectionString);
  records = new Records(connectStorage({ kind: 'connection-string', value }, { getToken: async () => null }));
});
afterAll(() => azurite.close());

const at = new Date('2026-03-01T02:14:08Z');
const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000);

function request(id: string, more: Partial<Approval> = {}): Approval {
  return {
    ...{ id: id.repeat(32), action: 'emergency', vault: 'contoso-kv', secret: 'orders-db', body: '{}' },
    ...{ fingerprint: 'f', reason: 'ticket 4711', at, expiresAt: later(60), state: 'waiting' },
    requester: { id: 'entra:ann', name: 'ann', grants: [{ role: 'emergency', scope: { vaults: '*', secrets: '*' } }] },
    ...more,
  };
}

const by = (name: string) => ({ id: `entra:${name}`, name, at: later(1) });

describe('a request that waits', () => {
  test('is kept once, and given back as it is', async () => {
    const approvals = tableApprovals(records);
    const one = request('a');
    expect(await approvals.add(one)).toEqual({ kind: 'waiting', approval: one });
    expect(await approvals.add({ ...one, reason: 'another' })).toEqual({ kind: 'known', approval: one });
    expect(await approvals.get(one.id)).toEqual({ kind: 'got', approval: one });
    expect(await approvals.get('9'.repeat(32))).toEqual({ kind: 'got', approval: undefined });
  });

  test('is decided by one of any number who try at the same moment', async () => {
    const approvals = tableApprovals(records);
    const one = request('b');
    await approvals.add(one);
    const tries = await Promise.all(['ben', 'cem', 'dua', 'eve'].map((name) => approvals.decide(one.id, by(name))));
    const first = tries.filter((each) => each.kind === 'decided' && !each.before);
    expect(first).toHaveLength(1);
    const names = tries.map((each) => (each.kind === 'decided' ? each.approval.approver?.name : each.kind));
    expect(new Set(names).size).toBe(1);
    expect(await approvals.decide(one.id, undefined)).toMatchObject({ before: true, approval: { state: 'approved' } });
  });

  test('that was lost is decided by nobody', async () => {
    const approvals = tableApprovals(records);
    await approvals.add(request('c'));
    await approvals.forget(request('c').id);
    expect(await approvals.decide(request('c').id, by('ben'))).toEqual({ kind: 'unknown' });
  });

  test('and that nobody approved in time ends in the history, and cannot be approved any more', async () => {
    const approvals = tableApprovals(records);
    const [one, fresh] = [request('d'), request('e', { expiresAt: later(600) })];
    await approvals.add(one);
    await approvals.add(fresh);
    const written: RotationRecord[] = [];
    const history = {
      record: async (record: RotationRecord) => {
        written.push(record);
        return { kind: 'recorded' as const };
      },
      of: async () => ({ kind: 'listed' as const, records: [] }),
      rotation: async () => ({ kind: 'listed' as const, records: [] }),
    };
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const deps = { approvals, history, log: quiet };
    for (const _time of ['first', 'second']) await expireApprovals({ ...deps, now: () => later(61) });
    expect(written.filter(({ rotationId }) => rotationId === one.id)).toMatchObject([
      { outcome: 'skipped', requestedBy: 'ann', detail: expect.stringContaining('nobody approved it') },
    ]);
    expect(await approvals.decide(one.id, by('ben'))).toMatchObject({ before: true, approval: { state: 'expired' } });
    expect(await approvals.get(fresh.id)).toMatchObject({ approval: { state: 'waiting' } });
    await expireApprovals({ ...deps, now: () => later(61 * 24 * 60) });
    expect(await approvals.get(one.id), 'after a month').toEqual({ kind: 'got', approval: undefined });
  });
});
