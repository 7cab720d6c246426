/** Certificates for local servers: a certificate authority of one run, and a leaf it signed. Nothing is written to disk. */
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

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
const curve = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };

/**
 * Makes a new authority and a leaf signed by it, with elliptic-curve keys. Every call makes new ones, so two servers never trust each
 * other by accident. They satisfy clients that hold RFC 5280 to the letter, as Python does since 3.13.
 */
export async function makeCertificates(options: CertificateOptions): Promise<Certificates> {
  const [commonName] = options.hosts;
  if (commonName === undefined)
    throw new RangeError('makeCertificates needs at least one host name or address in `hosts`.');
  // One hour back, so that a client whose clock is a little slow does not refuse a certificate "of the future".
  const notBefore = options.notBefore ?? new Date(Date.now() - hourMs);
  const notAfter = options.notAfter ?? new Date(notBefore.getTime() + yearMs);
  const dates = { notBefore, notAfter, signingAlgorithm };
  const [above, below] = await Promise.all([newKeys(), newKeys()]);
  // Clients find the authority of a leaf by its name, and several runs may be trusted at once.
  const authorityName = [{ CN: [`Keyturn local authority for ${commonName}`] }, { OU: [randomHex()] }];

  const authority = await X509CertificateGenerator.createSelfSigned({
    ...dates,
    name: authorityName,
    keys: above,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(above.publicKey),
      await AuthorityKeyIdentifierExtension.create(above.publicKey),
    ],
  });
  const leaf = await X509CertificateGenerator.create({
    ...dates,
    subject: [{ CN: [commonName] }],
    issuer: authorityName,
    publicKey: below.publicKey,
    signingKey: above.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        options.hosts.map((host) => ({ type: isIP(host) ? 'ip' : 'dns', value: host })),
      ),
      await SubjectKeyIdentifierExtension.create(below.publicKey),
      await AuthorityKeyIdentifierExtension.create(above.publicKey),
    ],
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', below.privateKey), 'PRIVATE KEY');
  return { ca: authority.toString('pem'), cert: leaf.toString('pem'), key };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
}

function randomHex(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex');
}
