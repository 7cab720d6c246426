/** Fetches PowerShell and Pester into the cache: `npm run fetch:powershell`. It needs the .NET SDK. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchAsProgram, fetchPackages } from '../nuget.ts';
import { pesterVersion, powershell, powershellFolder, powershellVersion } from './files.ts';

async function fetchPowerShell(): Promise<string> {
  const target = powershellFolder();
  if (powershell() !== undefined) return `PowerShell is there already: ${target}`;
  const packages = [
    { name: 'PowerShell', version: powershellVersion },
    { name: 'Pester', version: pesterVersion },
  ];
  await fetchPackages(target, packages, async ([shell = '', pester = ''], built) => {
    const system = process.platform === 'win32' ? 'win' : 'unix';
    await cp(join(shell, 'tools', 'net10.0', 'any', system), join(built, 'powershell'), { recursive: true });
    await cp(join(pester, 'tools'), join(built, 'Pester'), { recursive: true });
  });
  return `PowerShell and Pester are in ${target}`;
}

await fetchAsProgram('PowerShell', fetchPowerShell);
