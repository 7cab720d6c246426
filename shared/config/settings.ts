/** The app's settings, read once at start. All problems are named at once, and an app with a problem does not start. */
import type { AccessSettings } from '../contract/access.ts';
import type { FourEyes } from '../contract/approvals.ts';
import { SecretText } from '../contract/secret-text.ts';
import { isLoopback } from '../loopback.ts';
import * as access from './access.ts';
import { type Channel, channelNames, channels, referencesOf } from './channels.ts';
import { clouds } from './clouds.ts';
import { policyBounds } from './duration.ts';
import * as read from './parsers.ts';
import { timerSchedule } from './schedule.ts';
import { type SettingEntry, type SettingName, settingTable } from './setting-table.ts';
import type { StorageConnection } from './storage-connection.ts';

export interface Settings {
  readonly vaults: readonly read.VaultAddress[];
  readonly validForMs: number;
  readonly rotateBeforeMs: number;
  readonly overlapMs: number;
  /** Login of the app's identity by host, lower case. No token is sent anywhere else. */
  readonly identityTargets: ReadonlyMap<string, string>;
  /** PEM, each one certificate. */
  readonly trustedCertificates: readonly string[];
  /** Patterns of the hosts that values may name; empty: any host. */
  readonly targetHosts: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly descriptionsFolder?: string;
  readonly cloud: {
    readonly resourceManager: string;
    readonly graph: string;
    readonly login: string;
    readonly logs: string;
  };
  /** Id of the Log Analytics workspace with the vaults' audit logs. */
  readonly auditWorkspace?: string;
  readonly credential: { readonly kind: 'default' | 'managed-identity' | 'local'; readonly clientId?: string };
  readonly storage: StorageConnection;
  readonly connectTimeoutMs: number;
  /** Failures in a row after which the rotations of a secret are paused until the next try is due, hours later. */
  readonly pauseAfter: number;
  /** Whom to tell, by name. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** Names of channels for secrets without a tag `notify`. */
  readonly notify: readonly string[];
  /** Address under which `docs/` is found, with a slash at the end; empty: none is known. */
  readonly docsUrl: string;
  readonly access: AccessSettings;
  readonly fourEyes: FourEyes;
  readonly sweep: Timed;
  readonly drift: Timed;
}

/** Work that a timer starts. */
export interface Timed {
  /** Six fields of NCRONTAB. */
  readonly schedule: string;
  /** What it finds to do is spread over this time, in ms. */
  readonly jitterMs: number;
}

export interface SettingProblem {
  readonly setting: string;
  readonly reason: string;
  readonly fix: string;
}

export type SettingsOutcome =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'invalid'; readonly problems: readonly SettingProblem[] };

/** Its message names every problem on a line of its own, and no value. */
export class SettingsInvalid extends Error {
  override readonly name = 'SettingsInvalid';

  constructor(problems: readonly SettingProblem[]) {
    const lines = problems.map((one) => `  ${describeProblems([one])}`);
    super(`Keyturn does not start before its settings are corrected (docs/settings.md):\n${lines.join('\n')}`);
  }
}

/** Every wrong setting with what is wrong and what to do, without a value. */
export function describeProblems(problems: readonly SettingProblem[]): string {
  return problems.map((one) => `${one.setting} ${one.reason}. ${one.fix}`).join(' ');
}

type Environment = Readonly<Record<string, string | undefined>>;

const secondMs = 1000;
const dayMs = 24 * 60 * 60 * secondMs;
const connectBounds = { shortestMs: secondMs, longestMs: 60 * secondMs };

/** Reads one setting after the other and gathers what is wrong. A setting that is wrong reads as its fallback, so that the rest is looked at too. */
class Reader {
  readonly problems: SettingProblem[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  isSet(name: SettingName): boolean {
    return (this.#environment[name] ?? '').trim() !== '';
  }

  get<T>(name: SettingName, parse: read.Parser<T>, fallback: T): T {
    const entry: SettingEntry = settingTable[name];
    const text = this.isSet(name) ? this.#environment[name] : entry.standard;
    if (text === undefined) return this.wrong(name, 'is not set', fallback);
    const outcome = parse(text);
    return outcome.kind === 'read' ? outcome.value : this.wrong(name, outcome.reason, fallback);
  }

  wrong<T>(name: SettingName, reason: string, fallback: T): T {
    this.problems.push({ setting: name, reason, fix: settingTable[name].fix });
    return fallback;
  }

  isWrong(...names: readonly SettingName[]): boolean {
    return this.problems.some((one) => names.some((name) => name === one.setting));
  }

  /** A setting with a typing error would be left out silently. */
  refuseUnknown(): void {
    for (const name of Object.keys(this.#environment)) {
      if (!name.startsWith('KEYTURN_') || name in settingTable) continue;
      this.problems.push({ setting: name, reason: 'is no setting of Keyturn', fix: 'Correct its name, or remove it.' });
    }
  }

  text(name: SettingName): string {
    return this.#environment[name] ?? '';
  }
}

function readTimes(reader: Reader): Pick<Settings, 'validForMs' | 'rotateBeforeMs' | 'overlapMs'> {
  const validForMs = reader.get('KEYTURN_VALID_FOR', read.durationMs(policyBounds.validFor), 90 * dayMs);
  const third = Math.floor(validForMs / 3);
  const rotateBefore = reader.get('KEYTURN_ROTATE_BEFORE', read.durationMs(policyBounds.rotateBefore), third);
  // The standard values give way to a short lifetime; what somebody wrote does not.
  const rotateBeforeMs = reader.isSet('KEYTURN_ROTATE_BEFORE') ? rotateBefore : Math.min(rotateBefore, third);
  if (rotateBeforeMs > third && !reader.isWrong('KEYTURN_VALID_FOR', 'KEYTURN_ROTATE_BEFORE')) {
    reader.wrong('KEYTURN_ROTATE_BEFORE', 'is more than a third of KEYTURN_VALID_FOR', undefined);
  }
  const between = validForMs - Math.min(rotateBeforeMs, third);
  const overlap = reader.get('KEYTURN_OVERLAP', read.durationMs(policyBounds.overlap), 0);
  const overlapMs = reader.isSet('KEYTURN_OVERLAP') ? overlap : Math.min(overlap, Math.floor(between / 2));
  if (overlapMs >= between && !reader.isWrong('KEYTURN_VALID_FOR', 'KEYTURN_ROTATE_BEFORE', 'KEYTURN_OVERLAP')) {
    reader.wrong('KEYTURN_OVERLAP', 'is not shorter than the time between two rotations', undefined);
  }
  return { validForMs, rotateBeforeMs, overlapMs };
}

type CloudName = keyof typeof clouds;

function readCloud(reader: Reader, cloud: (typeof clouds)[CloudName]): Settings['cloud'] {
  return {
    resourceManager: reader.get('KEYTURN_RESOURCE_MANAGER_URL', read.loopbackUrl, undefined) ?? cloud.resourceManager,
    graph: reader.get('KEYTURN_GRAPH_URL', read.loopbackUrl, undefined) ?? cloud.graph,
    login: reader.get('KEYTURN_LOGIN_URL', read.loopbackUrl, undefined) ?? cloud.login,
    logs: reader.get('KEYTURN_LOGS_URL', read.loopbackUrl, undefined) ?? cloud.logs,
  };
}

const nowhere: StorageConnection = { kind: 'identity', blobServiceUri: '', queueServiceUri: '', tableServiceUri: '' };

function readStorage(reader: Reader, suffix: string): { connection: StorageConnection; hosts: readonly string[] } {
  const parts = reader.get('AzureWebJobsStorage', read.connectionString, new Map());
  const account = reader.get('AzureWebJobsStorage__accountName', read.accountName, undefined);
  const uri = (service: 'blob' | 'queue' | 'table') =>
    reader.get(`AzureWebJobsStorage__${service}ServiceUri`, read.serviceUri, undefined) ??
    (account === undefined ? undefined : `https://${account}.${service}.${suffix}`);
  const uris = { blobServiceUri: uri('blob'), queueServiceUri: uri('queue'), tableServiceUri: uri('table') };
  if (reader.isSet('AzureWebJobsStorage')) {
    const value = new SecretText(reader.text('AzureWebJobsStorage').trim());
    return { connection: { kind: 'connection-string', value }, hosts: connectionHosts(parts, suffix) };
  }
  const { blobServiceUri, queueServiceUri, tableServiceUri } = uris;
  if (blobServiceUri !== undefined && queueServiceUri !== undefined && tableServiceUri !== undefined) {
    const connection = { kind: 'identity', blobServiceUri, queueServiceUri, tableServiceUri } as const;
    return {
      connection,
      hosts: [blobServiceUri, queueServiceUri, tableServiceUri].map((one) => new URL(one).hostname),
    };
  }
  const anyUri = Object.values(uris).some((one) => one !== undefined);
  if (!reader.problems.some((one) => one.setting.startsWith('AzureWebJobsStorage'))) {
    reader.wrong('AzureWebJobsStorage', anyUri ? 'is missing one of its three service URIs' : 'is not set', undefined);
  }
  return { connection: nowhere, hosts: [] };
}

function connectionHosts(parts: ReadonlyMap<string, string>, suffix: string): readonly string[] {
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true') return ['127.0.0.1'];
  return (['blob', 'queue', 'table'] as const).map((service) => {
    const endpoint = parts.get(`${service}endpoint`);
    return URL.parse(endpoint ?? '')?.hostname ?? `${parts.get('accountname') ?? ''}.${service}.${suffix}`;
  });
}

function readCredential(reader: Reader, hosts: readonly string[]): Settings['credential'] {
  const kind = reader.get('KEYTURN_CREDENTIAL', read.oneOf(['default', 'managed-identity', 'local']), 'default');
  const clientId = reader.get('AZURE_CLIENT_ID', read.clientId, undefined);
  // A fixed token is no secret. Sent to a real vault it would only fail, but an app that believes in it must not be deployed.
  if (kind === 'local' && !hosts.every(isLoopback)) {
    reader.wrong('KEYTURN_CREDENTIAL', 'is local, and a vault or the storage account is not on loopback', undefined);
  }
  return clientId === undefined ? { kind } : { kind, clientId };
}

function readAccess(reader: Reader): AccessSettings {
  const id = reader.get('KEYTURN_TENANT_ID', access.tenantId, undefined);
  const audiences = reader.get('KEYTURN_API_AUDIENCE', access.audiences, []);
  // Tokens of a tenant are made for many applications: one that was not made for this one must not open it.
  if (id !== undefined && audiences.length === 0 && !reader.isWrong('KEYTURN_API_AUDIENCE'))
    reader.wrong('KEYTURN_API_AUDIENCE', 'is not set, and KEYTURN_TENANT_ID is', undefined);
  if (id === undefined && audiences.length > 0 && !reader.isWrong('KEYTURN_TENANT_ID'))
    reader.wrong('KEYTURN_TENANT_ID', 'is not set, and KEYTURN_API_AUDIENCE is', undefined);
  return {
    keys: reader.get('KEYTURN_API_KEYS', access.apiKeys, []),
    ...(id === undefined ? {} : { tenant: { id, audiences } }),
    consumers: reader.get('KEYTURN_CONSUMERS', access.consumerNames, new Map()),
    scopes: reader.get('KEYTURN_ROLE_SCOPES', access.roleScopes, new Map()),
    platformVouches: reader.get('WEBSITE_AUTH_ENABLED', access.platformVouches, false),
  };
}

const approvalBounds = { shortestMs: 5 * 60 * secondMs, longestMs: dayMs };

function readFourEyes(reader: Reader): FourEyes {
  const kinds = reader.get('KEYTURN_APPROVALS', access.approvals, []);
  // Only people of the tenant can approve: without one everything would wait until its time is over.
  if (kinds.length > 0 && !reader.isSet('KEYTURN_TENANT_ID'))
    reader.wrong('KEYTURN_APPROVALS', 'is set, and KEYTURN_TENANT_ID is not: nobody could approve', undefined);
  const host = reader.get('WEBSITE_HOSTNAME', access.ownHost, undefined);
  const withinMs = reader.get('KEYTURN_APPROVAL_WITHIN', read.durationMs(approvalBounds), 60 * 60 * secondMs);
  return { kinds, withinMs, ...(host === undefined ? {} : { host }) };
}

function readTimed(reader: Reader, name: 'SWEEP' | 'DRIFT'): Timed {
  return {
    schedule: reader.get(`KEYTURN_${name}_SCHEDULE`, timerSchedule, ''),
    jitterMs: reader.get(`KEYTURN_${name}_JITTER`, read.durationMs({ shortestMs: 0, longestMs: dayMs }), 0),
  };
}

function readChannels(reader: Reader, vaults: Settings['vaults']): Pick<Settings, 'channels' | 'notify'> {
  const found = reader.get('KEYTURN_CHANNELS', channels, new Map<string, Channel>());
  const notify = reader.get('KEYTURN_NOTIFY', channelNames, []);
  const missing = notify.filter((name) => !found.has(name)).length;
  if (missing > 0 && !reader.isWrong('KEYTURN_CHANNELS'))
    reader.wrong('KEYTURN_NOTIFY', `names ${missing} channels that are not in KEYTURN_CHANNELS`, undefined);
  for (const [name, channel] of found) {
    const unknown = referencesOf(channel).some(
      ({ vault }) => vault !== undefined && !vaults.some((one) => one.name === vault),
    );
    if (unknown && !reader.isWrong('KEYTURN_VAULTS'))
      reader.wrong('KEYTURN_CHANNELS', `names a vault for channel "${name}" that is not in KEYTURN_VAULTS`, undefined);
  }
  return { channels: found, notify };
}

/** Reads all settings. Opens no connection; reads the files that settings name. */
export function readSettings(environment: Environment): SettingsOutcome {
  const reader = new Reader(environment);
  reader.refuseUnknown();
  // Too late to take them away as DEBUG is: Node has read them.
  reader.get('NODE_DEBUG', read.absent, undefined);
  reader.get('NODE_DEBUG_NATIVE', read.absent, undefined);
  const vaults = reader.get('KEYTURN_VAULTS', read.vaultList, []);
  const times = readTimes(reader);
  const names: readonly CloudName[] = ['public', 'usgov', 'china'];
  const cloud = clouds[reader.get('KEYTURN_CLOUD', read.oneOf(names), 'public')];
  const storage = readStorage(reader, cloud.storageSuffix);
  const descriptionsFolder = reader.get('KEYTURN_DESCRIPTIONS', read.folder, undefined);
  const auditWorkspace = reader.get('KEYTURN_AUDIT_WORKSPACE', read.workspaceId, undefined);
  const settings: Settings = {
    vaults,
    ...times,
    identityTargets: reader.get('KEYTURN_IDENTITY_TARGETS', read.identityTargets, new Map()),
    trustedCertificates: reader.get('KEYTURN_TRUSTED_CERTIFICATES', read.certificates, []),
    targetHosts: reader.get('KEYTURN_TARGET_HOSTS', read.hostPatterns, []),
    allowedHosts: reader.get('KEYTURN_ALLOWED_HOSTS', read.hostList, []),
    ...(descriptionsFolder === undefined ? {} : { descriptionsFolder }),
    cloud: readCloud(reader, cloud),
    ...(auditWorkspace === undefined ? {} : { auditWorkspace }),
    credential: readCredential(reader, [...vaults.map((vault) => new URL(vault.url).hostname), ...storage.hosts]),
    storage: storage.connection,
    ...readChannels(reader, vaults),
    pauseAfter: reader.get('KEYTURN_PAUSE_AFTER', read.wholeNumber(1, 100), 5),
    connectTimeoutMs: reader.get('KEYTURN_CONNECT_TIMEOUT', read.durationMs(connectBounds), 10 * secondMs),
    docsUrl: reader.get('KEYTURN_DOCS_URL', read.baseAddress, ''),
    access: readAccess(reader),
    fourEyes: readFourEyes(reader),
    sweep: readTimed(reader, 'SWEEP'),
    drift: readTimed(reader, 'DRIFT'),
  };
  return reader.problems.length === 0 ? { kind: 'settings', settings } : { kind: 'invalid', problems: reader.problems };
}
