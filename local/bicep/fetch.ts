/**
 * Fetches the Bicep compiler into the cache: `npm run fetch:bicep`. It needs the .NET SDK, and takes the package that Microsoft publishes on
 * NuGet from the account's own package source. Nothing is installed.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { bicepFolder, bicepProgram, bicepVersion } from './files.ts';

const platforms: Readonly<Record<string, string>> = {
  'linux x64': 'linux-x64',
  'linux arm64': 'linux-arm64',
  'darwin x64': 'osx-x64',
  'darwin arm64': 'osx-arm64',
};

/** Why Bicep is not available on this machine. */
class NotAvailable extends Error {
  override readonly name = 'NotAvailable';
}

/** A project that downloads one package and refers to nothing. */
function project(name: string): string {
  return `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><RestorePackagesPath>packages</RestorePackagesPath></PropertyGroup>
  <ItemGroup><PackageDownload Include="${name}" Version="[${bicepVersion}]" /></ItemGroup>
</Project>
`;
}

async function restore(folder: string): Promise<void> {
  const options = {
    cwd: folder,
    timeout: 300_000,
    env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' },
  };
  try {
    await promisify(execFile)('dotnet', ['restore', 'bicep.csproj'], options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ENOENT') {
      throw new NotAvailable('it needs the .NET SDK 10, https://dotnet.microsoft.com/download', { cause: error });
    }
    const said = 'stdout' in error ? String(error.stdout).trim().split('\n').slice(-3).join('\n') : error.message;
    throw new NotAvailable(`dotnet restore failed:\n${said}`, { cause: error });
  }
}

async function fetchBicep(): Promise<string> {
  const target = bicepFolder();
  if (bicepProgram() !== undefined) return `Bicep is there already: ${target}`;
  const platform = platforms[`${process.platform} ${process.arch}`];
  if (platform === undefined) throw new NotAvailable(`no package is known for ${process.platform} on ${process.arch}`);
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(`${target}-`);
  try {
    const name = `Azure.Bicep.CommandLine.${platform}`;
    await writeFile(join(work, 'bicep.csproj'), project(name));
    await restore(work);
    const built = join(work, 'built');
    await mkdir(built);
    await copyFile(join(work, 'packages', name.toLowerCase(), bicepVersion, 'tools', 'bicep'), join(built, 'bicep'));
    await chmod(join(built, 'bicep'), 0o755);
    await takePlace(built, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return `Bicep is in ${target}`;
}

// Another run may have finished first, with the same file.
async function takePlace(built: string, target: string): Promise<void> {
  try {
    await rename(built, target);
  } catch (error) {
    if (bicepProgram() === undefined) throw error;
  }
}

try {
  console.log(await fetchBicep());
} catch (error) {
  if (!(error instanceof NotAvailable)) throw error;
  console.error(`Bicep is not available here: ${error.message}`);
  process.exitCode = 1;
}
