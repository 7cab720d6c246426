/** Where PowerShell and its test runner are. Debian has neither, so `npm run fetch:powershell` puts them into a cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../nuget.ts';

export const powershellVersion = '7.6.9';
export const pesterVersion = '6.2.0';

/** The folder that holds both, complete or not there at all. */
export function powershellFolder(): string {
  return cacheFolder(`powershell-${powershellVersion}-pester-${pesterVersion}`);
}

export interface PowerShell {
  /** The program to start, and its first arguments. */
  readonly command: readonly [string, ...string[]];
  /** What `Import-Module` takes. */
  readonly pester: string;
}

/**
 * Undefined where it was not fetched yet. `pwsh` of the package is a launcher that starts this program as a child and passes no signal on,
 * so the program itself is named here.
 */
export function powershell(): PowerShell | undefined {
  const program = join(powershellFolder(), 'powershell', 'pwsh.dll');
  if (!existsSync(program)) return undefined;
  return { command: ['dotnet', program], pester: join(powershellFolder(), 'Pester', 'Pester.psd1') };
}
