/** Azure Storage for one machine: Azurite as a child process, in memory, gone with whoever started it. */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { startGuarded } from './guarded-child.ts';

export interface Azurite {
  /** For `AzureWebJobsStorage` and the data-plane clients. Tables over http need `allowInsecureConnection`. */
  readonly connectionString: string;
  readonly account: string;
  readonly key: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly tableUrl: string;
  /** Ends it; all data is gone. May be called again. */
  close(): Promise<void>;
}

export interface AzuriteOptions {
  /** 0 or absent: any free port. */
  readonly blobPort?: number;
  readonly queuePort?: number;
  readonly tablePort?: number;
}

const account = 'devstoreaccount1';
const services = ['Blob', 'Queue', 'Table'] as const;

/** Starts an empty storage account on loopback; ready in about a second. */
export async function startAzurite(options: AzuriteOptions = {}): Promise<Azurite> {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const ports = { Blob: options.blobPort ?? 0, Queue: options.queuePort ?? 0, Table: options.tablePort ?? 0 };
  // Azurite's key is known to everybody. A key of our own means that a forgotten address of another run is refused, not written to.
  const key = randomBytes(64).toString('base64');
  const child = await startGuarded({
    command: process.execPath,
    args: [
      '--import',
      new URL('azurite-speed.ts', import.meta.url).href,
      program,
      ...services.flatMap((service) => [`--${service.toLowerCase()}Port`, String(ports[service])]),
      // The newest clients speak an API version that Azurite does not know yet.
      ...['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck'],
    ],
    package: 'nodejs',
    environment: { AZURITE_ACCOUNTS: `${account}:${key}` },
    ready: new RegExp(services.map((service) => `(?=[^]*${listening(service)})`).join('')),
  });
  const url = (service: (typeof services)[number]) =>
    `${new RegExp(listening(service)).exec(child.output())?.[1] ?? ''}/${account}`;
  const [blobUrl, queueUrl, tableUrl] = [url('Blob'), url('Queue'), url('Table')];
  return {
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};TableEndpoint=${tableUrl};`,
    account,
    key,
    blobUrl,
    queueUrl,
    tableUrl,
    close: () => child.stop(),
  };
}

function listening(service: string): string {
  return `${service} service (?:is successfully listening at|successfully listens on) (http://[0-9.]+:[0-9]+)`;
}
