/** What the engine makes of a write whose answer was lost, and of what stands in the vault beside its own version. */
import { describe, expect, test } from 'vitest';
import type { Vault, WriteOutcome } from '../../shared/contract/ports.ts';
import { readStamp, withStamp } from '../../shared/engine/policy/stamp.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { failure } from '../../shared/errors.ts';
import { makeWorld, type World } from './world.ts';

const request = (world: World) => ({
  vault: world.vault.name,
  secret: world.secret,
  mode: 'scheduled' as const,
  requestedBy: 'test',
});

const cut = (world: World) =>
  failure('vault-unreachable', { secret: world.secret, vault: world.vault.name, detail: 'connection cut' });

/** A vault whose answer to the publish is lost; `later` is told how to let the write arrive. */
function losingPublish(world: World, later: (arrive: () => void) => void) {
  const { vault } = world;
  const write: Vault['write'] = async (name, version): Promise<WriteOutcome> => {
    if (name !== world.secret) return vault.write(name, version);
    later(() => vault.put(name, version));
    return cut(world);
  };
  return <T extends object>(name: string, port: T): T =>
    name === 'vault' ? new Proxy(port, { get: (of, key) => (key === 'write' ? write : bound(of, key)) }) : port;
}

function bound(of: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(of, key);
  return typeof value === 'function' ? value.bind(of) : value;
}

describe('a publish whose answer was lost', () => {
  test.each([0, 400, 1_900, 5_900])(
    'and that arrives %i ms later is found, and nothing is published twice',
    async (lateMs) => {
      const world = makeWorld('alternating-users');
      let waitedMs = 0;
      let arrive: (() => void) | undefined;
      const look = () => {
        if (waitedMs < lateMs) return;
        arrive?.();
        arrive = undefined;
      };
      const deps = {
        ...world.deps(
          losingPublish(world, (write) => {
            arrive = write;
            look();
          }),
        ),
        wait: async (ms: number) => {
          waitedMs += ms;
          look();
        },
      };
      expect(await rotate(deps, request(world))).toMatchObject({ kind: 'rotated' });
      expect(world.vault.count(world.secret)).toBe(2);
      expect(world.target.accepts(world.current())).toBe(true);
    },
  );

  test('and that never arrives is a failure to be tried again, after six seconds of looking', async () => {
    const world = makeWorld('alternating-users');
    let waitedMs = 0;
    const deps = {
      ...world.deps(losingPublish(world, () => undefined)),
      wait: async (ms: number) => {
        waitedMs += ms;
      },
    };
    expect(await rotate(deps, request(world))).toMatchObject({
      kind: 'failed',
      failure: { code: 'vault-unreachable', class: 'retry' },
    });
    expect(waitedMs).toBe(6_000);
    expect(world.vault.count(world.secret)).toBe(1);
  });

  test('is not taken for a version that bears the id of the rotation and replaced another version than the one read', async () => {
    const world = makeWorld('alternating-users');
    const { vault, secret } = world;
    const copy = losingPublish(world, () => {
      const { value, tags } = vault.newest(secret);
      const stamp = { rotationId: 'f'.repeat(32), from: 'b'.repeat(32) };
      vault.put(secret, { value, tags: withStamp(tags, stamp) });
    });
    const result = await rotate(world.deps(copy), { ...request(world), rotationId: 'f'.repeat(32), mode: 'forced' });
    expect(readStamp(vault.newest(secret).tags)).toMatchObject({ from: 'b'.repeat(32) });
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'newer-version' } });
  });
});
