import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startAzurite } from '../../local/azurite.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Freeze } from '../../shared/contract/state.ts';
import { failure } from '../../shared/errors.ts';
import { connectStorage } from '../../shared/storage/connect.ts';
import { tableAcknowledgements } from '../../shared/storage/state/acknowledgements.ts';
import { tableAttention } from '../../shared/storage/state/attention.ts';
import { rememberedFreeze, tableFreeze } from '../../shared/storage/state/freeze.ts';
import { tableIdempotencyKeys } from '../../shared/storage/state/idempotency-keys.ts';
import { tableLoginIndex } from '../../shared/storage/state/login-index.ts';
import { tableMarks } from '../../shared/storage/state/marks.ts';
import { Records } from '../../shared/storage/state/records.ts';
import { tableToldBefore } from '../../shared/storage/state/told-before.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
let records: Records;
let vault: string;
let vaults = 0;

const noCredential = { getToken: async () => null };

function recordsAt(connectionString: string): Records {
  const value = new SecretText(connectionString);
  return new Records(connectStorage({ kind: 'connection-string', value }, noCredential));
}

beforeAll(async () => {
  azurite = await startAzurite();
  records = recordsAt(azurite.connectionString);
});

afterAll(() => azurite.close());

beforeEach(() => {
  vault = `vault-${vaults++}`;
});

const failed = { code: 'admin-refused', message: 'refused', hint: 'mend it', at: new Date('2026-01-01T00:00:00Z') };

test('all vaults of which every secret was looked at are told in one call, and no other', async () => {
  const logins = tableLoginIndex(records);
  const at = new Date('2026-01-01T00:00:00Z');
  await logins.markComplete(vault, at);
  await logins.markComplete(`${vault}-eu`, at);
  const known = await logins.completeVaults();
  if (known.kind === 'failed') throw new Error(known.code);
  expect([vault, `${vault}-eu`, `${vault}-us`].map((name) => known.vaults.has(name))).toEqual([true, true, false]);
  expect(await logins.completeAt(vault)).toEqual({ kind: 'known', at });
});

test('a mark that nobody put is not known, and one that was put is, however often', async () => {
  const marks = tableMarks(records);
  expect(await marks.has(`${vault}/a key with / ? # % signs`)).toEqual({ kind: 'known', marked: false });
  await marks.put(`${vault}/a key with / ? # % signs`);
  await marks.put(`${vault}/a key with / ? # % signs`);
  expect(await marks.has(`${vault}/a key with / ? # % signs`)).toEqual({ kind: 'known', marked: true });
});

test('a key that is too long for the service, or no Unicode, is kept apart from others all the same', async () => {
  const value = new SecretText(azurite.connectionString);
  const clients = connectStorage({ kind: 'connection-string', value }, noCredential);
  const marks = tableMarks(new Records(clients));
  const long = `${vault}/told ${'what is wrong with the tag: '.repeat(100)}`;
  for (const key of [`${long}a`, `${vault}/\ud800`]) expect(await marks.put(key)).toEqual({ kind: 'marked' });
  expect(await marks.has(`${long}a`)).toEqual({ kind: 'known', marked: true });
  expect(await marks.has(`${long}b`)).toEqual({ kind: 'known', marked: false });
  const keys: string[] = [];
  for await (const { rowKey } of clients.table('state').listEntities()) keys.push(rowKey ?? '');
  expect(Math.max(...keys.map((key) => 2 * key.length))).toBeLessThan(1_024);
});

test('the first acknowledgement of a consumer counts, for its version alone', async () => {
  const acknowledgements = tableAcknowledgements(records);
  const first = new Date('2026-01-01T00:00:00Z');
  await acknowledgements.add(vault, 'orders-db', 'v1', 'shop', first);
  await acknowledgements.add(vault, 'orders-db', 'v1', 'shop', new Date());
  await acknowledgements.add(vault, 'orders-db', 'v2', 'billing', first);
  const known = await acknowledgements.of(vault, 'orders-db', 'v1');
  expect(known).toEqual({ kind: 'acknowledged', consumers: new Map([['shop', first]]) });
});

const soon = new Date('2026-01-01T01:00:00Z');
const later = () => ({ at: soon, paused: false });

test('failures are kept for each activity apart, counted in a row, and forgotten one activity at a time', async () => {
  const attention = tableAttention(records);
  const counted = { ...failed, counts: true, unpublished: false };
  const retried = { ...failed, code: 'target-unreachable', counts: false, unpublished: true };
  expect(await attention.of(vault, 'orders-db')).toEqual({ kind: 'trouble' });
  await attention.failed(vault, 'orders-db', 'rotation', counted, later);
  await attention.failed(vault, 'orders-db', 'rotation', { ...counted, at: soon }, ({ failures }) => ({
    at: undefined,
    paused: failures === 2,
  }));
  await attention.failed(vault, 'ORDERS-DB', 'retirement', retried, later);
  const rotation = { failures: 2, retries: 0, since: failed.at, paused: true, unpublished: false };
  const last = { ...failed, at: soon };
  expect(await attention.of(vault, 'ORDERS-DB')).toEqual({
    kind: 'trouble',
    rotation: { ...rotation, last },
    retirement: {
      ...{ failures: 0, retries: 1, since: failed.at, paused: false, unpublished: true, nextTryAt: soon },
      last: { ...failed, code: 'target-unreachable' },
    },
  });
  await attention.cleared(vault, 'orders-db', 'retirement');
  const all: unknown[] = [];
  for await (const one of attention.all(vault)) all.push(one);
  expect(all).toEqual([expect.objectContaining({ trouble: { kind: 'trouble', rotation: { ...rotation, last } } })]);
  await attention.cleared(vault, 'orders-db', 'rotation');
  await attention.cleared(vault, 'orders-db', 'rotation');
  for await (const one of attention.all(vault)) expect.unreachable(JSON.stringify(one));
});

test('workers that count at the same moment lose no failure', async () => {
  const attention = tableAttention(records);
  const counted = { ...failed, counts: true, unpublished: false };
  const activities = ['rotation', 'retirement', 'check'] as const;
  await Promise.all(activities.map((activity) => attention.failed(vault, 'busy-db', activity, counted, later)));
  await Promise.all([1, 2].map(() => attention.failed(vault, 'busy-db', 'rotation', counted, later)));
  const one = { failures: 1 };
  expect(await attention.of(vault, 'busy-db')).toMatchObject({
    rotation: { failures: 3 },
    retirement: one,
    check: one,
  });
});

test('who is on an old credential is kept until it has ended or nobody is', async () => {
  const attention = tableAttention(records);
  await attention.waits(vault, 'orders-db', ['shop']);
  expect(await attention.of(vault, 'orders-db')).toEqual({ kind: 'trouble', waitsFor: ['shop'] });
  await attention.waits(vault, 'orders-db', []);
  expect(await attention.of(vault, 'orders-db')).toEqual({ kind: 'trouble' });
  await attention.waits(vault, 'orders-db', ['shop']);
  await attention.cleared(vault, 'orders-db', 'retirement');
  expect(await attention.of(vault, 'orders-db')).toEqual({ kind: 'trouble' });
});

test('what a rotation warned of is kept until the next one, whatever becomes of the rest', async () => {
  const attention = tableAttention(records);
  await attention.reminds(vault, 'orders-redis', ['redis-0 has no file']);
  await attention.cleared(vault, 'orders-redis', 'rotation');
  await attention.waits(vault, 'orders-redis', []);
  expect(await attention.of(vault, 'orders-redis')).toEqual({ kind: 'trouble', reminders: ['redis-0 has no file'] });
  await attention.reminds(vault, 'orders-redis', []);
  expect(await attention.of(vault, 'orders-redis')).toEqual({ kind: 'trouble' });
});

test('what people were told is known until it is taken back, by vault', async () => {
  const told = tableToldBefore(records);
  await told.add(vault, 'orders-db', 'tag-invalid 12');
  await told.add(vault, 'orders-db', 'tag-invalid 12');
  await told.add('another-vault', 'orders-db', 'announced 1');
  const known = async () => {
    const all: unknown[] = [];
    for await (const one of told.all(vault)) all.push(one);
    return all;
  };
  expect(await known()).toEqual([{ kind: 'told', secret: 'orders-db', what: 'tag-invalid 12' }]);
  await told.remove(vault, 'orders-db', 'tag-invalid 12');
  await told.remove(vault, 'orders-db', 'tag-invalid 12');
  expect(await known()).toEqual([]);
});

test('an idempotency key is taken once, and tells what it was taken for', async () => {
  const keys = tableIdempotencyKeys(records);
  const claimedAt = new Date('2026-03-01T12:00:00Z');
  const claims = await Promise.all(
    ['r1', 'r2', 'r3'].map((rotationId) => keys.claim('ops', `${vault}-key`, 'print', rotationId, claimedAt)),
  );
  expect(claims.filter((claim) => claim.kind === 'claimed')).toHaveLength(1);
  const known = await keys.claim('ops', `${vault}-key`, 'another', 'r4', new Date());
  expect(known).toMatchObject({ kind: 'known', fingerprint: 'print', at: claimedAt });
  expect(await keys.claim('somebody else', `${vault}-key`, 'print', 'r5', new Date())).toEqual({ kind: 'claimed' });
});

test('the freeze switch is off until it is set, and says who set it and why', async () => {
  const freeze = tableFreeze(records);
  expect(await freeze.read()).toEqual({ kind: 'freeze', frozen: false });
  await freeze.set({ frozen: true, by: 'dana', reason: 'release', at: failed.at });
  expect(await freeze.read()).toEqual({
    kind: 'freeze',
    frozen: true,
    by: 'dana',
    reason: 'release',
    since: failed.at,
  });
  await freeze.set({ frozen: false, by: 'dana', reason: 'done', at: failed.at });
  expect(await freeze.read()).toMatchObject({ frozen: false });
});

test('a freeze is remembered for a moment, but not past one that is set here, and not when it could not be read', async () => {
  let [now, asked] = [0, 0];
  let state: Awaited<ReturnType<Freeze['read']>> = { kind: 'freeze', frozen: false };
  const source: Freeze = {
    read: async () => {
      asked++;
      return state;
    },
    set: async ({ frozen }) => {
      state = { kind: 'freeze', frozen };
      return state;
    },
  };
  const freeze = rememberedFreeze(source, 1_000, () => now);
  await Promise.all([freeze.read(), freeze.read()]);
  now = 999;
  await freeze.read();
  expect(asked).toBe(1);
  now = 1_000;
  await freeze.read();
  expect(asked).toBe(2);
  await freeze.set({ frozen: true, by: 'dana', reason: 'release', at: failed.at });
  expect(await freeze.read()).toMatchObject({ frozen: true });
  state = failure('storage-unreachable', { secret: 'app', detail: 'away' });
  now = 2_000;
  expect(await freeze.read()).toMatchObject({ kind: 'failed' });
  state = { kind: 'freeze', frozen: false };
  expect(await freeze.read()).toMatchObject({ frozen: false });
});

test('storage that gives no answer is a failure of class retry, never an empty answer', async () => {
  const down = recordsAt(
    'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:9/a;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a',
  );
  const answers = await Promise.all([
    tableMarks(down).has('a'),
    tableFreeze(down).read(),
    tableAttention(down).of(vault, 'orders-db'),
    tableAttention(down).cleared(vault, 'orders-db', 'rotation'),
    tableToldBefore(down).add(vault, 'orders-db', 'x'),
    tableAcknowledgements(down).of(vault, 'orders-db', 'v1'),
    tableIdempotencyKeys(down).claim('ops', 'k', 'p', 'r', new Date()),
  ]);
  expect(answers.map((answer) => ('code' in answer ? answer.code : answer.kind))).toEqual(
    Array(7).fill('storage-unreachable'),
  );
});
