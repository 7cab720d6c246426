/** What the library of identities throws where it gives no token, judged in one way wherever a token is asked for. */

export interface IdentityFault {
  /** The identity service said no: a person must act. Otherwise it gave no answer or a broken one, which passes. */
  readonly refused: boolean;
  /** Which credential was tried and why it gave none, in a line. */
  readonly detail: string;
}

const longestLine = 200;
const longestDetail = 600;

/** Whether it came from there at all. */
export function isIdentityError(error: unknown): boolean {
  return error instanceof Error && /^(Credential|Authentication|AggregateAuthentication)\w*Error$/.test(error.name);
}

/**
 * A credential that is unavailable says nothing against the identity: the library wraps in it an endpoint that answers 500, that refuses the
 * connection, and that does not know the identity yet. Never throws.
 */
export function identityFault(error: unknown): IdentityFault {
  const all = errorsOf(error);
  return {
    refused: all.some(isRefusal),
    detail: all
      .map(({ message }) => lineOf(message))
      .join('; ')
      .slice(0, longestDetail),
  };
}

function errorsOf(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return [];
  const inner: unknown = 'errors' in error ? error.errors : undefined;
  const all = Array.isArray(inner) ? inner.filter((one) => one instanceof Error) : [];
  return all.length === 0 ? [error] : all;
}

/** Only the identity service itself says so, with a status of its own. */
function isRefusal(error: Error): boolean {
  if (error.name === 'AuthenticationRequiredError') return true;
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status !== 'number') return false;
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function lineOf(message: string): string {
  return (message.split('\n')[0] ?? '').trim().slice(0, longestLine);
}
