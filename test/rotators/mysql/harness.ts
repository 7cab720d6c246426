/** MySQL and MariaDB as targets of the conformance suite. */
import { mysql } from '../../../rotators/mysql/entry.ts';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import type { Strategy } from '../../../shared/contract/strategy.ts';
import type { Breakage, Features, RotatorHarness } from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';
import { type Flavour, host, type MysqlBench, mysqlTarget, powerless } from './bench.ts';

/** `longest`: characters that a name may have so that its second login still has room for its ending. */
export function harnessOf(flavour: Flavour, longest: number): RotatorHarness<MysqlTags> {
  const running: { bench?: MysqlBench } = {};
  const bench = () => {
    if (running.bench === undefined) throw new Error('the target was not started');
    return running.bench;
  };
  return {
    entry: mysql,
    features,
    hostileNames: [`o'brien"; DROP USER x;--`, 'a`b\\c', 'größe %_@host', '$(id) {{x}}', 'x'.repeat(longest)],
    breakages: (strategy) => breakages(bench, strategy),
    start: async (strategy) => {
      const target = await mysqlTarget(flavour, strategy);
      running.bench = target.bench;
      return target;
    },
  };
}

function features(strategy: Strategy): Features {
  return {
    sessions: strategy === 'alternating-users' ? 'seen' : 'unseen',
    admin: true,
    selfRotation: strategy !== 'alternating-users',
    network: 'endpoint',
    retirement: 'refuses',
  };
}

function breakages(bench: () => MysqlBench, strategy: Strategy): Readonly<Record<string, Breakage<MysqlTags>>> {
  const all: Record<string, Breakage<MysqlTags>> = {
    'an admin without rights': async () => ({
      admin: { kind: 'connection', secret: 'mysql-admin', credential: powerless },
    }),
    'a login that does not exist': async () => ({ current: { username: 'nobody', password: newPassword() } }),
    'a login without a password': async (scene) => {
      const { flavour, asOwner } = bench();
      await asOwner(`ALTER USER ?@? ${flavour.withoutPassword}`, [scene.current.username, host]);
      return {};
    },
  };
  if (strategy !== 'alternating-users') return all;
  return {
    ...all,
    'a second login that may do more': async (scene) => {
      const name = `${scene.current.username}_alt`;
      await bench().makeLogin({ name });
      await bench().asOwner('GRANT DELETE ON orders.* TO ?@?', [name, host]);
      return {};
    },
    'a second login that may do less': async (scene) => {
      const name = `${scene.current.username}_alt`;
      await bench().makeLogin({ name });
      await bench().asOwner('REVOKE INSERT ON orders.* FROM ?@?', [name, host]);
      return {};
    },
  };
}
