/** One part of what the app needs accepts connections and never answers: it is named, and nobody waits for minutes. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { type Backend, startBackend } from '../api/backend.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterEach(() => {
  backend.stage.storage.mend();
  backend.stage.vault.faults.clear();
});
afterAll(() => backend.close());

const reach = z.looseObject({ reachable: z.boolean(), detail: z.string().optional() });
const details = z.looseObject({
  status: z.string(),
  vaults: z.array(reach),
  storage: reach.extend({ services: z.array(reach.extend({ service: z.string() })) }),
});

/** Fails where it takes longer than people are promised. */
async function health() {
  const waited = AbortSignal.timeout(10_000);
  const called = backend.call('GET', '/health/details', { as: 'reader' });
  const late = new Promise<never>((_, reject) => {
    waited.addEventListener('abort', () => reject(new Error('health took longer than 10 s')));
  });
  return details.parse((await Promise.race([called, late])).body);
}

test.each(['blob', 'queue', 'table'] as const)(
  'health says within 10 s that the %s service is silent',
  async (service) => {
    await backend.stage.until('health', async () => (await health()).status === 'healthy');
    backend.stage.storage.silence(service);
    const { status, storage } = await health();
    expect([status, storage.reachable]).toEqual(['impaired', false]);
    expect(storage.detail).toContain(`${service} service: no answer in time`);
    const silent = storage.services.filter(({ reachable }) => !reachable);
    expect(silent.map((one) => one.service)).toEqual([service]);
  },
);

test('health says within 10 s that the vault is silent', async () => {
  backend.stage.vault.faults.add({ match: { operation: 'list' }, effect: { kind: 'delay', ms: 600_000 } });
  const { status, vaults, storage } = await health();
  expect([status, vaults[0]?.reachable, storage.reachable]).toEqual(['impaired', false, true]);
});

test('a rotation that waits for a silent lease is given up with what is silent, and changes nothing', async () => {
  const planted = await backend.stage.plant('silent', { days: 80 });
  backend.stage.storage.silence('blob');
  const called = await backend.call('POST', '/vaults/local/secrets/silent/rotate?wait=true', {
    body: { reason: 'a test' },
  });
  expect(called.body).toMatchObject({ status: 503, code: 'storage-unreachable' });
  expect(called.text).toContain('blob service: no answer in time');
  await backend.stage.expectUntouched(planted);
}, 60_000);
