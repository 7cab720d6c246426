/** Whether a connection is encrypted, decided in one place for every driver. */
import { isIP } from 'node:net';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import { isLoopback } from '../../shared/loopback.ts';

/** What the value asks for: `required` when it says so in any way, else `unsaid`. A wish for a plain connection counts as `unsaid`. */
export type TlsWish = 'required' | 'unsaid';

/**
 * A plain connection is made to loopback only, and only when the value does not ask for TLS. Everywhere else the connection is
 * encrypted and the certificate is verified, whatever the value says: an option can raise the security of a connection, never lower it.
 * The decision is made before connecting and never changed afterwards, so nobody in between can talk it down.
 */
export function usesTls(endpoint: Endpoint, wish: TlsWish): boolean {
  return wish === 'required' || !isLoopback(endpoint.host);
}

/** Host and port as one word for messages. */
export function targetName(endpoint: Endpoint, defaultPort: number): string {
  const host = isIP(endpoint.host) === 6 ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port ?? defaultPort}`;
}
