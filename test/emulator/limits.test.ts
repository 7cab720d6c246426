import { describe, expect, test } from 'vitest';
import { Limits } from '../../local/vault/limits.ts';
import { clientFor, failure, raw, vaultFor } from './helpers.ts';

const answers = (limits: Limits, kind: 'creation' | 'other', calls: number) =>
  Array.from({ length: calls }, () => limits.admit(kind).kind);
const admitted = (limits: Limits, kind: 'creation' | 'other', calls: number) =>
  answers(limits, kind, calls).filter((answer) => answer === 'admitted').length;

describe('limits', () => {
  test('300 creations and 4,000 other calls pass in any ten seconds, counted apart', () => {
    let nowMs = 1_000;
    const limits = new Limits({}, () => nowMs);
    expect(admitted(limits, 'creation', 400)).toBe(300);
    expect(admitted(limits, 'other', 5_000)).toBe(4_000);
    nowMs += 9_999;
    expect(limits.admit('creation')).toEqual({ kind: 'throttled', retryAfterSeconds: 1 });
    nowMs += 1;
    expect(admitted(limits, 'creation', 400)).toBe(300);
    expect(admitted(limits, 'other', 5_000)).toBe(4_000);
  });

  test('the window slides: what was used half a window ago is free half a window later', () => {
    let nowMs = 0;
    const limits = new Limits({ creations: 10 }, () => nowMs);
    expect(admitted(limits, 'creation', 5)).toBe(5);
    nowMs = 5_000;
    expect(admitted(limits, 'creation', 10)).toBe(5);
    nowMs = 10_000;
    expect(admitted(limits, 'creation', 10)).toBe(5);
    expect(limits.admit('creation')).toEqual({ kind: 'throttled', retryAfterSeconds: 5 });
  });

  test('where refused calls count, a caller that keeps hammering is kept out, and one that waits gets in', () => {
    let nowMs = 0;
    const limits = new Limits({ creations: 10, countRefused: true }, () => nowMs);
    expect(admitted(limits, 'creation', 15)).toBe(10);
    nowMs = 9_000;
    expect(admitted(limits, 'creation', 5)).toBe(0);
    nowMs = 10_000;
    expect(admitted(limits, 'creation', 10)).toBe(5);
    nowMs = 20_000;
    expect(admitted(limits, 'creation', 10)).toBe(10);
  });

  test.for([0, -1, 1.5, Number.NaN])('a limit of %s is refused by name', (creations) => {
    expect(() => new Limits({ creations })).toThrow(/`creations`/);
  });

  test("over the limit the client sees 429 with the service's sentence, and nothing is written", async () => {
    const vault = await vaultFor({ limits: { creations: 2, retryAfter: false } });
    const client = clientFor(vault);
    await client.setSecret('one', 'x');
    await client.setSecret('two', 'x');
    expect(await failure(client.setSecret('three', 'x'))).toMatchObject({
      status: 429,
      code: 'Throttled',
      message: expect.stringMatching(/^Request was not processed because too many requests were received\./),
    });
    expect(vault.size).toBe(2);
    expect((await client.getSecret('one')).value).toBe('x');
    vault.clock.advance(3_600_000);
    expect((await raw(vault, 'PUT', '/secrets/three', { body: { value: 'x' } })).status).toBe(429);
    expect(vault.calls.latest.filter(({ status }) => status === 429)).toHaveLength(2);
  });

  test('Retry-After comes where it is asked for', async () => {
    const vault = await vaultFor({ limits: { others: 1 } });
    await raw(vault, 'GET', '/secrets');
    const refused = await raw(vault, 'GET', '/secrets');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    vault.limits.set({ retryAfter: false });
    await raw(vault, 'GET', '/secrets');
    expect((await raw(vault, 'GET', '/secrets')).headers.get('retry-after')).toBeNull();
  });

  test('switched off, nothing is counted', async () => {
    const vault = await vaultFor({ limits: { on: false, creations: 1 } });
    for (let n = 0; n < 5; n++)
      expect((await raw(vault, 'PUT', `/secrets/s-${n}`, { body: { value: 'x' } })).status).toBe(200);
  });
});
