/**
 * The error answers of the service.
 *
 * Texts are as the service sends them where recordings of the SDKs' own tests, issues or manuals show them. Marked with a star: the status
 * and code are documented, the sentence is ours, because no recording was found.
 */
import type { Answer } from './answer.ts';
import type { Hindrance } from './store.ts';

export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly innererror?: { readonly code: string };
}

export function errorAnswer(
  status: number,
  code: string,
  message: string,
  innerCode?: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const error: ErrorBody = { code, message, ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }) };
  return { status, body: { error }, headers };
}

const tenant = '00000000-0000-0000-0000-000000000000';
const challenge = `Bearer authorization="https://login.windows.net/${tenant}", resource="https://vault.azure.net"`;

export const unauthorized = {
  missing: () =>
    errorAnswer(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.', undefined, {
      'WWW-Authenticate': challenge,
    }),
  refused: () =>
    errorAnswer(401, 'Unauthorized', 'AKV10046: Unable to resolve the key used for signature validation.', undefined, {
      'WWW-Authenticate': challenge,
    }),
};

/** `id` is a name, or a name and a version with a slash between. */
export const secretNotFound = (id: string) =>
  errorAnswer(
    404,
    'SecretNotFound',
    `A secret with (name/id) ${id} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );

export const deletedSecretNotFound = (name: string) =>
  errorAnswer(404, 'SecretNotFound', `Deleted Secret not found: ${name}`);

export const secretDisabled = (operation: 'get') =>
  errorAnswer(403, 'Forbidden', `Operation ${operation} is not allowed on a disabled secret.`, 'SecretDisabled');

export function hindered(name: string, by: Hindrance): Answer {
  switch (by) {
    case 'deleted':
      return errorAnswer(
        409,
        'Conflict',
        `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`,
        'ObjectIsDeletedButRecoverable',
      );
    case 'being-deleted':
      return errorAnswer(
        409,
        'Conflict',
        `Secret ${name} is currently being deleted and cannot be re-created; retry later.`,
        'ObjectIsBeingDeleted',
      );
    case 'being-recovered':
      // *
      return errorAnswer(
        409,
        'Conflict',
        `Secret ${name} is currently being recovered and cannot be re-created; retry later.`,
        'ObjectIsBeingRecovered',
      );
  }
}

/** A recovery or purge while the deletion is still going on. */
export const beingDeleted = () =>
  errorAnswer(409, 'Conflict', 'Secret is currently being deleted.', 'ObjectIsBeingDeleted');

export const restoreConflict = (id: string) =>
  errorAnswer(
    409,
    'Conflict',
    `There was a conflict restoring the secret '${id}'. This can happen if either: a second secret with the same name was created after the first secret was deleted; thus trying to restore a secret whose name is already in use. To fix this, rename the second secret to something else so that the restore works. The second probable cause of this exception is when multiple operations are performed in parallel against the secret. To avoid this error, perform operations against a secret in a sequential manner.`,
  );

export const purgeProtected = (vault: string) =>
  errorAnswer(
    403,
    'Forbidden',
    `Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.\r\nVault: ${vault};location=local`,
  );

export const badParameter = (message: string) => errorAnswer(400, 'BadParameter', message);

export const invalidName = (name: string) => badParameter(`The request URI contains an invalid name: ${name}`);

export const unknownOperation = (method: string, operation: string) =>
  badParameter(`Method ${method} does not allow operation '${operation}'`);

export const forbiddenByRbac = (vault: string, name: string) =>
  errorAnswer(
    403,
    'Forbidden',
    `Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=${tenant};oid=${tenant};iss=https://sts.windows.net/${tenant}/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '/subscriptions/${tenant}/resourcegroups/local/providers/microsoft.keyvault/vaults/${vault}/secrets/${name}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: ${vault};location=local\r\n`,
    'ForbiddenByRbac',
  );

/** `retryAfterSeconds` only where the header is wanted: the service does not promise it. */
export const throttled = (retryAfterSeconds?: number) =>
  errorAnswer(
    429,
    'Throttled',
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
    undefined,
    retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
  );

export const methodNotAllowed = (method: string) => errorAnswer(405, 'MethodNotAllowed', `HTTP ${method} not allowed`);

/** The odd code is the service's. */
export const malformedBackup = () =>
  errorAnswer(400, 'Malformed backup blob', 'Backup blob contains invalid or corrupt version.');

// The sentences from here on are ours *.

export const notFound = () => errorAnswer(404, 'NotFound', 'The requested resource was not found.');

export const payloadTooLarge = () => errorAnswer(413, 'RequestEntityTooLarge', 'The request body is too large.');

export const internalError = () => errorAnswer(500, 'InternalServerError', 'The service had an internal error.');

/** A definition of Azure Policy. */
export interface PolicyDefinition {
  readonly id: string;
  readonly displayName: string;
}

/**
 * The status and the outer code are the service's; the sentence is that of Azure Policy at other services, because no recording from a vault
 * was found.
 */
export const disallowedByPolicy = (name: string, definitions: readonly PolicyDefinition[]) => {
  const identifiers = definitions.map(({ id, displayName }) => ({
    policyDefinition: { name: displayName, id: `/providers/Microsoft.Authorization/policyDefinitions/${id}` },
  }));
  return errorAnswer(
    403,
    'Forbidden',
    `Resource '${name}' was disallowed by policy. Policy identifiers: '${JSON.stringify(identifiers)}'.`,
  );
};

export const unavailable = () =>
  errorAnswer(503, 'ServiceUnavailable', 'The service is not available now; try again later.');
