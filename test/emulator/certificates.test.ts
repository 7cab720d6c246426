import { X509Certificate } from 'node:crypto';
import { createServer, get } from 'node:https';
import { expect, test } from 'vitest';
import { type Certificates, makeCertificates } from '../../local/certificates.ts';

/** What a client that trusts `ca` and calls the server by `servername` gets to see. */
async function visit(certificates: Certificates, ca: string, servername: string): Promise<string> {
  const server = createServer({ key: certificates.key, cert: certificates.cert }, (_, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  try {
    return await new Promise((resolve) =>
      get({ host: '127.0.0.1', port, ca, servername, agent: false }, (response) => {
        response.resume();
        resolve('trusted');
      }).on('error', (error) => resolve('code' in error ? String(error.code) : error.message)),
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('the leaf is trusted through its authority under every host asked for, and under no other', async () => {
  const certificates = await makeCertificates({ hosts: ['db.example.com', '127.0.0.1'] });
  expect(await visit(certificates, certificates.ca, 'db.example.com')).toBe('trusted');
  expect(await visit(certificates, certificates.ca, 'other.example.com')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  const leaf = new X509Certificate(certificates.cert);
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(leaf.ca).toBe(false);
});

test('two calls make authorities that do not know each other', async () => {
  const [one, other] = await Promise.all([
    makeCertificates({ hosts: ['localhost'] }),
    makeCertificates({ hosts: ['localhost'] }),
  ]);
  expect(await visit(one, other.ca, 'localhost')).not.toBe('trusted');
});

test('a certificate that has expired is refused', async () => {
  const certificates = await makeCertificates({
    hosts: ['localhost'],
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date('2020-02-01T00:00:00Z'),
  });
  expect(await visit(certificates, certificates.ca, 'localhost')).toBe('CERT_HAS_EXPIRED');
});

test('no host is a clear error', async () => {
  await expect(makeCertificates({ hosts: [] })).rejects.toThrow(/hosts/);
});
