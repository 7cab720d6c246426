/** `npm start`: the local Azure on fixed ports, until Ctrl-C. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { addressesOf, addressFile, authorityFile, environmentFile, environmentText, localFolder } from './addresses.ts';
import { type LocalAzure, startLocalAzure } from './azure.ts';
import { type Estate, startEstate } from './estate.ts';
import type { LogRecord } from './functions-host/index.ts';
import { isFree } from './guarded-child.ts';
import { hanging, paint } from './lines.ts';
import { fullWordsFor, toldBy } from './log-words.ts';
import { createSamples, createUnmanaged, sampleApplications, sampleResources } from './samples.ts';
import { readArguments, signingSecretOf, UsageError, usage } from './start-options.ts';
import { opening, startText } from './start-text.ts';

/** Throws when a port is somebody else's, before anything is started. */
async function refuseTaken(ports: Awaited<ReturnType<typeof readArguments>>['ports']): Promise<void> {
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

async function writeAddresses(azure: LocalAzure, estate: Estate): Promise<void> {
  await mkdir(localFolder, { recursive: true });
  // Taken away first: the mode is that of the file's making, and one that is there may be open to others.
  for (const file of [addressFile, environmentFile]) await rm(file, { force: true });
  await writeFile(authorityFile, azure.vault.certificate);
  const addresses = addressesOf(azure, estate);
  await writeFile(addressFile, `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await writeFile(environmentFile, environmentText(addresses), { mode: 0o600, flag: 'wx' });
}

/** A line of the app's log as a person reads it: with the vault's time, which may have been moved. */
function showLog(record: LogRecord, now: Date, steps: boolean): void {
  const told = toldBy(record);
  if (told === undefined) return;
  const { text, colour = 'reset' } = fullWordsFor(told, record.level, steps);
  if (text === '') return;
  const at = `${now.toISOString().slice(5, 19).replace('T', ' ')}  `;
  for (const line of hanging(at + (told.secret ?? '').padEnd(16), text))
    console.log(paint('dim', line.slice(0, at.length)) + paint(colour, line.slice(at.length)));
}

type Wanted = Awaited<ReturnType<typeof readArguments>>;

async function startAll(wanted: Wanted): Promise<LocalAzure> {
  let azure: LocalAzure | undefined;
  const quiet = wanted.json;
  azure = await startLocalAzure({
    ports: wanted.ports,
    instances: wanted.instances,
    settings: wanted.settings,
    onReady: (part) => {
      if (!quiet) console.log(paint('dim', `  ${part}: ready`));
    },
    onLog: (record) => {
      if (quiet) return;
      if (!wanted.logJson) showLog(record, azure?.vault.clock.now() ?? new Date(), wanted.steps);
      else if (record.category === 'user') console.log(record.message);
    },
  });
  for (const channel of wanted.webhooks)
    azure.vault.put(signingSecretOf(channel), { value: `whsec_${randomBytes(32).toString('base64')}` });
  return azure;
}

async function main(): Promise<void> {
  const wanted = await readArguments();
  if (wanted.help) {
    console.log(usage);
    return;
  }
  if (!wanted.json) console.log(opening);
  await refuseTaken(wanted.ports);
  const azure = await startAll(wanted);
  const estate = await startEstate({
    vaults: [azure.vault],
    ...(wanted.empty ? {} : { applications: sampleApplications(azure.vault.clock.now()), resources: sampleResources }),
  });
  let closing = false;
  const end = (): void => {
    if (closing) return;
    closing = true;
    void Promise.all([addressFile, environmentFile, authorityFile].map((file) => rm(file, { force: true })))
      .then(() => Promise.all([azure.close(), estate.close()]))
      .then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  await writeAddresses(azure, estate);
  const addresses = addressesOf(azure, estate);
  // Printed before the samples are stored, so that what the app says of them comes after it.
  if (!wanted.json) console.log(startText(addresses, { empty: wanted.empty, webhooks: wanted.webhooks }));
  if (!wanted.empty && azure.postgres !== undefined) {
    await createSamples(azure.vault, azure.postgres);
    await createUnmanaged(azure.vault, azure.postgres);
  }
  console.log(wanted.json ? JSON.stringify({ ready: true, ...addresses }) : `\n${paint('green', 'ready')}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) console.error(`\n${usage}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
