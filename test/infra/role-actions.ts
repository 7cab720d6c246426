/** Which data actions a call needs, and which of them the built-in roles hold. Source: Microsoft's pages "Azure built-in roles" and "Permissions for calling blob/queue/table operations". */
import type { Operation } from '../../local/vault/index.ts';

const secrets = 'Microsoft.KeyVault/vaults/secrets';

/** Of each operation of a vault. */
export const vaultActions: Readonly<Record<Operation, string>> = {
  set: `${secrets}/setSecret/action`,
  get: `${secrets}/getSecret/action`,
  versions: `${secrets}/readMetadata/action`,
  list: `${secrets}/readMetadata/action`,
  update: `${secrets}/update/action`,
  delete: `${secrets}/delete`,
  'list-deleted': `${secrets}/readMetadata/action`,
  'get-deleted': `${secrets}/readMetadata/action`,
  recover: `${secrets}/recover/action`,
  purge: `${secrets}/purge/action`,
  backup: `${secrets}/backup/action`,
  restore: `${secrets}/restore/action`,
};

/** Of each method of Microsoft's client that there is a use for. */
export const clientActions: Readonly<Record<string, string>> = {
  setSecret: vaultActions.set,
  getSecret: vaultActions.get,
  updateSecretProperties: vaultActions.update,
  listPropertiesOfSecrets: vaultActions.list,
  listPropertiesOfSecretVersions: vaultActions.versions,
  beginRecoverDeletedSecret: vaultActions.recover,
  beginDeleteSecret: vaultActions.delete,
  purgeDeletedSecret: vaultActions.purge,
  backupSecret: vaultActions.backup,
  restoreSecretBackup: vaultActions.restore,
};

const storage = 'Microsoft.Storage/storageAccounts';
const blobs = `${storage}/blobServices/containers`;
const queues = `${storage}/queueServices/queues`;
const tables = `${storage}/tableServices/tables`;

/** Actions and data actions of the roles that the templates give at the storage account, by the id of the role. */
export const storageRoles: Readonly<Record<string, readonly string[]>> = {
  // Storage Blob Data Owner
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': [`${blobs}/*`],
  // Storage Queue Data Contributor
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': [
    ...['delete', 'read', 'write'].map((what) => `${queues}/${what}`),
    ...['delete', 'read', 'write', 'process/action'].map((what) => `${queues}/messages/${what}`),
  ],
  // Storage Table Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': [
    ...['read', 'write', 'delete'].map((what) => `${tables}/${what}`),
    ...['read', 'write', 'delete', 'add/action', 'update/action'].map((what) => `${tables}/entities/${what}`),
  ],
};

export type StorageService = 'blob' | 'queue' | 'table';

/** What a request to the storage account needs. `path` begins after the name of the account. */
export function storageActionOf(service: StorageService, method: string, path: string, query: URLSearchParams): string {
  if (service === 'queue') return queueAction(method, path, query);
  return service === 'table' ? tableAction(method, path) : blobAction(method, query);
}

const reads = (method: string): boolean => method === 'GET' || method === 'HEAD';

function queueAction(method: string, path: string, query: URLSearchParams): string {
  if (!path.includes('/messages'))
    return `${queues}/${method === 'PUT' ? 'write' : method === 'DELETE' ? 'delete' : 'read'}`;
  if (method === 'GET')
    return query.get('peekonly') === 'true' ? `${queues}/messages/read` : `${queues}/messages/process/action`;
  return method === 'DELETE' ? `${queues}/messages/delete` : `${queues}/messages/write`;
}

function tableAction(method: string, path: string): string {
  if (path.startsWith('Tables'))
    return `${tables}/${reads(method) ? 'read' : method === 'DELETE' ? 'delete' : 'write'}`;
  if (reads(method)) return `${tables}/entities/read`;
  return `${tables}/entities/${method === 'DELETE' ? 'delete' : 'write'}`;
}

function blobAction(method: string, query: URLSearchParams): string {
  const ofContainer = query.get('restype') === 'container';
  if (ofContainer && query.get('comp') !== 'list')
    return `${blobs}/${reads(method) ? 'read' : method === 'DELETE' ? 'delete' : 'write'}`;
  if (reads(method)) return `${blobs}/blobs/read`;
  return `${blobs}/blobs/${method === 'DELETE' ? 'delete' : 'write'}`;
}

/** Whether one of the granted actions covers the one that is needed. */
export function isCovered(granted: readonly string[], needed: string): boolean {
  return granted.some((one) => one === needed || (one.endsWith('/*') && needed.startsWith(one.slice(0, -1))));
}
