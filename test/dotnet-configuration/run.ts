/** Builds a .NET program around the code of docs/dotnet.md, and has it read a vault. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);
const here = import.meta.dirname;
/** Outside of what is checked in; a second build finds it and takes a few seconds. */
const output = join(here, '../../node_modules/.cache/dotnet-configuration');

// No process of the build outlives it, and nothing is reported to anybody.
const environment = {
  ...process.env,
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  DOTNET_NOLOGO: '1',
  DOTNET_CLI_UI_LANGUAGE: 'en',
  MSBUILDDISABLENODEREUSE: '1',
};

const keys = z.record(z.string(), z.string().nullable());
const seenSchema = z.object({
  /** What a program has that loads everything. */
  whole: keys,
  /** What a program has that skips candidates as the page says. */
  page: keys,
});
export type Seen = z.infer<typeof seenSchema>;

export interface Reader {
  /** What is read now. */
  read(): Promise<Seen>;
  close(): Promise<void>;
}

/** The C# blocks of the page, in its order: a class, and a statement that registers it. */
async function pageCode(): Promise<readonly [string, string]> {
  const page = await readFile(join(here, '../../docs/dotnet.md'), 'utf8');
  const [manager, registration, ...more] = [...page.matchAll(/```csharp\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  if (manager === undefined || registration === undefined || more.length > 0)
    throw new Error('docs/dotnet.md holds two blocks of C#');
  return [manager, registration];
}

async function build(): Promise<void> {
  const folder = join(output, 'page');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const [manager, registration] = await pageCode();
  await writeFile(join(folder, 'Manager.cs'), manager);
  // Compiled, not run: it would ask a vault at Azure.
  const usings = [
    'Azure.Extensions.AspNetCore.Configuration.Secrets',
    'Azure.Identity',
    'Microsoft.AspNetCore.Builder',
  ];
  await writeFile(
    join(folder, 'Registration.cs'),
    `${usings.map((name) => `using ${name};\n`).join('')}internal static class Page {\n  internal static void Register(WebApplicationBuilder builder) {\n${registration}  }\n}\n`,
  );
  const words = ['build', join(here, 'reader.csproj'), '-c', 'Release', '-v', 'quiet', '-nodeReuse:false'];
  const properties = [
    `-p:PageFolder=${folder}`,
    `-p:BaseIntermediateOutputPath=${output}/obj/`,
    '-p:UseSharedCompilation=false',
    '-p:UseAppHost=false',
  ];
  await run('dotnet', [...words, '-o', `${output}/bin`, ...properties], { env: environment, timeout: 150_000 });
}

/** `authority`: the file of the certificate to trust. To be closed. */
export async function startReader(vault: string, authority: string): Promise<Reader> {
  await build();
  const child = spawn('dotnet', [`${output}/bin/reader.dll`], {
    env: { ...environment, VAULT: vault, AUTHORITY: authority },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let asked = false;
  return {
    async read() {
      // The first time it reads without being asked.
      if (asked) child.stdin.write('again\n');
      asked = true;
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the reader ended: ${errors}`);
      return seenSchema.parse(JSON.parse(value));
    },
    close: () =>
      new Promise((resolve) => {
        child.once('close', () => resolve());
        child.stdin.end();
      }),
  };
}
