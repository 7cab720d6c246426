/** A folder for the app that the tests of whole paths share. The first of them builds it; a run without them builds nothing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly appFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Outside the project, so that nothing is found in its node_modules by accident.
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-paths-'));
  project.provide('appFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
}
