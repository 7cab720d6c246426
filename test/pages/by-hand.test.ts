/**
 * Break-glass in all its forms: whatever the rotator, the strategy and the way the value is written, the commands of the pages rotate by hand,
 * and Keyturn goes on from there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFiles } from '../tidy/files.ts';
import { type Block, blocksOf } from './blocks.ts';
import type { Target, TargetKind } from './targets.ts';
import { startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(() => world.close());

function blocks(page: string): readonly Block[] {
  const file = projectFiles().find(({ path }) => path === `docs/${page}.md`);
  return blocksOf(page, file?.text ?? '');
}

/** The block of a page that holds these words. */
function block(page: string, words: string): string {
  const found = blocks(page).filter(({ text }) => text.includes(words));
  if (found.length === 0) throw new Error(`docs/${page}.md has no block with "${words}"`);
  return found[0]?.text ?? '';
}

const parts = (target: Target) => {
  const url = new URL(target.value.replace(/^rediss?:/, 'redis:'));
  return { port: url.port, path: url.pathname.slice(1) };
};

/** The value of a target, written in another way. */
const written: Readonly<Record<string, (target: Target) => string>> = {
  'its usual form': ({ value }) => value,
  'JSON with fields': (target) =>
    JSON.stringify(
      {
        engine: target.rotator,
        host: '127.0.0.1',
        port: Number(parts(target).port),
        dbname: parts(target).path,
        username: 'orders_app',
        password: target.appPassword,
        sslmode: 'require',
      },
      null,
      1,
    ),
  'JSON with a URL': ({ value }) => `{"DATABASE_URL":"${value}"}`,
  libpq: (target) =>
    `host=127.0.0.1 port=${parts(target).port} dbname=orders user=orders_app password='${target.appPassword}' sslmode=require`,
  'ADO.NET': (target) =>
    `Host=127.0.0.1;Port=${parts(target).port};Database=orders;Username=orders_app;Password=${target.appPassword};SSL Mode=Require`,
  'StackExchange.Redis': (target) =>
    `127.0.0.1:${parts(target).port},user=orders_app,password=${target.appPassword},ssl=True`,
};

interface Case {
  readonly kind: TargetKind;
  readonly strategy: string;
  readonly value: string;
  readonly page: string;
  /** Words of the page's block. */
  readonly words: string;
  readonly overlap: boolean;
}

const forms: Readonly<Record<TargetKind, readonly string[]>> = {
  postgres: ['its usual form', 'JSON with fields', 'JSON with a URL', 'libpq', 'ADO.NET'],
  mysql: ['its usual form', 'JSON with fields'],
  mariadb: ['its usual form', 'JSON with fields'],
  redis: ['its usual form', 'StackExchange.Redis'],
  'sql-server': ['its usual form'],
};
const ways: readonly (Omit<Case, 'value'> & { readonly kind: TargetKind })[] = [
  { kind: 'postgres', strategy: 'alternating-users', page: 'rotators/postgres', words: 'put "$IDLE"', overlap: true },
  { kind: 'postgres', strategy: 'single-user', page: 'rotators/postgres', words: '--old-days 0', overlap: false },
  {
    kind: 'sql-server',
    strategy: 'alternating-users',
    page: 'rotators/sql-server',
    words: 'put "$IDLE"',
    overlap: true,
  },
  { kind: 'sql-server', strategy: 'single-user', page: 'rotators/sql-server', words: '--old-days 0', overlap: false },
  { kind: 'mysql', strategy: 'alternating-users', page: 'rotators/mysql', words: 'put "$IDLE"', overlap: true },
  { kind: 'mysql', strategy: 'dual-password', page: 'rotators/mysql', words: 'RETAIN', overlap: true },
  { kind: 'mysql', strategy: 'single-user', page: 'rotators/mysql', words: '--old-days 0', overlap: false },
  { kind: 'mariadb', strategy: 'alternating-users', page: 'rotators/mysql', words: 'put "$IDLE"', overlap: true },
  { kind: 'mariadb', strategy: 'dual-password', page: 'rotators/mysql', words: 'global_priv', overlap: true },
  { kind: 'mariadb', strategy: 'single-user', page: 'rotators/mysql', words: '--old-days 0', overlap: false },
  { kind: 'redis', strategy: 'dual-password', page: 'rotators/redis', words: '--old-days 2', overlap: true },
  { kind: 'redis', strategy: 'single-user', page: 'rotators/redis', words: '--old-days 0', overlap: false },
];
const cases = ways.flatMap((way) => forms[way.kind].map((value): Case => ({ ...way, value })));

describe('by hand, on', () => {
  it.each(cases)(
    '$kind, $strategy, $value: published as it logs in, and Keyturn goes on',
    { timeout: 60_000 },
    async (one) => {
      const shell = await world.shell([one.kind]);
      const target = await world.target(one.kind);
      const before = written[one.value]?.(target) ?? '';
      await world.reset(target, { value: before, tags: { strategy: one.strategy, team: 'shop' } });
      if (one.kind === 'postgres' && one.strategy === 'alternating-users') await makeIdle(target);
      try {
        for (const text of [
          block('on-call/break-glass', 'functionapp stop'),
          ...helpers(one.page),
          block(one.page, one.words),
        ]) {
          const { ended, err } = await shell.run(text, '');
          expect({ ended, err: ended.length === 0 ? '' : err }).toEqual({ ended: [], err: '' });
        }
      } finally {
        await shell.close();
      }
      const versions = world.azure.vault.versions('orders-db');
      const newest = versions.at(-1);
      expect(versions).toHaveLength(2);
      expect(newest?.value).not.toContain(target.appPassword);
      expect(newest?.tags).toMatchObject({ rotator: target.rotator, team: 'shop' });
      expect(newest?.contentType).toBe('text/plain');
      const shown = await world.must('show', 'orders-db', '--json');
      expect(JSON.parse(shown.out)).toMatchObject({ state: one.overlap ? 'overlap' : 'healthy' });
      const plan = await world.keyturn('plan', 'orders-db');
      expect(plan.out).toMatch(/passed +current credential/);
      expect(plan.out).not.toMatch(/^failed /m);
    },
  );
});

/** Functions that the page defines in a block of its own. */
function helpers(page: string): readonly string[] {
  return blocks(page).flatMap(({ text }) => (text.includes('login_as() {') ? [text] : []));
}

/** The second login, as an earlier rotation has left it. */
async function makeIdle(target: Target): Promise<void> {
  await target.run(
    'SET ROLE rotation_admin; CREATE ROLE orders_app_alt WITH LOGIN PASSWORD NULL; GRANT orders_app TO orders_app_alt WITH INHERIT TRUE, SET TRUE; RESET ROLE',
  );
  await target.run("ALTER ROLE orders_app_alt SET role TO 'orders_app'");
}
