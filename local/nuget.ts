/**
 * Files out of packages that Microsoft publishes on NuGet, put into the account's cache. It takes the .NET SDK and the account's own
 * package source. Nothing is installed.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Why the files are not available on this machine. */
export class NotAvailable extends Error {
  override readonly name = 'NotAvailable';
}

export interface NugetPackage {
  readonly name: string;
  readonly version: string;
}

/** A folder of this project in the account's cache, complete or not there at all. */
export function cacheFolder(name: string): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? '';
  return join(cache === '' ? join(homedir(), '.cache') : cache, 'keyturn', name);
}

/**
 * Makes `target` complete: `build` gets the folders of the packages, in their order, and an empty folder to fill. May be called again and
 * at the same time as another. Throws `NotAvailable`.
 */
export async function fetchPackages(
  target: string,
  packages: readonly NugetPackage[],
  build: (folders: readonly string[], built: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(`${target}-`);
  try {
    await writeFile(join(work, 'fetch.csproj'), project(packages));
    await restore(work);
    const built = join(work, 'built');
    await mkdir(built);
    await build(
      packages.map(({ name, version }) => join(work, 'packages', name.toLowerCase(), version)),
      built,
    );
    await takePlace(built, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A project that downloads packages and refers to none. */
function project(packages: readonly NugetPackage[]): string {
  const items = packages.map(({ name, version }) => `<PackageDownload Include="${name}" Version="[${version}]" />`);
  return `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><RestorePackagesPath>packages</RestorePackagesPath></PropertyGroup>
  <ItemGroup>${items.join('')}</ItemGroup>
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
    await promisify(execFile)('dotnet', ['restore', 'fetch.csproj'], options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ENOENT') {
      throw new NotAvailable('it needs the .NET SDK 10, https://dotnet.microsoft.com/download', { cause: error });
    }
    const said = 'stdout' in error ? String(error.stdout).trim().split('\n').slice(-3).join('\n') : error.message;
    throw new NotAvailable(`dotnet restore failed:\n${said}`, { cause: error });
  }
}

// Another run may have finished first, with the same files.
async function takePlace(built: string, target: string): Promise<void> {
  try {
    await rename(built, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

/** Runs a fetch as a program: says where the files are, or why not with exit code 1. `what`: what is fetched, as a sentence begins. */
export async function fetchAsProgram(what: string, fetch: () => Promise<string>): Promise<void> {
  try {
    console.log(await fetch());
  } catch (error) {
    if (!(error instanceof NotAvailable)) throw error;
    console.error(`${what} is not available here: ${error.message}`);
    process.exitCode = 1;
  }
}
