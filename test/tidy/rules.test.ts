/** The rules themselves: each finds what it is there for, and lets the neighbour of it be. */
import { describe, expect, it } from 'vitest';
import { findCycle } from './cycles.ts';
import { wrongImport } from './directions.ts';
import { missingFromLock } from './lock.ts';
import { readSource } from './source.ts';
import { forbiddenWords, readByPeople, registryOfThisMachine, strange } from './text.ts';

const glue = (...parts: string[]) => parts.join('');

describe('directions', () => {
  it.each([
    ['shared/engine/rotation/rotate.ts', '../../vault/key-vault.ts'],
    ['shared/engine/rotation/rotate.ts', '../../../rotators/postgres/index.ts'],
    ['shared/contract/ports.ts', '../engine/rotation/rotate.ts'],
    ['rotators/postgres/index.ts', '../../shared/engine/rotation/rotate.ts'],
    ['rotators/postgres/index.ts', '../../shared/vault/key-vault.ts'],
    ['rotators/postgres/index.ts', '../redis/index.ts'],
    ['rotators/postgres/index.ts', '@azure/keyvault-secrets'],
    ['rotators/postgres/deep/index.ts', '../../redis/index.ts'],
    ['rotators/common/tls.ts', '../postgres/index.ts'],
    ['shared/vault/key-vault.ts', '../storage/leases.ts'],
    ['shared/vault/key-vault.ts', 'pg'],
    ['functions/rotate.ts', '../rotators/registry.ts'],
    ['functions/rotate.ts', '../local/start.ts'],
    ['functions/compose.ts', '../test/tidy.test.ts'],
    ['shared/engine/rotation/rotate.ts', '@azure/functions'],
    ['shared/engine/rotation/rotate.ts', '../../operations/perform.ts'],
    ['shared/engine/rotation/rotate.ts', '../sweep/judge.ts'],
    ['shared/engine/retirement/retire.ts', '../rotation/probe.ts'],
    ['shared/engine/running/target.ts', '../rotation/rotate.ts'],
    ['shared/engine/policy/due.ts', '../running/dependencies.ts'],
    ['shared/engine/sweep/judge.ts', '../running/dependencies.ts'],
    ['shared/engine/new.ts', './policy/due.ts'],
    ['shared/engine/new/new.ts', '../policy/due.ts'],
    ['somewhere/new.ts', '../shared/errors.ts'],
  ])('refuse %s the import of %s', (path, from) => {
    expect(wrongImport(path, { from, typeOnly: false, line: 1 })).toBeTypeOf('string');
  });

  it.each([
    ['functions/compose.ts', '../rotators/registry.ts'],
    ['functions/compose.ts', '../shared/vault/key-vault.ts'],
    ['functions/rotate.ts', '../shared/engine/rotation/rotate.ts'],
    ['functions/rotate.ts', './compose.ts'],
    ['shared/engine/rotation/rotate.ts', './probe.ts'],
    ['shared/engine/rotation/rotate.ts', '../policy/due.ts'],
    ['shared/engine/rotation/rotate.ts', '../retirement/retire.ts'],
    ['shared/operations/perform.ts', '../engine/rotation/rotate.ts'],
    ['shared/engine/rotation/rotate.ts', '../../contract/ports.ts'],
    ['rotators/registry.ts', './postgres/index.ts'],
    ['rotators/postgres/index.ts', 'pg'],
    ['rotators/postgres/deep/index.ts', '../sql.ts'],
    ['rotators/postgres/index.ts', '../common/tls.ts'],
    ['test/vault/key-vault.test.ts', '../../local/vault/server.ts'],
    ['shared/vault/key-vault.ts', '@azure/keyvault-secrets'],
    ['shared/engine/rotation/rotate.ts', 'node:crypto'],
  ])('allow %s the import of %s', (path, from) => {
    expect(wrongImport(path, { from, typeOnly: false, line: 1 })).toBeUndefined();
  });
});

describe('cycles', () => {
  it('are found wherever they start', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ]);
    expect(findCycle(graph)).toEqual(['b', 'd', 'b']);
  });

  it('are not seen in two ways to the same file', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', ['d']],
      ['c', ['d']],
      ['d', []],
    ]);
    expect(findCycle(graph)).toBeUndefined();
  });
});

describe('source', () => {
  const read = (text: string) => readSource('sample.ts', text);

  it('names every kind of import, and knows types from values', () => {
    const { imports } = read(
      "import type { A } from './a.ts';\nimport { type B } from './b.ts';\nimport './c.ts';\nexport * from './d.ts';\nexport type { E } from './e.ts';\nconst f = () => import('./f.ts');\nimport g from 'g';",
    );
    expect(imports.map((one) => `${one.from} ${one.typeOnly} ${one.line}`).sort()).toEqual([
      './a.ts true 1',
      './b.ts true 2',
      './c.ts false 3',
      './d.ts false 4',
      './e.ts true 5',
      './f.ts false 6',
      'g false 7',
    ]);
  });

  it('finds a function of 71 lines and lets one of 70 be', () => {
    const body = (lines: number) => `function f() {\n${'f();\n'.repeat(lines - 2)}}`;
    expect(read(body(70)).longFunctions).toEqual([]);
    expect(read(`\n${body(71)}`).longFunctions).toEqual([{ line: 2, what: 'function of 71 lines' }]);
    expect(read(`const f = () => {\n${'f();\n'.repeat(80)}}`).longFunctions).toHaveLength(1);
    expect(read(`class A { m() {\n${'f();\n'.repeat(80)}} }`).longFunctions).toHaveLength(1);
    expect(read(`describe('x', () => {\n${'it(x);\n'.repeat(80)}});`).longFunctions).toEqual([]);
    expect(read(`function chapter() {\n${'it.each([])(x);\n'.repeat(80)}}`).longFunctions).toEqual([]);
  });

  it('finds casts, "any" and "!", and lets "as const" be', () => {
    const { escapes } = read(
      'const a = b as const;\nconst c = d as string;\nlet e: any;\nconst f = g!;\nconst h = <A>i;',
    );
    expect(escapes.map((one) => one.line)).toEqual([2, 3, 4, 5]);
  });

  it('finds an empty catch, also one with only a comment', () => {
    expect(read('try { f(); } catch { /* gone */ }').emptyCatches).toHaveLength(1);
    expect(read('f().catch(() => {});').emptyCatches).toHaveLength(1);
    expect(read('try { f(); } catch (e) { g(e); }').emptyCatches).toEqual([]);
  });

  it('finds tests that are left out', () => {
    const left = ['it.skip()', 'describe.only()', 'test.todo()', 'it.each([]).skip()', 'it.skipIf(x)()'];
    for (const text of left) expect(read(text).omittedTests, text).toHaveLength(1);
    expect(read('it.each([])(); stream.skip(); list.only;').omittedTests).toEqual([]);
  });
});

describe('the lock file', () => {
  it('must hold the packages of other platforms, wherever they would be found', () => {
    const packages = {
      'node_modules/tool': { optionalDependencies: { 'tool-linux': '1.0.0', 'tool-mac': '1.0.0', 'tool-pc': '1.0.0' } },
      'node_modules/tool-linux': {},
      'node_modules/tool/node_modules/tool-mac': {},
    };
    expect(missingFromLock({ packages })).toEqual(['tool-pc']);
  });
});

describe('words', () => {
  const found = (text: string) => forbiddenWords({ path: 'a.md', text });

  it.each([
    glue('see /wo', 'rk/main'),
    glue('"/t', 'mp/x"'),
    glue('/ho', 'me/someone/x'),
    glue('https://registry', '.npmjs.org/pg'),
    glue('// @ts', '-ignore'),
    glue('// biome', '-ignore lint: x'),
    glue('// TO', 'DO later'),
  ])('%s is found', (text) => {
    expect(found(`first\n${text}`)).toHaveLength(1);
  });

  it.each([
    glue('/ho', 'me/site/wwwroot'),
    glue('https://host.example/wo', 'rk/items'),
    glue('$dir/t', 'mp/x'),
    'a registry of rotators',
  ])('%s is left alone', (text) => {
    expect(found(text)).toEqual([]);
  });

  it.each([
    ['docs/a.md', glue('Me', 'nd the tag.')],
    ['README.md', glue('it lives for', ' ever')],
    ['cli/a.ts', glue("const help = 'who", "ever asks';")],
    ['shared/a.ts', glue('title: `Somebody else was', ' quicker`,')],
    ['rotators/a/check.ts', glue("'the server lets nobody", " in'")],
    ['runbooks/a.sh', glue('# for bad', ' nights')],
  ])('of another time are found where people read them: %s, %s', (path, text) => {
    const read = readByPeople({ path, text }) ?? '';
    expect(forbiddenWords({ path, text: read }, strange)).toHaveLength(1);
  });

  it.each([
    ['cli/a.ts', glue('/** Who', 'ever reads the code. */')],
    ['shared/a.ts', glue('// an', 'ew\nconst a = 1;')],
    ['test/a.ts', glue("it('who", "ever', f);")],
    ['docs/a.md', 'It lets you see all of it in the log; mention, amended, recommended.'],
  ])('are left alone in what is not read by people, and in other words: %s, %s', (path, text) => {
    const read = readByPeople({ path, text });
    expect(read === undefined ? [] : forbiddenWords({ path, text: read }, strange)).toEqual([]);
  });

  it('the registry of the machine is read from the environment of npm', () => {
    expect(registryOfThisMachine({ npm_config_registry: 'http://packages.example:8081/npm/' })).toBe(
      'packages.example:8081',
    );
    expect(registryOfThisMachine({})).toBeUndefined();
  });
});
