import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

// The same as in .gitignore. The folder is walked instead of asking git, so that the test holds in an unpacked archive too.
const ignoredFolders = new Set(['node_modules', 'dist', '.git', '.local']);
const ignoredFiles = /(\.log|^local\.settings\.json|^\.git)$/;
const binary = /\.(png|jpe?g|gif|ico|woff2?|pfx)$/;

/** A text file of the project; `path` is relative to the root, with `/`. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

function paths(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ignoredFolders.has(entry.name) ? [] : paths(path);
    return ignoredFiles.test(entry.name) || binary.test(entry.name) || !entry.isFile() ? [] : [path];
  });
}

/** Every text file of the project but what git ignores, read once. */
export function projectFiles(): readonly ProjectFile[] {
  return paths('').map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}
