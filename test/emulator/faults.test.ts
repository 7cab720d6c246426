import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../local/vault/index.ts';
import { clientFor, failure, raw, vaultFor } from './helpers.ts';

const put = { body: { value: 'canary' } };

describe('faults', () => {
  test('a connection cut before the effect: the write is not there', async () => {
    const vault = await vaultFor();
    vault.faults.add({ match: { operation: 'set' }, effect: { kind: 'cut' } });
    await expect(raw(vault, 'PUT', '/secrets/live', put)).rejects.toThrow();
    expect(vault.versions('live')).toHaveLength(0);
    expect(vault.calls.latest).toMatchObject([{ operation: 'set', name: 'live', status: 0 }]);
  });

  test('a connection cut after the effect: the write is there and the answer is lost', async () => {
    const vault = await vaultFor();
    vault.faults.add({ match: { operation: 'set' }, effect: { kind: 'cut', stage: 'after' } });
    await expect(raw(vault, 'PUT', '/secrets/live', put)).rejects.toThrow();
    expect(vault.versions('live')).toHaveLength(1);
  });

  test("Microsoft's client repeats a write whose answer was lost, and so makes two versions", async () => {
    const vault = await vaultFor();
    vault.faults.add({
      match: { operation: 'set' },
      when: { calls: [1] },
      effect: { kind: 'cut', stage: 'after' },
    });
    await clientFor(vault, 1).setSecret('live', 'x');
    expect(vault.versions('live')).toHaveLength(2);
  });

  test('a status before and after the effect', async () => {
    const vault = await vaultFor();
    vault.faults.add({ when: { calls: [1] }, effect: { kind: 'status', status: 503 } });
    vault.faults.add({ when: { calls: [2] }, effect: { kind: 'status', status: 500, stage: 'after' } });
    expect(await raw(vault, 'PUT', '/secrets/live', put)).toMatchObject({
      status: 503,
      body: { error: { code: 'ServiceUnavailable' } },
    });
    expect(vault.versions('live')).toHaveLength(0);
    expect((await raw(vault, 'PUT', '/secrets/live', put)).status).toBe(500);
    expect(vault.versions('live')).toHaveLength(1);
  });

  test('a permission taken away answers as the service does', async () => {
    const vault = await vaultFor({ name: 'my-vault' });
    vault.put('live', { value: 'x' });
    const fault = vault.faults.add({ match: { name: '^live$' }, effect: { kind: 'status', status: 403 } });
    const client = clientFor(vault);
    expect(await failure(client.getSecret('live'))).toMatchObject({
      status: 403,
      code: 'Forbidden',
      message: expect.stringContaining('Caller is not authorized to perform action on resource.'),
    });
    expect((await raw(vault, 'GET', '/secrets/live')).body).toMatchObject({
      error: { innererror: { code: 'ForbiddenByRbac' } },
    });
    expect((await raw(vault, 'GET', '/secrets')).status).toBe(200);
    expect(fault).toMatchObject({ matched: 2, hits: 2 });
    fault.remove();
    expect((await client.getSecret('live')).value).toBe('x');
  });

  test('a fault may carry its own code, message, inner code and Retry-After', async () => {
    const vault = await vaultFor();
    vault.faults.add({
      effect: { kind: 'status', status: 429, code: 'Mine', message: 'My words', innerCode: 'In', retryAfterSeconds: 7 },
    });
    const answer = await raw(vault, 'GET', '/secrets');
    expect(answer.body).toEqual({ error: { code: 'Mine', message: 'My words', innererror: { code: 'In' } } });
    expect(answer.headers.get('retry-after')).toBe('7');
  });

  test('only the calls asked for are hit, counted among those that match', async () => {
    const vault = await vaultFor();
    vault.faults.add({
      match: { method: 'GET', operation: ['get', 'list'] },
      when: { calls: [2, 3] },
      effect: { kind: 'status', status: 500 },
    });
    vault.put('live', { value: 'x' });
    const statuses: number[] = [];
    for (const path of ['/secrets/live', '/secrets/live/versions', '/secrets', '/secrets/live', '/secrets/live'])
      statuses.push((await raw(vault, 'GET', path)).status);
    expect(statuses).toEqual([200, 200, 500, 500, 200]);
  });

  test('a rate with one seed hits the same calls again, about as many as it says', async () => {
    const run = async (seed: number) => {
      const vault = await vaultFor();
      vault.faults.add({ when: { rate: 0.3, seed }, effect: { kind: 'status', status: 500 } });
      const statuses: number[] = [];
      for (let n = 0; n < 100; n++) statuses.push((await raw(vault, 'GET', '/secrets')).status);
      return statuses;
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    const hits = first.filter((status) => status === 500).length;
    expect(hits).toBeGreaterThan(15);
    expect(hits).toBeLessThan(45);
  });

  test('a delay holds the answer, and closing the emulator ends the wait', async () => {
    const vault = await vaultFor();
    vault.faults.add({ match: { operation: 'set' }, effect: { kind: 'delay', ms: 3_600_000 } });
    vault.faults.add({ match: { operation: 'list' }, effect: { kind: 'delay', ms: 20, stage: 'after' } });
    expect((await raw(vault, 'GET', '/secrets')).status).toBe(200);
    const held = raw(vault, 'PUT', '/secrets/live', put).then(
      () => 'answered',
      () => 'cut',
    );
    await raw(vault, 'GET', '/secrets');
    expect(vault.versions('live')).toHaveLength(0);
    await vault.close();
    expect(await held).toBe('cut');
    expect(vault.versions('live')).toHaveLength(0);
  });

  test('delays add up with another fault of the same call', async () => {
    const vault = await vaultFor();
    vault.faults.add({ effect: { kind: 'delay', ms: 5 } });
    vault.faults.add({ effect: { kind: 'status', status: 503 } });
    expect((await raw(vault, 'GET', '/secrets')).status).toBe(503);
    vault.faults.clear();
    expect((await raw(vault, 'GET', '/secrets')).status).toBe(200);
  });

  test.for<[string, FaultRule, RegExp]>([
    ['a bad expression', { match: { name: '(' }, effect: { kind: 'cut' } }, /regular expression/],
    ['a success for a fault', { effect: { kind: 'status', status: 200 } }, /400/],
    ['the zeroth call', { when: { calls: [0] }, effect: { kind: 'cut' } }, /when/],
  ])('%s is refused with the reason', async ([, rule, reason]) => {
    const vault = await vaultFor();
    expect(() => vault.faults.add(rule)).toThrow(reason);
    expect(vault.faults.list()).toEqual([]);
  });

  test('the challenge is not counted by a fault: the first real call is call 1', async () => {
    const vault = await vaultFor();
    const fault = vault.faults.add({ when: { calls: [1] }, effect: { kind: 'status', status: 500 } });
    expect(await failure(clientFor(vault).getSecret('live'))).toMatchObject({ status: 500 });
    expect(fault).toMatchObject({ matched: 1, hits: 1 });
  });
});
