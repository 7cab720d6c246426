/** All provider descriptions: those that come with Keyturn, and those of the app's own folder, which win. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '../../shared/json.ts';
import { type AnyDescription, descriptionSchema, manualSchema } from './description.ts';
import { builtIn } from './descriptions/index.ts';

export interface Catalog {
  readonly descriptions: ReadonlyMap<string, AnyDescription>;
  /** Every problem of every description that was left out, as `file: path: sentence`. */
  readonly problems: readonly string[];
}

/** Reads the folder's `*.json` files. A description with problems is left out and named; the others stand. */
export async function loadCatalog(folder: string | undefined): Promise<Catalog> {
  const descriptions = new Map<string, AnyDescription>();
  const problems: string[] = [];
  const own = folder === undefined ? [] : await readFolder(folder, problems);
  for (const { file, value } of [
    ...builtIn.map((value, index) => ({ file: `built-in ${index + 1}`, value })),
    ...own,
  ]) {
    const read = readDescription(value);
    if (read.kind === 'described') descriptions.set(read.description.name, read.description);
    else problems.push(...read.problems.map((problem) => `${file}: ${problem}`));
  }
  return { descriptions, problems };
}

export type ReadOutcome =
  | { readonly kind: 'described'; readonly description: AnyDescription }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/** Reads one description; names every problem at once, each with its path. */
export function readDescription(value: unknown): ReadOutcome {
  const isManual = typeof value === 'object' && value !== null && 'manual' in value;
  const result = isManual ? manualSchema.safeParse(value) : descriptionSchema.safeParse(value);
  if (result.success) return { kind: 'described', description: result.data };
  return { kind: 'wrong', problems: result.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`) };
}

async function readFolder(
  folder: string,
  problems: string[],
): Promise<{ readonly file: string; readonly value: unknown }[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
    return await Promise.all(
      names.map(async (name) => ({ file: name, value: parseJson(await readFile(join(folder, name), 'utf8')) })),
    );
  } catch (error) {
    // The app works on with the descriptions it has; whoever names one of the others is told why it is missing.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    problems.push(`the folder of descriptions cannot be read (${code})`);
    return [];
  }
}
