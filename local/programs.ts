/** Where programs of the system are looked for. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/**
 * The folders of PATH and, beside each `bin`, its `sbin`: Debian keeps servers there, and only root has it on the path. A PATH that leads
 * to neither hides the servers, which is how a machine without them is tried.
 */
export function programFolders(path: string = process.env['PATH'] ?? ''): readonly string[] {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  const beside = folders.filter((folder) => folder.endsWith('/bin')).map((folder) => join(dirname(folder), 'sbin'));
  return [...new Set([...folders, ...beside])];
}

/** Whether the program is there to be started by its name. */
export function isInstalled(program: string): boolean {
  return programFolders().some((folder) => existsSync(join(folder, program)));
}
