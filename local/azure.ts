/**
 * A whole Azure for one machine: vault, storage account, event delivery, functions host with the built app, and a Postgres to rotate.
 * Used by `npm start`, the demo, the tests of whole paths and the benches.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../build.ts';
import { localApiKeySetting } from './api-keys.ts';
import { type Azurite, startAzurite } from './azurite.ts';
import { type EventDelivery, type EventDeliveryOptions, startEventDelivery } from './events/index.ts';
import {
  AppNotStarted,
  type FunctionsHost,
  type FunctionsHostOptions,
  startFunctionsHost,
} from './functions-host/index.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { vaultEventTypes } from './vault/events.ts';
import { createClock, startVaultEmulator, type VaultEmulator, type VaultEvent } from './vault/index.ts';

export interface LocalAzureOptions {
  /** Fixed ports; any free one where absent or 0. */
  readonly ports?: {
    readonly host?: number;
    readonly vault?: number;
    readonly postgres?: number;
    readonly blob?: number;
    readonly queue?: number;
    readonly table?: number;
  };
  readonly vaultName?: string;
  /** Types of events that reach the app. Absent: all that it takes. */
  readonly eventTypes?: readonly string[];
  /** The name of a second vault with the same clock. Absent: there is none. */
  readonly secondVault?: string;
  /** A folder with the built app. Absent: it is built anew, into a folder that is removed at the end. */
  readonly app?: string;
  /** A storage account that stands already, and stays when the rest is ended. Absent: one of its own. */
  readonly storage?: Azurite;
  /** Settings of the app besides those that point it here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** More of them, of servers that start while the rest does. */
  readonly settingsToCome?: Promise<Readonly<Record<string, string>>>;
  readonly instances?: number;
  /** Absent: true. */
  readonly postgres?: boolean;
  /** Whether the vault refuses more than the service would. Absent: true. */
  readonly limits?: boolean;
  readonly queues?: FunctionsHostOptions['queues'];
  readonly schema?: 'eventgrid' | 'cloudevents';
  readonly onLog?: FunctionsHostOptions['onLog'];
  /** Called with the name of each part, in words for people, once it is there. */
  readonly onReady?: (part: string) => void;
  readonly onAttempt?: EventDeliveryOptions['onAttempt'];
  readonly disturb?: EventDeliveryOptions['disturb'];
}

export interface LocalAzure {
  readonly vault: VaultEmulator;
  /** Undefined where it was not wanted. */
  readonly secondVault: VaultEmulator | undefined;
  readonly storage: Azurite;
  readonly host: FunctionsHost;
  readonly events: EventDelivery;
  /** Undefined where it was not wanted. */
  readonly postgres: PostgresServer | undefined;
  /** The settings the app runs with. */
  readonly settings: Readonly<Record<string, string>>;
  /** Ends all of it, in the order in which nothing is missed by anything else. May be called again. */
  close(): Promise<void>;
}

/** Event Grid's pauses are made for hours; here a retry of ten seconds takes a tenth of one. */
const timeScale = 1e-2;

/** Starts all of it, or nothing: what was started before a failure is ended again. */
export async function startLocalAzure(options: LocalAzureOptions = {}): Promise<LocalAzure> {
  const started: { close(): unknown }[] = [];
  const keep = <Started extends { close(): unknown }>(one: Started): Started => {
    started.push(one);
    return one;
  };
  const close = async (): Promise<void> => {
    for (const one of started.splice(0).reverse()) await one.close();
  };
  try {
    return { ...(await startAll(options, keep)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Keep = <Started extends { close(): unknown }>(one: Started) => Started;

async function startAll(options: LocalAzureOptions, keep: Keep): Promise<Omit<LocalAzure, 'close'>> {
  const { ports = {}, vaultName = 'local' } = options;
  const [clock, limits] = [createClock(), { on: options.limits ?? true }];
  const ready = async <Part>(part: string, starting: Part | Promise<Part>): Promise<Part> => {
    const started = await starting;
    options.onReady?.(part);
    return started;
  };
  const [storage, vault, secondVault, postgres, app, further] = await Promise.all([
    options.storage ?? ready('storage account (Azurite)', startAzurite(storagePorts(ports)).then(keep)),
    ready(
      'vault (emulator)',
      startVaultEmulator({ name: vaultName, port: ports.vault ?? 0, clock, limits }).then(keep),
    ),
    options.secondVault === undefined
      ? undefined
      : startVaultEmulator({ name: options.secondVault, clock, limits }).then(keep),
    options.postgres === false
      ? undefined
      : ready('Postgres', startPostgres(ports.postgres ? { port: ports.postgres } : {}).then(keep)),
    options.app ?? builtApp(keep),
    options.settingsToCome,
  ]);
  const settings = {
    AzureWebJobsStorage: storage.connectionString,
    FUNCTIONS_WORKER_RUNTIME: 'node',
    AzureWebJobsDisableHomepage: 'true',
    KEYTURN_VAULTS: [vault, secondVault]
      .flatMap((one) => (one === undefined ? [] : [`${one.name}=${one.url}`]))
      .join(','),
    KEYTURN_CREDENTIAL: 'local',
    KEYTURN_API_KEYS: localApiKeySetting,
    ...options.settings,
    ...further,
  };
  const host = keep(
    await startFunctionsHost({
      folder: app,
      settings,
      port: ports.host ?? 0,
      instances: options.instances ?? 1,
      ...(options.queues === undefined ? {} : { queues: options.queues }),
      ...(options.onLog === undefined ? {} : { onLog: options.onLog }),
    }),
  );
  if (host.functions.length === 0) {
    const said = host.logs().filter(({ category }) => category === 'console');
    throw new AppNotStarted(said.map(({ message }) => message).join('\n'));
  }
  options.onReady?.('functions host with Keyturn in it');
  const events = keep(
    await startEventDelivery<VaultEvent>({
      source: (listener) => vault.onEvent(listener),
      subscriptions: [
        {
          name: 'keyturn',
          url: host.eventGridUrl('onSecretEvent'),
          schema: options.schema ?? 'eventgrid',
          includedEventTypes: options.eventTypes ?? vaultEventTypes,
        },
      ],
      timeScale,
      ...(options.onAttempt === undefined ? {} : { onAttempt: options.onAttempt }),
      ...(options.disturb === undefined ? {} : { disturb: options.disturb }),
    }),
  );
  return { vault, secondVault, storage, host, events, postgres, settings };
}

function storagePorts({ blob = 0, queue = 0, table = 0 }: NonNullable<LocalAzureOptions['ports']>) {
  return { blobPort: blob, queuePort: queue, tablePort: table };
}

/** A folder of its own for each start, so that two of them do not build into each other. */
async function builtApp(keep: Keep): Promise<string> {
  const folder = join(
    fileURLToPath(new URL('..', import.meta.url)),
    '.local',
    `app-${process.pid}-${Date.now().toString(36)}`,
  );
  keep({ close: () => rm(folder, { recursive: true, force: true }) });
  await buildApp(folder);
  return folder;
}
