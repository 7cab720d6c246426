/** Where the Bicep compiler is. Neither npm nor Debian has it, so `npm run fetch:bicep` puts it into a cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../nuget.ts';

/** The version that the templates are compiled with: another one may print another main.json. */
export const bicepVersion = '0.49.2';

/** The folder that holds the program, complete or not there at all. */
export function bicepFolder(): string {
  return cacheFolder(`bicep-${bicepVersion}`);
}

/** Undefined where it was not fetched yet. */
export function bicepProgram(): string | undefined {
  const program = join(bicepFolder(), 'bicep');
  return existsSync(program) ? program : undefined;
}
