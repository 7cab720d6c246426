/** A copy that is behind, with everything around the engine: what is told, kept and tried again. */
import { expect, test } from 'vitest';
import { failure } from '../../shared/errors.ts';
import { retirementsQueue } from '../../shared/operations/queues.ts';
import { type Around, around, notices, pass, requested, troubleOf } from './around.ts';

const throttled = failure('vault-throttled', { secret: 'orders-db', vault: 'eu-vault', detail: 'HTTP 429' });

/** A secret with a copy in another vault that takes no writes until the function is called. */
function withCopy(): { readonly it: Around; readonly open: () => void; readonly event: { readonly version: string } } {
  const it = around({ also: 'eu-vault/orders-db' });
  const { vault, otherVault, secret, firstVersion } = it.world;
  const { value } = vault.newest(secret);
  const tags = { 'copy-of': 'contoso-kv/orders-db', consumers: 'eu-shop' };
  otherVault.put('orders-db', { value, contentType: 'application/json', tags });
  const write = otherVault.write.bind(otherVault);
  otherVault.write = async () => throttled;
  const open = (): void => {
    otherVault.write = write;
  };
  return { it, open, event: { version: firstVersion } };
}

test('the consumers of the source are told at once, and the event that comes again finishes the copy instead of being dropped as a duplicate', async () => {
  const { it, open, event } = withCopy();
  const first = await requested(it, 'scheduled', event);
  expect(first).toMatchObject({ kind: 'failed', failure: { code: 'copy-behind' } });
  expect(first.tryAgainMs).toBeGreaterThan(0);
  expect(troubleOf(it)).toMatchObject({ rotation: { last: { code: 'copy-behind' }, retries: 1 } });
  expect(notices(it)).toMatchObject([{ type: 'rotated', vault: 'contoso-kv' }]);
  pass(it, 60_000);
  it.world.leases.expire();
  open();
  expect(await requested(it, 'scheduled', event)).toMatchObject({ kind: 'rotated', found: 'finished' });
  expect(troubleOf(it)?.rotation).toBeUndefined();
  const news = notices(it);
  expect(news.map(({ type, vault }) => [type, vault])).toEqual([
    ['rotated', 'contoso-kv'],
    ['rotated', 'eu-vault'],
  ]);
  expect(news[1]).toMatchObject({ version: it.world.otherVault.newest('orders-db').version, consumers: ['eu-shop'] });
  expect(new Set(news.map(({ id }) => id)).size).toBe(2);
  expect(it.messages.filter(({ queue }) => queue === retirementsQueue.name)).toHaveLength(1);
});

test('once all is done a duplicate of the event asks nothing and tells nothing', async () => {
  const { it, open, event } = withCopy();
  open();
  await requested(it, 'scheduled', event);
  const told = it.messages.length;
  expect(await requested(it, 'scheduled', event)).toMatchObject({ kind: 'skipped', reason: 'already-rotated' });
  expect(it.messages).toHaveLength(told);
});

test('the history is that of the source: the record of its rotation is not replaced by one of the copy', async () => {
  const { it, open, event } = withCopy();
  open();
  await requested(it, 'scheduled', event);
  expect(it.history.records.map(({ vault, secret, outcome }) => [vault, secret, outcome])).toEqual([
    ['contoso-kv', 'orders-db', 'rotated'],
  ]);
});

test('a copy that stays behind is told after several tries, with what to do', async () => {
  const { it, event } = withCopy();
  for (let tries = 0; tries < 4; tries++) {
    await requested(it, 'scheduled', event);
    pass(it, 24 * 3_600_000);
    it.world.leases.expire();
  }
  const failed = notices(it).filter(({ type }) => type === 'failed');
  expect(failed).toHaveLength(1);
  expect(failed[0]?.failure).toMatchObject({ code: 'copy-behind' });
  expect(failed[0]?.failure?.message).toContain('eu-vault/orders-db');
});
