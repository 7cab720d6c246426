/** Every message that could not be processed is named with the next step, whatever it says. */
import { expect, test } from 'vitest';
import { namePoison } from '../../functions/name-poison.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { LogFields } from '../../shared/telemetry.ts';
import { inMemory } from '../fuzz/in-memory.ts';

const poison = async (queue: string, message: unknown) => {
  const { app, enqueued } = inMemory();
  const errors: LogFields[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (event: string, fields: LogFields = {}) => void errors.push({ event, ...fields }),
  };
  await namePoison(app, queue, message, log);
  return { errors, enqueued };
};

const named = { vault: 'contoso-kv', secret: 'orders-db' };

test.each<[string, unknown, LogFields]>([
  ['an empty vault', { ...named, vault: '' }, { secret: 'orders-db' }],
  [
    'a vault of 300 characters',
    { ...named, vault: 'v'.repeat(300) },
    { secret: 'orders-db', vault: expect.stringMatching(/300 characters/) },
  ],
  ['a vault that is a number', { ...named, vault: 7 }, { secret: 'orders-db' }],
  ['an empty secret', { ...named, secret: '' }, { vault: 'contoso-kv' }],
  ['a secret of an odd name', { ...named, secret: 'orders db/1' }, { vault: 'contoso-kv', secret: 'orders db/1' }],
  [
    'a secret of a kilobyte',
    { ...named, secret: 's'.repeat(1_024) },
    { secret: expect.stringMatching(/1024 characters/) },
  ],
  ['no object', 'not JSON', {}],
  ['nothing', null, {}],
])(
  'with %s: named with the queue and a hint, and nobody is sent what no receiver could read',
  async (_, message, facts) => {
    const { errors, enqueued } = await poison(queueNames.rotations, message);
    expect(errors).toEqual([
      expect.objectContaining({ event: 'message-poisoned', queue: queueNames.rotations, ...facts }),
    ]);
    expect(errors[0]?.['hint']).toContain('KEYTURN_VAULTS');
    expect(enqueued).toEqual([]);
  },
);

test.each([
  ['a rotation id of an odd length', { ...named, rotationId: 'x'.repeat(500) }],
  ['a rotation id that is a number', { ...named, rotationId: 7 }],
  ['a channel that is none', { ...named, channel: 7, notice: 'x', hint: [] }],
])('with %s: people are told of the secret', async (_, message) => {
  const { errors, enqueued } = await poison(queueNames.retirements, message);
  expect(errors).toEqual([expect.objectContaining({ event: 'message-poisoned', ...named })]);
  expect(enqueued).toEqual([
    { queue: queueNames.notifications, message: expect.objectContaining({ ...named, type: 'failed' }) },
  ]);
});

test('of news that could not be told: the secret it is about is named, and no more news is made', async () => {
  const { errors, enqueued } = await poison(queueNames.notifications, { channel: 'ops', notice: named });
  expect(errors).toEqual([expect.objectContaining({ event: 'message-poisoned', channel: 'ops', ...named })]);
  expect(enqueued).toEqual([]);
});
