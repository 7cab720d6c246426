/** A judge of certificates that knows nothing of this project. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificates } from '../../local/certificates.ts';

const run = promisify(execFile);

/** What `openssl verify` says of a leaf, held to RFC 5280: `OK`, or what is wrong. That is what Python asks for since 3.13. */
export async function strictly({ ca, cert }: Certificates, host: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-openssl-'));
  try {
    const [authority, leaf] = [join(folder, 'authority.pem'), join(folder, 'leaf.pem')];
    await Promise.all([writeFile(authority, ca), writeFile(leaf, cert)]);
    const words = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      host,
      '-CAfile',
      authority,
      leaf,
    ];
    const { stdout } = await run('openssl', words).catch((error: unknown) => {
      if (error instanceof Error && 'stderr' in error) return { stdout: String(error.stderr) };
      throw error;
    });
    return stdout.trim().replace(`${leaf}: `, '');
  } finally {
    await rm(folder, { recursive: true });
  }
}
