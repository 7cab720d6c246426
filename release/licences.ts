/** The licence texts of all packages whose code is in a bundle, as their licences ask of whoever passes them on. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().optional(),
  author: z.union([z.string(), z.object({ name: z.string() })]).optional(),
});

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as the package declares it. */
  readonly licence: string;
  /** The text that it ships; undefined where it ships none. */
  readonly text: string | undefined;
}

/** Every package that has code in the bundle, by name. Rejects where one declares no licence: it could not be passed on. */
export async function bundledPackages(root: string, metafile: Metafile): Promise<readonly BundledPackage[]> {
  const folders = new Set(Object.keys(metafile.inputs).flatMap((path) => folderOf(path) ?? []));
  const packages = await Promise.all([...folders].sort().map((folder) => read(join(root, folder))));
  return packages.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The innermost package that a file belongs to. */
function folderOf(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

async function read(folder: string): Promise<BundledPackage> {
  const { name, version, license } = manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  if (license === undefined) throw new Error(`${name} ${version} declares no licence, so it must not be bundled`);
  const files = (await readdir(folder)).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return { name, version, licence: license, text: texts.length === 0 ? undefined : texts.join('\n') };
}

/** One text file for people. */
export function licencesText(packages: readonly BundledPackage[]): string {
  const parts = packages.map(({ name, version, licence, text }) => {
    const body = text?.trim() ?? `The package ships no text of its licence. It declares: ${licence}.`;
    return `${name} ${version} (${licence})\n\n${body}\n`;
  });
  return ['Keyturn contains code of these packages, each under its own licence.\n', ...parts].join(
    `\n${'-'.repeat(79)}\n\n`,
  );
}
