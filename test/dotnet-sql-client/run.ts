/** Builds the .NET client and runs it against a server. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
const project = join(import.meta.dirname, 'client.csproj');
/** Outside of what is checked in; a second build finds it and takes a few seconds. */
const output = join(import.meta.dirname, '../../node_modules/.cache/dotnet-sql-client');

// No process of the build outlives it, and nothing is reported to anybody.
const environment = {
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  DOTNET_NOLOGO: '1',
  DOTNET_CLI_UI_LANGUAGE: 'en',
  MSBUILDDISABLENODEREUSE: '1',
};
const properties = [
  '-p:UseSharedCompilation=false',
  `-p:BaseIntermediateOutputPath=${output}/obj/`,
  '-p:UseAppHost=false',
];

const line = z.object({ name: z.string(), seen: z.unknown() });

/** What the client saw, by claim. `certificate` is the file of the server's own certificate. */
export async function dotnetClient(about: {
  readonly port: number;
  readonly saPassword: string;
  readonly certificate: string;
}): Promise<ReadonlyMap<string, unknown>> {
  const env = { ...process.env, ...environment };
  const build = ['build', project, '-c', 'Release', '-v', 'quiet', '-nodeReuse:false', '-o', `${output}/bin`];
  await run('dotnet', [...build, ...properties], { env, timeout: 120_000 });
  const { stdout } = await run('dotnet', [`${output}/bin/client.dll`], {
    env: {
      ...env,
      SERVER: `127.0.0.1,${about.port}`,
      SA: about.saPassword,
      CERTIFICATE: about.certificate,
    },
    timeout: 60_000,
  });
  const lines = stdout.split('\n').filter((text) => text.trim() !== '');
  return new Map(lines.map((text) => line.parse(JSON.parse(text))).map(({ name, seen }) => [name, seen]));
}
