/** TLS to an address instead of a name: the certificate has to be that address's. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeCertificates } from '../../../local/certificates.ts';
import { loadMysql } from './bench.ts';
import type { Rig } from './rig.ts';

/** `reload` makes the server read its certificate again. */
export function claimsOfTls(rig: Rig, reload: string): void {
  const answerFor = async (hosts: readonly string[]) => {
    const { ca, cert, key } = await makeCertificates({ hosts });
    const { folder } = rig.bench.server;
    await writeFile(join(folder, 'tls.crt'), cert);
    await writeFile(join(folder, 'tls.key'), key);
    await writeFile(join(folder, 'ca.crt'), ca);
    await rig.bench.asOwner(reload);
    const rotator = await loadMysql({ trustedCertificates: [ca] });
    const step = rig.stepFor(await rig.bench.makeLogin(), 'dual-password');
    const endpoint = { ...step.endpoint, options: { sslmode: 'verify-full' } };
    return rotator.verify({ ...step, endpoint, admin: { kind: 'self' } }, step.current);
  };

  test('by address, the certificate of that address is trusted', async () => {
    expect(await answerFor(['127.0.0.1'])).toEqual({ kind: 'accepted' });
  });

  test.each([['localhost'], ['127.0.0.2'], ['db.example']])('by address, a certificate for %s is not', async (host) => {
    expect(await answerFor([host])).toMatchObject({ kind: 'failed', code: 'target-tls' });
  });
}
