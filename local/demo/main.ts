/** `npm run demo`: real databases, clients that never stop calling, secrets near their expiry, and what Keyturn makes of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SecretClient } from '@azure/keyvault-secrets';
import { type LocalAzure, startLocalAzure } from '../azure.ts';
import { isInstalled } from '../programs.ts';
import { sampleDays } from '../samples.ts';
import type { VaultEmulator } from '../vault/index.ts';
import { Consumer } from './consumer.ts';
import { type OtherWriters, showOtherWriters } from './other-writers.ts';
import { type Before, type Outcome, outcomeOf } from './outcome.ts';
import { printReport } from './report.ts';
import type { Scene } from './scene.ts';
import { allScenes } from './scenes.ts';
import { Story } from './story.ts';

/** Near-expiry comes 30 days before the end. */
const daysToNearExpiry = sampleDays - 30;
const secondVault = 'eu-vault';
const calmMs = 1_500;
const longestMs = 45_000;

interface Played {
  readonly outcomes: readonly Outcome[];
  readonly otherWriters: OtherWriters;
}

async function main(quiet: boolean): Promise<Played> {
  const story = new Story(quiet);
  const scenes = allScenes().filter(({ needs }) => needs === undefined || isInstalled(needs.program));
  story.heading(
    'Starting a vault, a storage account, event delivery, a functions host and the databases on this machine',
  );
  const started: Consumer[] = [];
  let azure: LocalAzure | undefined;
  try {
    const settings = await Promise.all(scenes.map((scene) => scene.start?.()));
    azure = await startLocalAzure({
      onLog: (record) => story.hear(record),
      secondVault,
      settings: Object.assign({}, ...settings),
    });
    for (const scene of scenes) await scene.setUp(azure);
    for (const { secret, strategy, about } of scenes) story.say(`${secret.padEnd(16)} ${strategy}: ${about}`);
    return await play(azure, scenes, story, started);
  } finally {
    await Promise.all(started.map((consumer) => consumer.stop()));
    await azure?.close();
    for (const scene of scenes) await scene.close?.();
  }
}

async function play(azure: LocalAzure, scenes: readonly Scene[], story: Story, started: Consumer[]): Promise<Played> {
  const token = { getToken: async () => ({ token: 'demo', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const clientOf = ({ url }: VaultEmulator): SecretClient =>
    new SecretClient(url, token, { allowInsecureConnection: true, disableChallengeResourceVerification: true });
  const here = { vault: azure.vault, client: clientOf(azure.vault) };
  const there = azure.secondVault && { vault: azure.secondVault, client: clientOf(azure.secondVault) };
  const placeOf = ({ elsewhere }: Scene) => (elsewhere === true && there !== undefined ? there : here);
  const before = new Map<string, Before>();
  for (const scene of scenes) {
    const { value = '', properties } = await placeOf(scene).client.getSecret(scene.secret);
    before.set(scene.secret, { value, version: properties.version ?? '' });
  }
  for (const scene of scenes) started.push(new Consumer(scene, placeOf(scene).client, await scene.follow?.(azure)));
  for (const consumer of started) consumer.start();
  story.heading('Consumers call their targets all the time with what the vault says');
  await sleep(calmMs);

  story.heading(`The vault's clock moves ${daysToNearExpiry} days: the secrets are near their expiry`);
  azure.vault.clock.advance(daysToNearExpiry * 86_400_000 + 1_000);
  await until(() => scenes.every((scene) => isOver(scene, story)));
  await sleep(calmMs);

  const calls = await Promise.all(started.map((consumer) => consumer.stop()));
  const none: Before = { value: '', version: '' };
  const outcomes = await Promise.all(
    scenes.map((scene, index) =>
      outcomeOf(
        scene,
        before.get(scene.secret) ?? none,
        calls[index] ?? { made: 0, failed: 0 },
        story.told,
        placeOf(scene).vault,
        placeOf(scene).client,
      ),
    ),
  );
  return { outcomes, otherWriters: await showOtherWriters(azure, story, before.get('orders-db') ?? none) };
}

/** A rotation is over when its old credential is dead, or when a person has been told what to do. */
function isOver(scene: Scene, story: Story): boolean {
  const events = story.told.filter(({ secret }) => secret === (scene.source ?? scene.secret));
  const rotated = events.find(({ event }) => event === 'rotated');
  const retires = rotated?.['retireBy'] !== undefined;
  return (
    events.some(({ event }) => event === 'rotation-failed' || event === 'retirement-failed' || event === 'retired') ||
    (rotated !== undefined && !retires)
  );
}

async function until(holds: () => boolean): Promise<void> {
  const startedMs = performance.now();
  while (!holds() && performance.now() - startedMs < longestMs) await sleep(100);
}

const usage = 'npm run demo [-- --json]    --json: one JSON document for machines instead of the story';

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const { outcomes, otherWriters } = await main(values.json);
  const kept = [...outcomes, otherWriters].every(({ broken }) => broken.length === 0);
  if (values.json) console.log(JSON.stringify({ kept, outcomes, otherWriters }, null, 2));
  else {
    console.log('');
    printReport(outcomes, otherWriters.broken);
  }
  process.exitCode = kept ? 0 : 1;
}

await run();
