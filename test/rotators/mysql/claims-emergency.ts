/** Emergencies: the leaked password is refused first, then all sessions end at once, and what is left is said. */
import type { Connection } from 'mysql2/promise';
import { afterEach, describe, expect, test } from 'vitest';
import type { Credential } from '../../../shared/contract/credential.ts';
import { connectAs, host } from './bench.ts';
import type { Rig } from './rig.ts';

/** A server takes so many logins at a time without refusing one. */
const atOnce = 50;

const strategies = ['dual-password', 'single-user', 'alternating-users'] as const;

export function claimsOfEmergency(rig: Rig): void {
  const open: Connection[] = [];
  afterEach(() => {
    for (const connection of open.splice(0)) connection.destroy();
  });
  const hold = async (credential: Credential, count: number): Promise<() => Promise<number>> => {
    const held: Connection[] = [];
    while (held.length < count) {
      const wave = Array.from({ length: Math.min(atOnce, count - held.length) }, async () => {
        const connection = await connectAs(rig.bench.server, credential);
        connection.on('error', () => undefined);
        return connection;
      });
      held.push(...(await Promise.all(wave)));
    }
    open.push(...held);
    return async () => {
      const alive = held.map((connection) =>
        connection.query('SELECT 1').then(
          () => 1,
          () => 0,
        ),
      );
      return (await Promise.all(alive)).reduce<number>((sum, one) => sum + one, 0);
    };
  };
  const mayEndSessions = (may: boolean) =>
    rig.bench.asOwner(
      `${may ? 'GRANT' : 'REVOKE'} ${rig.bench.flavour.endSessions} ON *.* ${may ? 'TO' : 'FROM'} rotation_admin@?`,
      [host],
    );

  describe('an emergency', () => {
    test.each(strategies)('%s: ends 500 sessions, and counts them', async (strategy) => {
      await mayEndSessions(true);
      await rig.bench.asOwner('SET GLOBAL max_connections = 560');
      const current = await rig.bench.makeLogin();
      const alive = await hold(current, 500);
      const candidate = await rig.applied(rig.stepFor(current, strategy, { emergency: true }));
      const outcome = await rig.rotator.retire(rig.stepFor(candidate, strategy, { emergency: true }), current);
      await rig.bench.asOwner('SET GLOBAL max_connections = 150');
      await mayEndSessions(false);
      expect(outcome).toEqual({ kind: 'retired', sessionsEnded: 500 });
      expect(await alive()).toBe(0);
      expect(await rig.bench.logsIn(current)).toBe(false);
      expect(await rig.bench.logsIn(candidate)).toBe(true);
    });

    test.each(strategies)(
      '%s: the published credential makes room before the new one is published',
      async (strategy) => {
        await mayEndSessions(true);
        const current = await rig.bench.makeLogin();
        const alive = await hold(current, 3);
        const step = rig.stepFor(current, strategy, { emergency: true });
        const candidate = await rig.applied(step);
        expect(await rig.rotator.retire(step, current)).toEqual({ kind: 'retired', sessionsEnded: 3 });
        await mayEndSessions(false);
        expect(await alive()).toBe(0);
        expect(await rig.bench.logsIn(current)).toBe(false);
        expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
      },
    );

    test('an admin that may not end sessions: the leaked password is refused, and the failure says what is open and what to grant', async () => {
      const current = await rig.bench.makeLogin();
      const alive = await hold(current, 2);
      const candidate = await rig.applied(rig.stepFor(current, 'dual-password', { emergency: true }));
      const step = rig.stepFor(candidate, 'dual-password', { emergency: true });
      const outcome = await rig.rotator.retire(step, current);
      expect(outcome).toMatchObject({
        kind: 'failed',
        code: 'sessions-open',
        message: expect.stringContaining('2 of its sessions are still open'),
        hint: expect.stringContaining(rig.bench.flavour.endSessions),
      });
      expect(await rig.bench.logsIn(current)).toBe(false);
      await mayEndSessions(true);
      expect(await rig.rotator.retire(step, current)).toEqual({ kind: 'retired', sessionsEnded: 2 });
      await mayEndSessions(false);
      expect(await alive()).toBe(0);
    });
  });
}
