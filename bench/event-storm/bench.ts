/**
 * A vault whose secrets all come near their expiry at once: every event is delivered several times in no order, two instances of the
 * app share the work, and the vault takes no more creations than the service does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import { documentedLimits } from '../../local/vault/limits.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { BenchOptions, Broken, Run } from '../bench.ts';
import { rounded } from '../pairs.ts';

const whole = { secrets: 2_500, warmUp: 400, creations: documentedLimits.creations };
const quickly = { secrets: 40, warmUp: 0, creations: 20 };

/** Each event comes four times. */
const duplicates = 3;
const dayMs = 86_400_000;

export const run: Run = async (options) => {
  const { secrets, warmUp, creations } = options.quick ? quickly : whole;
  const azure = await startLocalAzure({
    vaultName: 'storm',
    instances: 2,
    postgres: false,
    disturb: { duplicates, shuffle: 1 },
    // The timers would find the same secrets due and ask a fifth time.
    settings: { KEYTURN_SWEEP_SCHEDULE: '0 0 0 1 1 *', KEYTURN_DRIFT_SCHEDULE: '0 0 0 1 1 *', ...manyAtOnce },
  });
  try {
    azure.vault.limits.set({ creations });
    fill(azure, warmUp, 60, warmUpName);
    fill(azure, secrets, 90, nameOf);
    await warm(azure, warmUp, options);
    const before = delivered(azure);
    const storm = await rage(azure, secrets, options);
    await calm(azure, options);
    return [figuresOf(azure, { secrets, creations, deliveries: delivered(azure) - before }, storm)];
  } finally {
    await azure.close();
  }
};

export const broken: Broken = (cases) =>
  cases.flatMap(({ name, secrets, rotatedOnce, newVersions }) =>
    rotatedOnce === secrets
      ? []
      : [`${name}: ${newVersions} new versions of ${secrets} secrets, ${rotatedOnce} have one`],
  );

/** The most that one instance takes from a queue at once: the app's own host.json is made for rotations that log in somewhere. */
const manyAtOnce = {
  AzureFunctionsJobHost__extensions__queues__batchSize: '32',
  AzureFunctionsJobHost__extensions__queues__newBatchThreshold: '24',
};

const nameOf = (number: number): string => `signing-key-${number}`;
const warmUpName = (number: number): string => `earlier-key-${number}`;

function fill({ vault }: LocalAzure, secrets: number, days: number, name: (number: number) => string): void {
  for (let number = 0; number < secrets; number++) {
    vault.put(name(number), {
      value: `first-value-${number}`,
      tags: { rotator: 'self-issued', team: 'storm' },
      expiresSeconds: vault.clock.nowSeconds() + (days * dayMs) / 1000,
    });
  }
}

function delivered({ events }: LocalAzure): number {
  return Object.values(events.statistics()).reduce((sum, one) => sum + one.delivered, 0);
}

/** The instances have been up for a while when a storm comes: what a fresh one costs is the bench `cold-start`. Not counted. */
async function warm(azure: LocalAzure, secrets: number, { progress }: BenchOptions): Promise<void> {
  progress(`${secrets} rotations that are not counted`);
  await untilMade(azure, 31, secrets);
  await azure.events.idle();
  // The storm gets a window of its own.
  if (secrets > 0) await sleep(documentedLimits.windowMs);
}

interface Storm {
  /** From the first event to the last new version. */
  readonly seconds: number;
  readonly refused: number;
}

async function rage(azure: LocalAzure, secrets: number, { progress }: BenchOptions): Promise<Storm> {
  const asked = () => azure.vault.calls.count('set');
  const before = asked();
  const seconds = await untilMade(azure, 30, secrets, progress);
  return { seconds, refused: asked() - before - secrets };
}

/** Moves the clock to where so many secrets are near their expiry, and waits for the last new version. Gives the seconds until then. */
async function untilMade(
  { vault, host }: LocalAzure,
  days: number,
  secrets: number,
  progress: BenchOptions['progress'] = () => undefined,
): Promise<number> {
  let made = 0;
  let last = performance.now();
  const end = vault.onEvent(() => {
    made++;
    last = performance.now();
  }, ['Microsoft.KeyVault.SecretNewVersionCreated']);
  const started = performance.now();
  vault.clock.advance(days * dayMs);
  let told = 0;
  while (made < secrets) {
    await sleep(100);
    const seconds = (performance.now() - started) / 1000;
    if (seconds - told >= 10) {
      told = seconds;
      progress(`${made} of ${secrets} new versions after ${Math.round(seconds)} s`);
    }
    if (performance.now() - last > 120_000) throw new Error(`no new version for two minutes:\n${complaints(host)}`);
  }
  end();
  return (last - started) / 1000;
}

function complaints(host: LocalAzure['host']): string {
  const worth = host.logs().filter((record) => ['warning', 'error', 'critical'].includes(record.level));
  return worth
    .slice(-5)
    .map((record) => record.message)
    .join('\n');
}

/** Until every event is delivered and every message done: a version too many could come as late as that. */
async function calm({ events, storage }: LocalAzure, { quick, progress }: BenchOptions): Promise<void> {
  await events.idle();
  if (quick) return;
  progress('waiting until the last duplicates are done');
  const queues = QueueServiceClient.fromConnectionString(storage.connectionString);
  const queue = queues.getQueueClient(queueNames.rotations);
  // Hidden messages are counted too.
  while (((await queue.getProperties()).approximateMessagesCount ?? 0) > 0) await sleep(500);
}

interface Storming {
  readonly secrets: number;
  readonly creations: number;
  readonly deliveries: number;
}

function figuresOf({ vault }: LocalAzure, { secrets, creations, deliveries }: Storming, storm: Storm) {
  const versions = Array.from({ length: secrets }, (_, number) => vault.versions(nameOf(number)).length);
  const newVersions = versions.reduce((sum, count) => sum + count - 1, 0);
  const windowSeconds = documentedLimits.windowMs / 1000;
  const perSecond = newVersions / storm.seconds;
  const ofLimit = rounded(perSecond / (creations / windowSeconds), 3);
  return {
    name: 'event-storm',
    ratio: ofLimit,
    deliveries,
    secrets,
    newVersions,
    rotatedOnce: versions.filter((count) => count === 2).length,
    ofLimit,
    perSecond: rounded(perSecond, 1),
    seconds: rounded(storm.seconds, 1),
    // The worth of one window may come at once, so that nobody can be quicker than this.
    leastSeconds: (Math.ceil(secrets / creations) - 1) * windowSeconds,
    refusedCreations: storm.refused,
  };
}
