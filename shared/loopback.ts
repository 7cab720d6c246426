import { isIP } from './node.ts';

/**
 * Whether a host is this machine by its name or address alone; no look-up is made, because a name may mean something else a moment
 * later. The only place where a connection without TLS may go.
 */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}
