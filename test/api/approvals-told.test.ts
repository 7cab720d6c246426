/** Who is told of a request that waits, or that goes on without a second person. */
import { expect, test } from 'vitest';
import type { Caller } from '../../shared/api/caller.ts';
import { askFor } from '../../shared/api/routes/rotate.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { inMemory } from '../fuzz/in-memory.ts';

const caller: Caller = {
  ...{ kind: 'caller', id: 'entra:ann', name: 'ann', how: 'token', person: true },
  ...{ grants: [{ role: 'emergency' }], consumers: [] },
};
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

test.each([false, true])(
  'the app’s own channels are told whatever the tag “notify” of the secret says, with break-glass: %s',
  async (breakGlass) => {
    const { app, world, enqueued } = inMemory();
    const newest = world.vault.newest(world.secret);
    await world.vault.change(world.secret, newest.version, { tags: { ...newest.tags, notify: 'nobody-reads-this' } });
    const deps = { ...app, fourEyes: { kinds: ['emergency'], withinMs: 3_600_000, host: 'app.test' } } as const;
    const answer = await askFor.emergency(deps, {
      ...{ path: { vault: world.vault.name, secret: world.secret }, query: { wait: false }, caller, log: quiet },
      ...{ body: { reason: 'ticket 4711', breakGlass }, idempotencyKey: undefined, signal: AbortSignal.timeout(5_000) },
      demand: () => undefined,
      sees: () => true,
    });
    expect(answer.status).toBe(202);
    const told = enqueued.filter(({ queue }) => queue === queueNames.notifications).map(({ message }) => message);
    const type = breakGlass ? 'bypassed' : 'approval';
    expect(told).toEqual([
      expect.not.objectContaining({ channels: expect.anything() }),
      expect.objectContaining({ type, channels: ['nobody-reads-this'] }),
    ]);
    expect(told).toEqual(Array(2).fill(expect.objectContaining({ approval: expect.objectContaining({ by: 'ann' }) })));
    const rotations = enqueued.filter(({ queue }) => queue === queueNames.rotations);
    expect(rotations).toHaveLength(breakGlass ? 1 : 0);
  },
);
