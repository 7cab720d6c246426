/** Fetches the Bicep compiler into the cache: `npm run fetch:bicep`. It needs the .NET SDK. */
import { chmod, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchAsProgram, fetchPackages, NotAvailable } from '../nuget.ts';
import { bicepFolder, bicepProgram, bicepVersion } from './files.ts';

const platforms: Readonly<Record<string, string>> = {
  'linux x64': 'linux-x64',
  'linux arm64': 'linux-arm64',
  'darwin x64': 'osx-x64',
  'darwin arm64': 'osx-arm64',
};

async function fetchBicep(): Promise<string> {
  const target = bicepFolder();
  if (bicepProgram() !== undefined) return `Bicep is there already: ${target}`;
  const platform = platforms[`${process.platform} ${process.arch}`];
  if (platform === undefined) throw new NotAvailable(`no package is known for ${process.platform} on ${process.arch}`);
  const wanted = { name: `Azure.Bicep.CommandLine.${platform}`, version: bicepVersion };
  await fetchPackages(target, [wanted], async ([folder = ''], built) => {
    await copyFile(join(folder, 'tools', 'bicep'), join(built, 'bicep'));
    await chmod(join(built, 'bicep'), 0o755);
  });
  return `Bicep is in ${target}`;
}

await fetchAsProgram('Bicep', fetchBicep);
