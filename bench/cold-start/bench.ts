import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { buildApp, bundle } from '../../build.ts';
import type { Run } from '../bench.ts';
import { measurePairs, rounded } from '../pairs.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const loader = fileURLToPath(new URL('load.ts', import.meta.url));

const printed = z.object({ ms: z.number().positive(), functions: z.number().int().positive() });

/** What an app in Azure has: the addresses are never called while it loads. */
const settings = {
  AzureWebJobsStorage: `DefaultEndpointsProtocol=https;AccountName=keyturnbench;AccountKey=${Buffer.alloc(64).toString('base64')};EndpointSuffix=core.windows.net`,
  KEYTURN_VAULTS: 'https://keyturn-bench.vault.azure.net',
  KEYTURN_TENANT_ID: '2f1b6f0c-6a35-4d0e-9a58-0d1f1f6b7c11',
  KEYTURN_API_AUDIENCE: '2f1b6f0c-6a35-4d0e-9a58-0d1f1f6b7c12',
};

export const run: Run = async ({ quick, progress }) => {
  const folder = await builtApps();
  try {
    let functions = 0;
    const measured = await measurePairs(
      async () => {
        const loaded = await load(join(folder, 'keyturn'));
        functions = loaded.functions;
        return loaded.ms;
      },
      async () => (await load(join(folder, 'hello'))).ms,
      { warmUp: quick ? 1 : 3, pairs: quick ? 2 : 40, progress },
    );
    return [
      {
        name: 'cold-start',
        ratio: rounded(measured.ratio, 3),
        appMs: rounded(measured.firstMs, 1),
        helloMs: rounded(measured.secondMs, 1),
        functions,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Both apps, in a folder of the project that git does not see. */
async function builtApps(): Promise<string> {
  await mkdir(join(root, '.local'), { recursive: true });
  const folder = await mkdtemp(join(root, '.local', 'cold-start-'));
  await buildApp(join(folder, 'keyturn'));
  await bundle('bench/cold-start/hello', join(folder, 'hello'));
  return folder;
}

/** A process of its own for each load: nothing of the load before is left in it but the system's cache of files. */
async function load(folder: string): Promise<z.infer<typeof printed>> {
  const env = { PATH: process.env['PATH'] ?? '', ...settings };
  const { stdout } = await execute(process.execPath, [loader, folder], { env });
  return printed.parse(JSON.parse(stdout));
}
