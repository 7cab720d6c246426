/** A PATH as on a machine that lacks some programs. */
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programFolders } from '../../local/programs.ts';

export interface HiddenPrograms {
  readonly path: string;
  close(): Promise<void>;
}

/** Every program of this machine but these. */
export async function withoutPrograms(hidden: readonly string[]): Promise<HiddenPrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-path-'));
  const seen = new Set(hidden);
  for (const from of programFolders()) {
    const names = await readdir(from).catch((error: unknown) => {
      // Folders of a PATH need not exist.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    });
    for (const name of names) {
      if (seen.has(name)) continue;
      seen.add(name);
      await symlink(join(from, name), join(folder, name));
    }
  }
  return { path: folder, close: () => rm(folder, { recursive: true }) };
}
