import { getCACertificates } from 'node:tls';

/** The authorities to verify a certificate with: Node's own and the app's. Undefined means Node's own alone. */
export function authorities(trustedCertificates: readonly string[]): string[] | undefined {
  return trustedCertificates.length === 0 ? undefined : [...getCACertificates('default'), ...trustedCertificates];
}
