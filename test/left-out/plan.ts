/** Which test files a run leaves out, and what its last lines say of them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bicepProgram } from '../../local/bicep/files.ts';
import { debianPostgres } from '../../local/debian-postgres.ts';
import { mysqlFiles } from '../../local/mysql/files.ts';
import { powershell } from '../../local/powershell/files.ts';
import { isInstalled } from '../../local/programs.ts';
import { pythonWithDrivers } from '../recipes/python-program.ts';
import { type Program, programsOf } from './programs.ts';
import { slow } from './slow.ts';

export interface Plan {
  /** Test files, by their path from the root. */
  readonly all: readonly string[];
  /** Those that need a program this machine lacks, with what they lack. */
  readonly lacking: ReadonlyMap<string, readonly Program[]>;
  /** Those that a quick run leaves to `npm test`. */
  readonly slow: readonly string[];
}

export interface Machine {
  readonly inCi: boolean;
  readonly quick: boolean;
  readonly has: (program: string) => boolean;
}

/** Programs that are on nobody's path. */
const elsewhere: ReadonlyMap<string, () => boolean> = new Map([
  ['bicep', () => bicepProgram() !== undefined],
  ['powershell', () => powershell() !== undefined],
  ['mysqld', () => mysqlFiles() !== undefined],
  ['postgres of Debian', () => debianPostgres() !== undefined],
  ['Python with psycopg, psycopg2 and SQLAlchemy', () => pythonWithDrivers() !== undefined],
]);

/** What the environment says: `CI` is set in CI, `TESTS=quick` by `npm run test:quick`. */
export const thisMachine: Machine = {
  inCi: process.env['CI'] !== undefined,
  quick: process.env['TESTS'] === 'quick',
  has: (program) => elsewhere.get(program)?.() ?? isInstalled(program),
};

/** Plans a run of the tests below `root`. In CI a missing program is not left out unless it is optional, so that it fails there. */
export function planRun(root: string, machine: Machine = thisMachine): Plan {
  const all = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => `test/${path}`)
    .sort();
  const isMissing = ({ name, optional }: Program) => !machine.has(name) && (!machine.inCi || optional === true);
  const lacking = new Map<string, readonly Program[]>();
  for (const file of all) {
    const missing = programsOf(root, join(root, file)).filter(isMissing);
    if (missing.length > 0) lacking.set(file, missing);
  }
  const isSlow = (file: string) =>
    machine.quick && !machine.inCi && slow.some((beginning) => file.startsWith(beginning));
  return { all, lacking, slow: all.filter((file) => isSlow(file) && !lacking.has(file)) };
}

/** The last lines of the run: every file that was left out, and the command that brings it. Empty when nothing was left out. */
export function lastLines({ all, lacking, slow }: Plan): readonly string[] {
  const lines: string[] = [];
  if (slow.length > 0) {
    lines.push(`Left out of this quick run, ${slow.length} of ${all.length} test files; "npm test" runs them:`);
    lines.push(...slow.map((file) => `  ${file}`), '');
  }
  if (lacking.size > 0) {
    lines.push(`Left out, ${lacking.size} of ${all.length} test files, for want of what this machine does not have:`);
    const width = Math.max(...[...lacking.keys()].map((file) => file.length));
    for (const [file, missing] of lacking)
      lines.push(`  ${file.padEnd(width)}  ${missing.map(({ name }) => name).join(', ')}`);
    const sources = new Set([...lacking.values()].flat().map(({ from }) => from));
    const elsewhere = [...sources].flatMap((from) => ('elsewhere' in from ? [from.elsewhere] : []));
    const packages = [...sources].flatMap((from) => ('packages' in from ? from.packages.split(' ') : []));
    lines.push('To run them too:', ...elsewhere.map((source) => `  ${source}`));
    if (packages.length > 0)
      lines.push(`  apt-get install --no-install-recommends ${[...new Set(packages)].sort().join(' ')}`);
  }
  return lines;
}
