/** The software bill of materials of the app: what it depends on at run time, as CycloneDX 1.6, by the tool of that project. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Writes it to `file`. Needs what `npm ci` installed; the same dependencies always give the same file. */
export async function writeSbom(root: string, file: string): Promise<void> {
  const tool = join(root, 'node_modules', '@cyclonedx', 'cyclonedx-npm', 'bin', 'cyclonedx-npm-cli.js');
  const options = [
    '--omit',
    'dev',
    '--output-reproducible',
    '--flatten-components',
    '--spec-version',
    '1.6',
    '--output-file',
    file,
  ];
  await promisify(execFile)(process.execPath, [tool, ...options], { cwd: root });
}
