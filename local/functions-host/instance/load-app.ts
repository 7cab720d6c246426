/** Loads a function app's folder the way the Node.js worker does: every file that `main` of its package.json names. */
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';

const packageSchema = z.object({ main: z.string().min(1), type: z.enum(['module', 'commonjs']).default('commonjs') });

/** Throws what the app throws while loading, with the entry point named. */
export async function loadApp(folder: string): Promise<void> {
  const { main, type } = readPackage(folder);
  const files = globSync(main, { cwd: folder });
  if (files.length === 0) {
    throw new Error(`Worker was unable to load entry point "${main}": Found zero files matching the supplied pattern`);
  }
  for (const file of files) {
    const path = join(folder, file);
    try {
      if (isModule(path, type)) await import(pathToFileURL(path).href);
      else createRequire(path)(path);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Worker was unable to load entry point "${file}": ${reason}`, { cause });
    }
  }
}

function readPackage(folder: string): z.infer<typeof packageSchema> {
  const path = join(folder, 'package.json');
  const parsed = packageSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} names no entry point: set "main" (${z.prettifyError(parsed.error)})`);
  return parsed.data;
}

function isModule(path: string, type: 'module' | 'commonjs'): boolean {
  if (/\.m[jt]s$/.test(path)) return true;
  if (/\.c[jt]s$/.test(path)) return false;
  return type === 'module';
}
