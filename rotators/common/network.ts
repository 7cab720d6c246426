/** Telling "no answer" from "the target said no", the same way for every driver that works on sockets. */

// Node's own codes for a connection that never was or broke: https://nodejs.org/api/errors.html#common-system-errors
const networkCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'ESOCKETTIMEDOUT',
  'ESOCKET',
  'ETIMEOUT',
  'ABORT_ERR',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_SOCKET_CLOSED',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'PROTOCOL_CONNECTION_LOST',
]);

// What OpenSSL and Node say of a certificate or a handshake: https://nodejs.org/api/tls.html#x509-certificate-error-codes
const tlsCode =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$|CRL_|EPROTO$)/;

/** The code of the network failure that caused the error, looked for along its causes; undefined when it is none. */
export function networkFault(error: unknown): string | undefined {
  return codesOf(error).find((code) => networkCodes.has(code));
}

/** The code of the TLS failure that caused the error (an unknown authority, another host's certificate); undefined when it is none. */
export function tlsFault(error: unknown): string | undefined {
  return codesOf(error).find((code) => tlsCode.test(code));
}

function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  const open: unknown[] = [error];
  const seen = new Set<unknown>();
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if ('code' in next && typeof next.code === 'string') codes.push(next.code);
    if ('name' in next && next.name === 'AbortError') codes.push('ABORT_ERR');
    // Node tries all addresses of a host and gathers what each one said.
    if (next instanceof AggregateError) open.push(...next.errors);
    if ('cause' in next) open.push(next.cause);
    if ('originalError' in next) open.push(next.originalError);
  }
  return codes;
}
