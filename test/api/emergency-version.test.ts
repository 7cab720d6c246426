/** Which version an emergency is about: the one that was current when somebody asked. */
import { expect, test } from 'vitest';
import type { Caller } from '../../shared/api/caller.ts';
import type { ApiDependencies } from '../../shared/api/dependencies.ts';
import { askFor } from '../../shared/api/routes/rotate.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { type InMemory, inMemory } from '../fuzz/in-memory.ts';

const caller: Caller = {
  ...{ kind: 'caller', id: 'entra:ann', name: 'ann', how: 'token', person: true },
  ...{ grants: [{ role: 'emergency' }], consumers: [] },
};
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The message that somebody's emergency puts into the queue. */
async function asked({ app, world, enqueued }: InMemory, more: Partial<ApiDependencies> = {}, key?: string) {
  const answer = await askFor.emergency(
    { ...app, ...more },
    {
      ...{ path: { vault: world.vault.name, secret: world.secret }, query: { wait: false }, caller, log: quiet },
      ...{ body: { reason: 'ticket', breakGlass: false }, idempotencyKey: key, signal: AbortSignal.timeout(5_000) },
      demand: () => undefined,
      sees: () => true,
    },
  );
  expect(answer.status).toBe(202);
  return enqueued.findLast(({ queue }) => queue === queueNames.rotations)?.message;
}

function rotated({ app, world }: InMemory, mode: 'asked' | 'emergency', letter: string) {
  const { vault, secret } = world;
  vault.now = new Date(vault.now.getTime() + 60_000);
  const request = { vault: vault.name, secret, mode, rotationId: letter.repeat(32), requestedBy: 'bob' };
  return rotate({ ...app.engine, ...world.deps() }, request);
}

test('an emergency names the version that is current', async () => {
  const memory = inMemory();
  expect(await asked(memory)).toMatchObject({ mode: 'emergency', version: memory.world.firstVersion });
});

test('one that is asked for while another is open names what that one is there to end', async () => {
  const memory = inMemory();
  const { target, firstVersion, firstPassword } = memory.world;
  target.sessions = [{ login: 'app', password: firstPassword }];
  target.protectedSessions = 1;
  expect(await rotated(memory, 'emergency', '1')).toMatchObject({ failure: { code: 'sessions-open' } });
  expect(await asked(memory)).toMatchObject({ mode: 'emergency', version: firstVersion });
});

test('one that is sent again with its key names what was current the first time', async () => {
  const memory = inMemory();
  const { vault, firstVersion } = memory.world;
  const at = vault.now;
  const taken = { kind: 'known' as const, rotationId: 'e'.repeat(32), at };
  expect(await rotated(memory, 'asked', '1')).toMatchObject({ kind: 'rotated' });
  const idempotencyKeys: ApiDependencies['idempotencyKeys'] = {
    claim: async (_caller, _key, fingerprint) => ({ ...taken, fingerprint }),
  };
  const now = () => new Date(at.getTime() + 3_600_000);
  expect(await asked(memory, { idempotencyKeys, now }, 'a key')).toMatchObject({ version: firstVersion });
});

test('one that was approved and is sent again after another rotation makes no other version, also for somebody who waits for it', async () => {
  const memory = inMemory();
  const { vault, secret, firstVersion } = memory.world;
  const approved = { id: 'e'.repeat(32), at: vault.now };
  const deps = memory.world.deps();
  // Nobody's patience ends.
  const wait = (ms: number, signal: AbortSignal) =>
    ms < 60_000 ? deps.wait(ms, signal) : new Promise<void>(() => undefined);
  const engine = { ...memory.app.engine, ...deps, wait };
  const marks: ApiDependencies['marks'] = { ...memory.app.marks, has: async () => ({ kind: 'known', marked: true }) };
  const about = { vault: vault.name, secret, requestedBy: 'ann' };
  const first = { ...about, mode: 'emergency' as const, rotationId: approved.id, version: firstVersion };
  expect(await rotate(engine, first)).toMatchObject({ kind: 'rotated' });
  expect(await rotated(memory, 'asked', '1')).toMatchObject({ kind: 'rotated' });
  const published = vault.newest(secret).version;
  vault.now = new Date(vault.now.getTime() + 60_000);
  const answer = await askFor.emergency(
    { ...memory.app, engine, marks },
    {
      ...{ path: { vault: vault.name, secret }, query: { wait: true }, caller, log: quiet, approved },
      ...{ body: { reason: 'ticket', breakGlass: false }, idempotencyKey: 'a key', signal: AbortSignal.timeout(5_000) },
      demand: () => undefined,
      sees: () => true,
    },
  );
  expect(answer).toMatchObject({ status: 200, body: { state: 'rotated' } });
  expect(vault.newest(secret).version).toBe(published);
  expect(memory.world.target.accepts(memory.world.current())).toBe(true);
});
