import { expect, test } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { strictly } from './openssl.ts';

test('a client that holds RFC 5280 to the letter trusts the leaf through its authority, and through no other', async () => {
  const hosts = ['localhost', 'local.vault.azure.net'];
  const [one, other] = await Promise.all([makeCertificates({ hosts }), makeCertificates({ hosts })]);
  for (const host of hosts) expect(await strictly(one, host)).toBe('OK');
  expect(await strictly(one, 'other.vault.azure.net')).toContain('hostname mismatch');
  expect(await strictly({ ...one, ca: other.ca }, 'localhost')).toMatch(/unable to get (local )?issuer certificate/);
});
