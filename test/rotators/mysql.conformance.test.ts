import { describe } from 'vitest';
import { mysql } from '../../rotators/mysql/entry.ts';
import type { MysqlTags } from '../../rotators/mysql/tags.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { type Breakage, describeRotator, type Features } from '../conformance/rotator-conformance.ts';
import { newPassword } from '../conformance/step.ts';
import { type MariadbBench, mariadbTarget, powerless } from './mariadb-bench.ts';
import { standInTarget } from './mysql-stand-in/bench.ts';

const running: { bench?: MariadbBench } = {};

function bench(): MariadbBench {
  if (running.bench === undefined) throw new Error('the target was not started');
  return running.bench;
}

const hostileNames = [`o'brien"; DROP USER x;--`, 'a`b\\c', 'größe %_@host', '$(id) {{x}}', 'x'.repeat(76)];

function features(strategy: Strategy): Features {
  return {
    sessions: strategy === 'alternating-users' ? 'seen' : 'unseen',
    admin: true,
    selfRotation: strategy !== 'alternating-users',
    network: 'endpoint',
    retirement: 'refuses',
  };
}

describeRotator('mysql', {
  entry: mysql,
  features,
  hostileNames,
  breakages,
  start: async (strategy) => {
    const target = await mariadbTarget(strategy);
    running.bench = target.bench;
    return target;
  },
});

describe('MySQL 8', () => {
  describeRotator('mysql', {
    entry: mysql,
    features,
    hostileNames: [`o'brien"; DROP USER x;--`, 'a`b\\c', 'größe %_@host'],
    breakages: () => ({
      'a login that does not exist': async () => ({ current: { username: 'nobody', password: newPassword() } }),
    }),
    start: standInTarget,
  });
});

function breakages(strategy: Strategy): Readonly<Record<string, Breakage<MysqlTags>>> {
  const all: Record<string, Breakage<MysqlTags>> = {
    'an admin without rights': async () => ({
      admin: { kind: 'connection', secret: 'mariadb-admin', credential: powerless },
    }),
    'a login that does not exist': async () => ({ current: { username: 'nobody', password: newPassword() } }),
    'a login without a password': async (scene) => {
      await bench().asOwner('ALTER USER ?@? IDENTIFIED VIA unix_socket', [scene.current.username, '127.%']);
      return {};
    },
  };
  if (strategy !== 'alternating-users') return all;
  return {
    ...all,
    'a second login that may do more': async (scene) => {
      const name = `${scene.current.username}_alt`;
      await bench().makeLogin({ name });
      await bench().asOwner('GRANT DELETE ON orders.* TO ?@?', [name, '127.%']);
      return {};
    },
    'a second login that may do less': async (scene) => {
      const name = `${scene.current.username}_alt`;
      await bench().makeLogin({ name });
      await bench().asOwner('REVOKE INSERT ON orders.* FROM ?@?', [name, '127.%']);
      return {};
    },
  };
}
