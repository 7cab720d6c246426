/** An `az` that is signed in as somebody whom the stand-ins accept, for as long as the work lasts. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function withSignIn<Result>(work: () => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-az-'));
  const before = process.env['PATH'];
  const token = { accessToken: 'any', expires_on: 4_070_908_800, expiresOn: '2099-01-01 00:00:00.000000' };
  try {
    await writeFile(join(folder, 'az'), `#!/bin/sh\necho '${JSON.stringify(token)}'\n`);
    await chmod(join(folder, 'az'), 0o755);
    process.env['PATH'] = `${folder}:${before ?? ''}`;
    return await work();
  } finally {
    process.env['PATH'] = before;
    await rm(folder, { recursive: true, force: true });
  }
}
