import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { buildApp } from '../../build.ts';

/** The built app, built once for all test files of a run: several processes may ask at once, and one of them does it. */
export async function builtApp(): Promise<string> {
  const folder = inject('appFolder');
  const app = join(folder, 'app');
  const turn = join(folder, 'turn');
  while (!existsSync(app)) {
    if (await taken(turn)) {
      await sleep(50);
      continue;
    }
    try {
      await buildApp(join(folder, 'building'));
      await rename(join(folder, 'building'), app);
    } finally {
      // After a failure the next file says it too, rather than wait for ever.
      await rm(turn, { recursive: true });
    }
  }
  return app;
}

/** Whether somebody else is at it; if not, it is our turn now. */
async function taken(turn: string): Promise<boolean> {
  return mkdir(turn).then(
    () => false,
    () => true,
  );
}
