/** The address and the keys of a stack that `npm start` has started on this machine. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { SecretText } from '../shared/contract/secret-text.ts';
import { parseJson } from '../shared/json.ts';
import { usageStop } from './trouble.ts';

export type LocalRole = 'reader' | 'operator' | 'emergency' | 'consumer';

const key = z.string().min(1);
const file = z.object({
  api: z.object({
    url: z.url(),
    keys: z.object({ reader: key, operator: key, emergency: key, consumer: key }),
  }),
  vault: z.object({ control: z.url() }).optional(),
  estate: z.object({ url: z.url(), token: key }).optional(),
});

export async function readLocalStack(role: LocalRole): Promise<{ readonly url: string; readonly key: SecretText }> {
  const { url, keys } = (await readStackFile()).api;
  return { url, key: new SecretText(keys[role]) };
}

/** Where the clock of the local vault is asked. */
export async function readLocalControl(): Promise<string | undefined> {
  return (await readStackFile()).vault?.control;
}

/** Where the stack plays Resource Manager and Graph, and the token that it takes. */
export async function readLocalEstate(): Promise<{ readonly url: string; readonly token: string }> {
  const { estate } = await readStackFile();
  if (estate !== undefined) return estate;
  throw usageStop('the local stack plays no Resource Manager', 'End "npm start" and start it again.');
}

/** Looked for in this folder, those above it, and the project the CLI is in. `local/start.ts` writes it. */
async function readStackFile(): Promise<z.infer<typeof file>> {
  for (const folder of foldersFrom(process.cwd())) {
    const text = await readIfThere(join(folder, '.local', 'azure.json'));
    if (text === undefined) continue;
    const read = file.safeParse(parseJson(text));
    if (read.success) return read.data;
    throw usageStop('.local/azure.json is not what "npm start" writes', 'End "npm start" and start it again.');
  }
  throw usageStop('no local stack runs: there is no .local/azure.json', 'Run "npm start" and leave it running.');
}

function foldersFrom(start: string): readonly string[] {
  const folders = [start];
  for (let folder = start; dirname(folder) !== folder; folder = dirname(folder)) folders.push(dirname(folder));
  return [...folders, fileURLToPath(new URL('..', import.meta.url))];
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(String(error.code)))
      return undefined;
    throw error;
  }
}
