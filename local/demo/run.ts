/** The demo from the start of its servers to its last line. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SecretClient } from '@azure/keyvault-secrets';
import { localApiKeys } from '../api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../azure.ts';
import { sampleDays } from '../samples.ts';
import type { VaultEmulator } from '../vault/index.ts';
import { Consumer } from './consumer.ts';
import { castOf, type LeftOut, namesOf } from './left-out.ts';
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

export interface DemoOptions {
  readonly json: boolean;
  /** Each step of each rotation is told. */
  readonly steps: boolean;
  /** Stays up after its last line, until Ctrl-C. */
  readonly stay: boolean;
}

interface Played {
  readonly outcomes: readonly Outcome[];
  readonly otherWriters: OtherWriters;
}

/** Whether every promise was kept. */
export async function runDemo({ json, steps, stay }: DemoOptions): Promise<boolean> {
  const { scenes, leftOut } = castOf(allScenes());
  let kept = false;
  await perform(new Story({ quiet: json, steps }), scenes, leftOut, async ({ outcomes, otherWriters }, azure) => {
    kept = [...outcomes, otherWriters].every(({ broken }) => broken.length === 0);
    if (json) console.log(JSON.stringify({ kept, leftOut, outcomes, otherWriters }, null, 2));
    else printReport({ outcomes, ofOthers: otherWriters.broken, leftOut, steps });
    if (stay) await stayUp(azure);
  });
  return kept;
}

/** Until Ctrl-C. */
async function stayUp({ host }: LocalAzure): Promise<void> {
  console.log(`\nDashboard: ${host.url}/\nIts key:   ${localApiKeys.emergency}\nCtrl-C ends all of it.`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

/** `shown` gets what came of it while all of it runs still. */
async function perform(
  story: Story,
  scenes: readonly Scene[],
  leftOut: LeftOut,
  shown: (played: Played, azure: LocalAzure) => Promise<void>,
): Promise<void> {
  if (leftOut.command !== '') {
    story.say(`left out, as this machine lacks their servers: ${namesOf(leftOut)}. To see them:`, 'yellow');
    story.print(`    ${leftOut.command}`, 'yellow');
  }
  const started: Consumer[] = [];
  let azure: LocalAzure | undefined;
  try {
    const ready = (what: string): void => story.say(`${what}: ready`, 'dim');
    azure = await startLocalAzure({
      onLog: (record) => story.hear(record),
      onReady: ready,
      secondVault,
      settingsToCome: startTargets(scenes, ready),
    });
    for (const scene of scenes) await scene.setUp(azure);
    story.heading('Secrets in the vault, each with the tags that opt it in');
    for (const { secret, strategy, about } of scenes) story.tell(secret, `${strategy}: ${about}`);
    await shown(await play(azure, scenes, story, started), azure);
  } finally {
    await Promise.all(started.map((consumer) => consumer.stop()));
    await azure?.close();
    for (const scene of scenes) await scene.close?.();
  }
}

/** The settings that the app needs for the targets. */
async function startTargets(
  scenes: readonly Scene[],
  ready: (what: string) => void,
): Promise<Readonly<Record<string, string>>> {
  const settings = await Promise.all(
    scenes.map(async ({ server, start }) => {
      const own = await start?.();
      if (server !== undefined) ready(server);
      return own;
    }),
  );
  return Object.assign({}, ...settings);
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
  story.heading('A client of each secret calls its target all the time');
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
