/** The manifest that an option names, and the environment that is meant. */
import { readFile } from 'node:fs/promises';
import type { Context } from '../command.ts';
import type { OptionTable } from '../options.ts';
import { Stop, usageStop } from '../trouble.ts';
import { readManifest } from './read.ts';
import type { Manifest } from './schema.ts';

export const environmentOption: OptionTable = {
  env: { type: 'string', value: 'NAME', help: 'environment of the manifest (KEYTURN_ENV)' },
};

export interface Loaded {
  readonly manifest: Manifest;
  /** Undefined where the manifest has none. */
  readonly environment: string | undefined;
}

/** Stops with every mistake of the manifest at once. */
export async function loadManifest({ given, env }: Pick<Context, 'given' | 'env'>, path: string): Promise<Loaded> {
  const read = readManifest(await textOf(path));
  if (read.kind === 'wrong') {
    throw new Stop({
      ...{ exit: 'usage', code: 'manifest-invalid', message: `${path} cannot be used as it is` },
      more: read.problems,
      hint: 'Correct what is listed; docs/onboarding.md shows a manifest, and "keyturn apply --schema" prints its schema. Nothing was changed.',
    });
  }
  const { manifest } = read;
  const wanted = given.text('env') ?? env['KEYTURN_ENV']?.trim() ?? '';
  const known = Object.keys(manifest.environments ?? {});
  if (known.length === 0 && given.text('env') === undefined) return { manifest, environment: undefined };
  if (known.includes(wanted)) return { manifest, environment: wanted };
  throw usageStop(
    wanted === '' ? `${path} has several environments` : `${path} has no environment "${wanted}"`,
    known.length === 0 ? 'Leave --env out.' : `Give --env, one of ${known.join(', ')}.`,
  );
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw usageStop(`${path} cannot be read (${code})`, 'Give the path of a manifest with -f.');
  }
}
