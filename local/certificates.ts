/** Certificates for local servers: a certificate authority of one run, and a leaf it signed. Nothing is written to disk. */
import { isIP } from 'node:net';
import { generate } from 'selfsigned';

export interface Certificates {
  /** PEM of the authority: what a client must trust. */
  readonly ca: string;
  /** PEM of the leaf, valid for the hosts asked for. */
  readonly cert: string;
  /** PEM (PKCS #8) of the leaf's private key. */
  readonly key: string;
}

export interface CertificateOptions {
  /** DNS names and IP addresses the leaf is valid for; at least one. */
  readonly hosts: readonly string[];
  /** Start and end of validity of both certificates. Default: from one hour ago for a year. Give a past end to test expiry. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;

/**
 * Makes a new authority and a leaf signed by it, with elliptic-curve keys. Every call makes new ones, so two servers never trust each
 * other by accident.
 */
export async function makeCertificates(options: CertificateOptions): Promise<Certificates> {
  const [commonName] = options.hosts;
  if (commonName === undefined)
    throw new RangeError('makeCertificates needs at least one host name or address in `hosts`.');
  // One hour back, so that a client whose clock is a little slow does not refuse a certificate "of the future".
  const notBeforeDate = options.notBefore ?? new Date(Date.now() - hourMs);
  const notAfterDate = options.notAfter ?? new Date(notBeforeDate.getTime() + yearMs);
  const common = { keyType: 'ec' as const, algorithm: 'sha256', notBeforeDate, notAfterDate };

  const authority = await generate([{ name: 'commonName', value: `Keyturn local authority for ${commonName}` }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: commonName }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: options.hosts.map((host) => (isIP(host) ? { type: 7, ip: host } : { type: 2, value: host })),
      },
    ],
  });
  return { ca: authority.cert, cert: leaf.cert, key: leaf.private };
}
