/** Messages of every queue, and of every poison queue. */
import fc from 'fast-check';
import { namePoison } from '../../../functions/name-poison.ts';
import { doSecretEvent } from '../../../functions/on-secret-event.ts';
import { readMessage } from '../../../functions/read-message.ts';
import { queueNames } from '../../../shared/contract/queue-names.ts';
import { checkRequest } from '../../../shared/engine/policy/check-request.ts';
import { performCheck } from '../../../shared/operations/check.ts';
import type { Log } from '../../../shared/telemetry.ts';
import { hear } from '../heard.ts';
import { type InMemory, inMemory } from '../in-memory.ts';
import { hostile, type Json, spoiled } from '../inputs.ts';
import { canary, holdsNoSecret, must, target } from '../target.ts';

const id = 'b'.repeat(32);
const about = { vault: 'contoso-kv', secret: 'orders-db', rotationId: id, more: canary };
const asked = { ...about, requestedBy: 'jane', requestedById: 'entra:1', reason: 'leaked' };
const notice = {
  ...about,
  id: 'n',
  type: 'rotated',
  at: '2026-01-01T00:00:00Z',
  channels: ['ops'],
  consumers: ['shop'],
};

const samples: Readonly<Record<string, readonly Json[]>> = {
  [queueNames.rotations]: ['scheduled', 'asked', 'forced', 'emergency', 'resume', 'roll-back'].map((mode) => ({
    ...{ ...asked, mode, version: 'a'.repeat(32), to: 'c'.repeat(32), force: true },
  })),
  [queueNames.retirements]: ['scheduled', 'asked', 'emergency'].map((mode) => ({ ...asked, mode })),
  [queueNames.notifications]: [
    notice,
    { ...notice, failure: { code: 'c', message: 'm', hint: 'h', page: 'p' } },
    { notice, channel: 'ops', attempts: 0, firstAt: '2026-01-01T00:00:00Z' },
  ],
  [queueNames.checks]: [about],
  [queueNames.secretEvents]: [
    {
      id: '1',
      type: 'Microsoft.KeyVault.SecretNearExpiry',
      data: { VaultName: 'contoso-kv', ObjectName: 'orders-db', more: canary },
    },
  ],
};

type Take = (app: InMemory, message: Json, log: Log) => Promise<unknown>;

const workers: Readonly<Record<string, Take>> = {
  [queueNames.rotations]: ({ work }, message, log) => work.rotate(message, log),
  [queueNames.retirements]: ({ work }, message, log) => work.retire(message, log),
  [queueNames.notifications]: ({ tell }, message, log) => tell.notify(message, log),
  [queueNames.checks]: check,
  [queueNames.secretEvents]: (it, message, log) => {
    const refuse = (queue: string, refused: unknown) => namePoison(it.app, queue, refused, log);
    const work = { rotate: it.work.rotate, check: (request: unknown) => check(it, request, log), refuse };
    return doSecretEvent(new Set(['contoso-kv']), work, message, log);
  },
};

async function check({ app }: InMemory, message: unknown, log: Log): Promise<void> {
  const request = readMessage(queueNames.checks, checkRequest, message);
  await performCheck({ ...app, log }, request, AbortSignal.timeout(60_000));
}

const inputs = fc.tuple(fc.constantFrom(...Object.values(queueNames)), fc.boolean()).chain(([queue, poison]) =>
  fc.record({
    queue: fc.constant(queue),
    poison: fc.constant(poison),
    message: fc.oneof({ weight: 9, arbitrary: spoiled(...(samples[queue] ?? [null])) }, hostile),
  }),
);

export const messages = target('messages', 15, inputs, async ({ queue, poison, message }) => {
  const heard = hear();
  const app = inMemory();
  try {
    if (poison) await namePoison(app.app, queue, message, heard.log);
    else await workers[queue]?.(app, message, heard.log);
  } catch (error) {
    // The one way to say that a message is to be delivered again. A poison message is never delivered again.
    if (!(error instanceof Error) || error.name !== 'DeliverAgain' || poison) throw error;
    must(error.message.length < 8_000, 'an error is bounded');
    holdsNoSecret('the error', error.message);
  }
  heard.check();
});
