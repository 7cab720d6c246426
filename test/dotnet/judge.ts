/** Asks the real connection-string builders of .NET how they read a text. Needs the .NET SDK (`dotnet`); packages are kept outside the repository. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export const builders = [
  'SqlClient',
  'SqlClient in JSON',
  'Npgsql',
  'MySqlConnector',
  'MySql.Data',
  'StackExchange.Redis',
  'Odbc',
  'EntityFramework',
  'EntityFramework, escaped',
] as const;

export type Builder = (typeof builders)[number];

export interface Question {
  readonly builder: Builder;
  readonly value: string;
}

const answer = z.union([
  z.object({ error: z.string() }),
  z.object({ password: z.string().nullable(), username: z.string().nullable(), host: z.string().nullable() }),
]);

export type Answer = z.infer<typeof answer>;

const folder = fileURLToPath(new URL('.', import.meta.url));

function dotnet(words: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync('dotnet', words, {
    input,
    encoding: 'utf8',
    timeout: 240_000,
    maxBuffer: 512 * 1024 * 1024,
  });
  if (error !== undefined || status !== 0)
    throw new Error(`dotnet ${words[0]} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

/** Builds the program, once for each text of it; what was built lies beside the packages that NuGet keeps for the user. */
function program(): string {
  const hash = createHash('sha256');
  for (const file of ['judge.csproj', 'Program.cs']) hash.update(readFileSync(join(folder, file)));
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keyturn', 'dotnet');
  const built = join(cache, hash.digest('hex').slice(0, 16));
  const path = join(built, 'judge.dll');
  if (existsSync(path)) return path;
  const work = join(cache, `building-${process.pid}`);
  mkdirSync(work, { recursive: true });
  const project = join(folder, 'judge.csproj');
  dotnet([
    'build',
    project,
    '-c',
    'Release',
    '-o',
    join(work, 'bin'),
    `-p:BaseIntermediateOutputPath=${join(work, 'obj')}/`,
  ]);
  // Another run may have been quicker; what it built is the same.
  if (!existsSync(path)) renameSync(join(work, 'bin'), built);
  rmSync(work, { recursive: true, force: true });
  return path;
}

/** How each builder reads its text, in the order of the questions. One run of the program for all. */
export function judge(questions: readonly Question[]): readonly Answer[] {
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join('');
  const lines = dotnet([program()], input).trimEnd().split('\n');
  if (lines.length !== questions.length) throw new Error(`${lines.length} answers to ${questions.length} questions`);
  return lines.map((line) => answer.parse(JSON.parse(line)));
}
