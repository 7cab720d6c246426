/** The one file that knows the concrete classes. Everything else takes what it needs as an argument. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCredential } from '@azure/core-auth';
import * as z from 'zod';
import { rotators } from '../rotators/registry.ts';
import type { ApiDependencies } from '../shared/api/dependencies.ts';
import type { Settings } from '../shared/config/settings.ts';
import type { AuditLog } from '../shared/contract/audit-log.ts';
import type { ChannelSwitches, Deliveries } from '../shared/contract/deliveries.ts';
import type { LeftMessages } from '../shared/contract/ports.ts';
import type { RotatorEnvironment } from '../shared/contract/rotator.ts';
import { SecretText } from '../shared/contract/secret-text.ts';
import type { SeenVersions, ToldBefore } from '../shared/contract/state.ts';
import { listsHost } from '../shared/engine/policy/glob.ts';
import { newPassword } from '../shared/engine/rotation/password.ts';
import type { EngineDependencies } from '../shared/engine/running/dependencies.ts';
import { makeWire } from '../shared/http/client.ts';
import type { Notifier } from '../shared/notify/notifier.ts';
import { withoutUnheard } from '../shared/notify/unheard.ts';
import { queuedFollowUps } from '../shared/operations/follow-ups.ts';
import { rememberedVersions } from '../shared/operations/seen-versions.ts';
import { queuedWakeUps } from '../shared/operations/wake-ups.ts';
import { BlobLeases, rememberedLeases } from '../shared/storage/blob-leases.ts';
import { connectStorage } from '../shared/storage/connect.ts';
import { queueDepths } from '../shared/storage/queue-depths.ts';
import { storageParts } from '../shared/storage/reach.ts';
import { tableAcknowledgements } from '../shared/storage/state/acknowledgements.ts';
import { tableApprovals } from '../shared/storage/state/approvals.ts';
import { tableAttention } from '../shared/storage/state/attention.ts';
import { tableChannelSwitches } from '../shared/storage/state/channel-switches.ts';
import { tableDeliveries } from '../shared/storage/state/deliveries.ts';
import { rememberedFreeze, tableFreeze } from '../shared/storage/state/freeze.ts';
import { tableIdempotencyKeys } from '../shared/storage/state/idempotency-keys.ts';
import { tableIrregularities } from '../shared/storage/state/irregularities.ts';
import { tableLoginIndex } from '../shared/storage/state/login-index.ts';
import { tableMarks } from '../shared/storage/state/marks.ts';
import { Records } from '../shared/storage/state/records.ts';
import { tableRehearsals } from '../shared/storage/state/rehearsals.ts';
import { tableSweepTimes } from '../shared/storage/state/sweep-times.ts';
import { tableToldBefore } from '../shared/storage/state/told-before.ts';
import { StorageQueues } from '../shared/storage/storage-queues.ts';
import { TableHistory } from '../shared/storage/table-history.ts';
import { auditLogOf } from '../shared/vault/audit-log.ts';
import { KeyVault } from '../shared/vault/key-vault.ts';
import { notifierOf } from './compose-notify.ts';
import { credentialOf } from './credential.ts';
import { rotatorLoader } from './load-rotator.ts';

/** What the workers and the API need, but for the log of the invocation. */
export interface App extends ApiDependencies {
  readonly notifier: Notifier;
  /** How far the news of a rotation is. */
  readonly deliveries: Deliveries;
  /** Channels that are off because their receiver wants no more. */
  readonly channelSwitches: ChannelSwitches;
  readonly toldBefore: ToldBefore;
  /** What lies in queues that no function waits for. */
  readonly left: LeftMessages;
  /** Versions that this process has looked at. */
  readonly seenVersions: SeenVersions;
  readonly auditLog?: AuditLog;
}

/** How much later an instance may see what another one did: that the app is frozen, which secrets are worked on. In ms. */
const rememberedMs = 1_000;

/** Makes the app from its settings. Opens no connection. Called once per process, when the first work arrives. */
export async function compose(settings: Settings): Promise<App> {
  const credential = await credentialOf(settings);
  const clients = connectStorage(settings.storage, credential);
  const records = new Records(clients);
  const stored = new StorageQueues(clients);
  const queues = withoutUnheard(stored, { channels: settings.channels, standard: settings.notify });
  const history = new TableHistory(clients);
  const getToken = tokensOf(credential);
  const acknowledgements = tableAcknowledgements(records);
  const marks = tableMarks(records);
  const leases = new BlobLeases(clients);
  const engine: EngineDependencies = {
    vaults: new Map(settings.vaults.map((vault) => [vault.name, vaultOf(settings, credential, vault)])),
    rotators: new Map(rotators.map((entry) => [entry.name, entry])),
    loadRotator: rotatorLoader(environmentOf(settings, getToken)),
    leases,
    progress: { step: () => undefined },
    followUps: queuedFollowUps(queues, marks),
    wakeUps: queuedWakeUps(queues),
    logins: tableLoginIndex(records),
    acknowledged: async (vault, secret, version) => {
      const known = await acknowledgements.of(vault, secret, version);
      return known.kind === 'failed' ? known : { kind: 'acknowledged', consumers: new Set(known.consumers.keys()) };
    },
    defaults: settings,
    targetHosts: settings.targetHosts,
    localTargets: settings.credential.kind === 'local',
    identityLogin: (host) => settings.identityTargets.get(host.toLowerCase()),
    getToken,
    newPassword,
    // A wait that is cut short by the signal is over; whoever waits looks at the signal.
    wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    elapsedMs: () => performance.now(),
  };
  const deliveries = tableDeliveries(records);
  const channelSwitches = tableChannelSwitches(records);
  return {
    engine,
    notifier: notifierOf(settings, engine, { queues, deliveries, switches: channelSwitches }),
    deliveries,
    channelSwitches,
    history,
    queues,
    left: stored,
    attention: tableAttention(records),
    approvals: tableApprovals(records),
    fourEyes: settings.fourEyes,
    toldBefore: tableToldBefore(records),
    irregularities: tableIrregularities(records),
    rehearsals: tableRehearsals(records),
    ...auditLogWhere(settings, getToken),
    seenVersions: rememberedVersions(),
    leasesHeld: rememberedLeases(leases, rememberedMs, engine.elapsedMs),
    freeze: rememberedFreeze(tableFreeze(records), rememberedMs, engine.elapsedMs),
    marks,
    acknowledgements,
    idempotencyKeys: tableIdempotencyKeys(records),
    storageParts: storageParts(clients),
    queueDepths: queueDepths(clients),
    sweepTimes: tableSweepTimes(records),
    version: ownVersion(),
    pauseAfter: settings.pauseAfter,
    random: Math.random,
    now: () => new Date(),
  };
}

/** Nothing where no workspace is set. */
function auditLogWhere(
  { auditWorkspace: id, cloud, trustedCertificates }: Settings,
  getToken: EngineDependencies['getToken'],
): Pick<App, 'auditLog'> {
  if (id === undefined) return {};
  const wire = makeWire({ trustedCertificates });
  return { auditLog: auditLogOf({ id, endpoint: cloud.logs, wire, getToken }) };
}

/** The manifest lies beside the folder of this file, in the source and in what is built of it. */
function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}

function vaultOf(settings: Settings, credential: TokenCredential, vault: Settings['vaults'][number]): KeyVault {
  const { trustedCertificates } = settings;
  return new KeyVault({ name: vault.name, url: vault.url, credential, trustedCertificates });
}

function tokensOf(credential: TokenCredential): (scope: string) => Promise<SecretText> {
  return async (scope) => {
    const token = await credential.getToken(scope);
    if (token === null) throw new Error(`the app's identity got no token for ${scope}`);
    return new SecretText(token.token);
  };
}

function environmentOf(settings: Settings, getToken: RotatorEnvironment['getToken']): RotatorEnvironment {
  const { trustedCertificates, connectTimeoutMs, allowedHosts, descriptionsFolder, cloud } = settings;
  const folder = descriptionsFolder === undefined ? {} : { descriptionsFolder };
  const listsTarget = (host: string) => listsHost(settings.targetHosts, host);
  return { trustedCertificates, connectTimeoutMs, allowedHosts, cloud, getToken, listsHost: listsTarget, ...folder };
}
