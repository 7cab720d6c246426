/** Every setting of the app, once. docs/settings.md says the same to people; a test compares the two. */
export interface SettingEntry {
  /** What holds without it; undefined: it must be set. */
  readonly standard?: string;
  /** An order that mends it, with an example. */
  readonly fix: string;
}

export const settingTable = {
  KEYTURN_VAULTS: {
    fix: 'Set KEYTURN_VAULTS to the addresses of the vaults, like https://contoso-kv.vault.azure.net, separated by commas.',
  },
  KEYTURN_VALID_FOR: { standard: 'P90D', fix: 'Set KEYTURN_VALID_FOR to a duration like P90D.' },
  KEYTURN_ROTATE_BEFORE: {
    standard: 'P30D',
    fix: 'Set KEYTURN_ROTATE_BEFORE to a duration like P30D, at most a third of KEYTURN_VALID_FOR.',
  },
  KEYTURN_OVERLAP: {
    standard: 'P2D',
    fix: 'Set KEYTURN_OVERLAP to a duration like P2D, shorter than the time between two rotations.',
  },
  KEYTURN_IDENTITY_TARGETS: {
    standard: '',
    fix: 'Set KEYTURN_IDENTITY_TARGETS to logins at hosts, like keyturn-app@orders-pg.postgres.database.azure.com, separated by commas.',
  },
  KEYTURN_TARGET_HOSTS: {
    standard: '',
    fix: 'Set KEYTURN_TARGET_HOSTS to the hosts that values may name, like *.postgres.database.azure.com, separated by commas.',
  },
  KEYTURN_TRUSTED_CERTIFICATES: {
    standard: '',
    fix: 'Set KEYTURN_TRUSTED_CERTIFICATES to certificates in PEM, or to the path of a file that holds them.',
  },
  KEYTURN_ALLOWED_HOSTS: {
    standard: '',
    fix: 'Set KEYTURN_ALLOWED_HOSTS to host names, like api.sendgrid.com, separated by commas.',
  },
  KEYTURN_DESCRIPTIONS: { standard: '', fix: 'Set KEYTURN_DESCRIPTIONS to a folder that is deployed with the app.' },
  KEYTURN_CLOUD: { standard: 'public', fix: 'Set KEYTURN_CLOUD to public, usgov or china.' },
  KEYTURN_RESOURCE_MANAGER_URL: {
    standard: '',
    fix: 'Remove KEYTURN_RESOURCE_MANAGER_URL; it is for tests on one machine. KEYTURN_CLOUD chooses the cloud.',
  },
  KEYTURN_GRAPH_URL: {
    standard: '',
    fix: 'Remove KEYTURN_GRAPH_URL; it is for tests on one machine. KEYTURN_CLOUD chooses the cloud.',
  },
  KEYTURN_LOGIN_URL: {
    standard: '',
    fix: 'Remove KEYTURN_LOGIN_URL; it is for tests on one machine. KEYTURN_CLOUD chooses the cloud.',
  },
  KEYTURN_LOGS_URL: {
    standard: '',
    fix: 'Remove KEYTURN_LOGS_URL; it is for tests on one machine. KEYTURN_CLOUD chooses the cloud.',
  },
  KEYTURN_AUDIT_WORKSPACE: {
    standard: '',
    fix: 'Set KEYTURN_AUDIT_WORKSPACE to the id of the Log Analytics workspace that holds the audit logs of the vaults, a GUID, or remove it.',
  },
  KEYTURN_CREDENTIAL: {
    standard: 'default',
    fix: 'Set KEYTURN_CREDENTIAL to default or managed-identity; local is for a vault and a storage account on loopback.',
  },
  KEYTURN_CONNECT_TIMEOUT: { standard: 'PT10S', fix: 'Set KEYTURN_CONNECT_TIMEOUT to a duration from PT1S to PT60S.' },
  KEYTURN_PAUSE_AFTER: {
    standard: '5',
    fix: 'Set KEYTURN_PAUSE_AFTER to a number of failures from 1 to 100.',
  },
  KEYTURN_API_KEYS: {
    standard: '',
    fix: 'Set KEYTURN_API_KEYS to NAME:ROLE:SHA256 of each key, separated by commas (docs/api.md says how a key is made).',
  },
  KEYTURN_TENANT_ID: {
    standard: '',
    fix: 'Set KEYTURN_TENANT_ID to the id of the Entra tenant whose tokens are accepted, together with KEYTURN_API_AUDIENCE.',
  },
  KEYTURN_API_AUDIENCE: {
    standard: '',
    fix: 'Set KEYTURN_API_AUDIENCE to the client id or application id URI that tokens are made for, together with KEYTURN_TENANT_ID.',
  },
  KEYTURN_ROLE_SCOPES: {
    standard: '',
    fix: 'Set KEYTURN_ROLE_SCOPES to OBJECT-ID=ROLE@VAULT/SECRETS of users, groups or applications, like 11111111-2222-3333-4444-555555555555=operator@prod-kv/orders-*, separated by commas.',
  },
  KEYTURN_APPROVALS: {
    standard: '',
    fix: 'Set KEYTURN_APPROVALS to what a second person must approve, of emergency, many and force, separated by commas, together with KEYTURN_TENANT_ID.',
  },
  KEYTURN_APPROVAL_WITHIN: {
    standard: 'PT1H',
    fix: 'Set KEYTURN_APPROVAL_WITHIN to a duration from PT5M to P1D.',
  },
  KEYTURN_CONSUMERS: {
    standard: '',
    fix: 'Set KEYTURN_CONSUMERS to NAME=ID of each identity, separated by commas; ID is an object id or a client id.',
  },
  KEYTURN_SWEEP_SCHEDULE: {
    standard: '0 */15 * * * *',
    fix: 'Set KEYTURN_SWEEP_SCHEDULE to six fields beginning with the seconds, like 0 */15 * * * *.',
  },
  KEYTURN_SWEEP_JITTER: {
    standard: 'PT5M',
    fix: 'Set KEYTURN_SWEEP_JITTER to a duration like PT5M, at most a day.',
  },
  KEYTURN_DRIFT_SCHEDULE: {
    standard: '0 30 3 * * *',
    fix: 'Set KEYTURN_DRIFT_SCHEDULE to six fields beginning with the seconds, like 0 30 3 * * *.',
  },
  KEYTURN_DRIFT_JITTER: {
    standard: 'PT1H',
    fix: 'Set KEYTURN_DRIFT_JITTER to a duration like PT1H, at most a day.',
  },
  KEYTURN_CHANNELS: {
    standard: '',
    fix: 'Set KEYTURN_CHANNELS to a JSON object of channels by name, as docs/notifications.md shows; secrets are named in it, never written.',
  },
  KEYTURN_NOTIFY: {
    standard: '',
    fix: 'Set KEYTURN_NOTIFY to names of channels of KEYTURN_CHANNELS, separated by commas.',
  },
  KEYTURN_DOCS_URL: {
    standard: '',
    fix: 'Set KEYTURN_DOCS_URL to the address under which the folder docs is found, like https://git.contoso.com/ops/keyturn/src/.',
  },
  AZURE_CLIENT_ID: {
    standard: '',
    fix: 'Set AZURE_CLIENT_ID to the client id of the user-assigned identity, or remove it.',
  },
  NODE_DEBUG: {
    standard: '',
    fix: 'Remove NODE_DEBUG: Node reads it before the app runs, and prints headers with keys and tokens.',
  },
  NODE_DEBUG_NATIVE: {
    standard: '',
    fix: 'Remove NODE_DEBUG_NATIVE: Node reads it before the app runs, and prints what goes over connections.',
  },
  WEBSITE_HOSTNAME: {
    standard: '',
    fix: 'Leave WEBSITE_HOSTNAME to the platform.',
  },
  WEBSITE_AUTH_ENABLED: {
    standard: '',
    fix: 'Leave WEBSITE_AUTH_ENABLED to the platform.',
  },
  AzureWebJobsDisableHomepage: {
    standard: '',
    fix: 'Set AzureWebJobsDisableHomepage to true.',
  },
  AzureWebJobsStorage: {
    standard: '',
    fix: 'Set AzureWebJobsStorage to a connection string, or AzureWebJobsStorage__blobServiceUri, __queueServiceUri and __tableServiceUri for access by identity.',
  },
  AzureWebJobsStorage__accountName: {
    standard: '',
    fix: 'Set AzureWebJobsStorage__accountName to the name of the storage account.',
  },
  AzureWebJobsStorage__blobServiceUri: {
    standard: '',
    fix: 'Set AzureWebJobsStorage__blobServiceUri like https://keyturnstore.blob.core.windows.net.',
  },
  AzureWebJobsStorage__queueServiceUri: {
    standard: '',
    fix: 'Set AzureWebJobsStorage__queueServiceUri like https://keyturnstore.queue.core.windows.net.',
  },
  AzureWebJobsStorage__tableServiceUri: {
    standard: '',
    fix: 'Set AzureWebJobsStorage__tableServiceUri like https://keyturnstore.table.core.windows.net.',
  },
} as const satisfies Readonly<Record<string, SettingEntry>>;

export type SettingName = keyof typeof settingTable;
