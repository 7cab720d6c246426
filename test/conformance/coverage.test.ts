import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rotators } from '../../rotators/registry.ts';

const root = new URL('../../', import.meta.url);

/** What a person does is nothing to hold a suite against; test/rotators/manual.test.ts says that it is refused. */
const programs = rotators.filter((entry) => entry.manual === undefined);

test('every rotator of the registry runs the conformance suite, for every strategy it names', () => {
  const missing = programs
    .map((entry) => ({ name: entry.name, file: new URL(`test/rotators/${entry.name}.conformance.test.ts`, root) }))
    .filter(({ name, file }) => !(existsSync(file) && declares(readFileSync(file, 'utf8'), name)))
    .map(({ name }) => name);
  expect(missing).toEqual([]);
  const declared = programs.flatMap((entry) => entry.strategies.map((strategy) => `${entry.name} × ${strategy}`));
  process.stdout.write(`conformance suite declared for:\n${declared.map((line) => `  ${line}\n`).join('')}`);
});

test('every rotator folder stands in the registry once', () => {
  const folders = readdirSync(new URL('rotators/', root), { withFileTypes: true })
    .filter((item) => item.isDirectory() && item.name !== 'common')
    .map((item) => item.name);
  expect(rotators.map((entry) => entry.name).sort()).toEqual(folders.sort());
});

// describeRotator goes through entry.strategies by itself, so one unconditional call at the top of the file covers them all.
function declares(text: string, name: string): boolean {
  return new RegExp(`^describeRotator\\('${name}', `, 'm').test(text) && !/\b(skip|only|todo|runIf)\b/.test(text);
}
