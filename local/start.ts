/** `npm start`: the local Azure on fixed ports, until Ctrl-C. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addressesOf, addressFile, authorityFile, describeAddresses } from './addresses.ts';
import { type LocalAzure, startLocalAzure } from './azure.ts';
import { type Estate, startEstate } from './estate.ts';
import { isFree } from './guarded-child.ts';
import { createSamples, createUnmanaged, sampleApplications, sampleResources } from './samples.ts';

const usage = `npm start -- [options]      starts the local Azure and Keyturn in it; Ctrl-C ends all of it

  --port N            functions host (7071)
  --vault-port N      vault emulator (8443)
  --postgres-port N   Postgres (15432)
  --blob-port N, --queue-port N, --table-port N   storage account (10000, 10001, 10002)
  --instances N       instances of the functions host (1)
  --empty             without samples
  --json              one line of JSON with every address and key, then quiet
  --help              this text

A port of 0 takes any free one.`;

const portOptions = {
  port: { type: 'string', default: '7071' },
  'vault-port': { type: 'string', default: '8443' },
  'postgres-port': { type: 'string', default: '15432' },
  'blob-port': { type: 'string', default: '10000' },
  'queue-port': { type: 'string', default: '10001' },
  'table-port': { type: 'string', default: '10002' },
} as const;

const otherOptions = {
  instances: { type: 'string', default: '1' },
  empty: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

class UsageError extends Error {}

/** Throws when a port is somebody else's, before anything is started. */
async function refuseTaken(ports: ReturnType<typeof readArguments>['ports']): Promise<void> {
  const taken: string[] = [];
  for (const [name, port] of Object.entries(ports)) {
    if (port !== 0 && !(await isFree(port))) taken.push(`${port} (--${name === 'host' ? 'port' : `${name}-port`})`);
  }
  if (taken.length === 0) return;
  throw new Error(
    `In use on 127.0.0.1 already: ${taken.join(', ')}.\n` +
      'End what listens there, perhaps another "npm start", or give other ports: "npm start -- --port 0" takes any free one.',
  );
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most && text.trim() !== '') return number;
  throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}"`);
}

function readArguments() {
  try {
    const { values } = parseArgs({ options: { ...portOptions, ...otherOptions } });
    const port = (name: keyof typeof portOptions): number => wholeNumber(name, values[name], 0, 65_535);
    return {
      ports: {
        host: port('port'),
        vault: port('vault-port'),
        postgres: port('postgres-port'),
        blob: port('blob-port'),
        queue: port('queue-port'),
        table: port('table-port'),
      },
      instances: wholeNumber('instances', values.instances, 1, 16),
      empty: values.empty,
      json: values.json,
      help: values.help,
    };
  } catch (error) {
    if (error instanceof UsageError || error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

async function writeAddresses(azure: LocalAzure, estate: Estate): Promise<void> {
  await mkdir(fileURLToPath(new URL('../.local', import.meta.url)), { recursive: true });
  // Taken away first: the mode is that of the file's making, and one that is there may be open to others.
  await rm(addressFile, { force: true });
  await writeFile(authorityFile, azure.vault.certificate);
  await writeFile(addressFile, `${JSON.stringify(addressesOf(azure, estate), null, 2)}\n`, { mode: 0o600, flag: 'wx' });
}

async function main(): Promise<void> {
  const wanted = readArguments();
  if (wanted.help) {
    console.log(usage);
    return;
  }
  await refuseTaken(wanted.ports);
  const azure = await startLocalAzure({
    ports: wanted.ports,
    instances: wanted.instances,
    onLog: ({ category, level, message }) => {
      if (!wanted.json && category === 'user') console.log(`  ${level.padEnd(11)} ${message}`);
    },
  });
  const estate = await startEstate({
    vaults: [azure.vault],
    ...(wanted.empty ? {} : { applications: sampleApplications(azure.vault.clock.now()), resources: sampleResources }),
  });
  let closing = false;
  const end = (): void => {
    if (closing) return;
    closing = true;
    void Promise.all([addressFile, authorityFile].map((file) => rm(file, { force: true })))
      .then(() => Promise.all([azure.close(), estate.close()]))
      .then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  if (!wanted.empty && azure.postgres !== undefined) {
    await createSamples(azure.vault, azure.postgres);
    await createUnmanaged(azure.vault, azure.postgres);
  }
  await writeAddresses(azure, estate);
  const addresses = addressesOf(azure, estate);
  if (wanted.json) console.log(JSON.stringify({ ready: true, ...addresses }));
  else console.log(describeAddresses(addresses, wanted.empty));
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) console.error(`\n${usage}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
