/** Looks at everything once, and tells it in the order of its risk. Changes nothing; no value leaves this process. */
import { inTurns } from '../asked.ts';
import { findSubscriptions, findVaults, lookAtApplications, lookAtResources } from './around.ts';
import type { AzureServices } from './azure.ts';
import { type Blind, byRisk, type Finding, type Risk } from './finding.ts';
import { Fingerprints, type HeldSecret, lookIntoVault } from './vaults.ts';

export interface DiscoverOptions {
  /** Whether values are read, here and nowhere else. */
  readonly read: boolean;
  /** Absent: all. */
  readonly vault: string | undefined;
  readonly subscription: string | undefined;
  readonly now: Date;
  readonly progress: (vaults: number, of: number, secrets: number) => void;
}

export interface Discovered {
  readonly vaults: number;
  /** Most urgent first. */
  readonly findings: readonly Finding[];
  /** What could not be looked at. */
  readonly blind: readonly Blind[];
}

const vaultsAtOnce = 8;

export async function discoverAll(services: AzureServices, options: DiscoverOptions): Promise<Discovered> {
  const subscriptions = await findSubscriptions(services, options.subscription);
  const perSubscription = await inTurns(subscriptions.found, 4, (one) => findVaults(services, one));
  const wanted = options.vault?.toLowerCase();
  const vaults = perSubscription
    .flatMap(({ found }) => found)
    .filter(({ name }) => wanted === undefined || name.toLowerCase() === wanted);
  const prints = new Fingerprints();
  let [done, seen] = [0, 0];
  const contents = await inTurns(vaults, vaultsAtOnce, async (vault) => {
    const held = await lookIntoVault(services, vault, { read: options.read, now: options.now, prints });
    done += 1;
    seen += held.secrets.length;
    options.progress(done, vaults.length, seen);
    return held;
  });
  const secrets = contents.flatMap((one) => one.secrets);
  // One vault alone says nothing of what is in no vault.
  const around = wanted === undefined ? await lookAround(services, subscriptions.found, secrets, options, prints) : [];
  return {
    vaults: vaults.length,
    findings: byRisk([
      ...withShared(secrets),
      ...contents.flatMap(({ others }) => others),
      ...around.flatMap(({ findings }) => findings),
    ]),
    blind: [subscriptions, ...perSubscription, ...contents, ...around].flatMap(({ blind }) => blind),
  };
}

function lookAround(
  services: AzureServices,
  subscriptions: readonly string[],
  secrets: readonly HeldSecret[],
  { now }: DiscoverOptions,
  prints: Fingerprints,
): Promise<readonly { readonly findings: readonly Finding[]; readonly blind: readonly Blind[] }[]> {
  return Promise.all([
    lookAtApplications(services, secrets, now),
    ...subscriptions.map((one) => lookAtResources(services, one, secrets, prints)),
  ]);
}

/** Secrets with one value are told of each other: whoever renews one of them leaves the others behind. */
function withShared(secrets: readonly HeldSecret[]): readonly Finding[] {
  const byPrint = new Map<string, string[]>();
  for (const { fingerprint, finding } of secrets) {
    if (fingerprint === undefined) continue;
    byPrint.set(fingerprint, [...(byPrint.get(fingerprint) ?? []), pathOf(finding)]);
  }
  return secrets.map(({ finding, fingerprint = '' }) => {
    const others = (byPrint.get(fingerprint) ?? []).filter((path) => path !== pathOf(finding));
    if (others.length === 0) return finding;
    const some = others.length > 5 ? [...others.slice(0, 5), `${others.length - 5} more`] : others;
    const shared: Risk = 'shared';
    return {
      ...finding,
      risks: [...finding.risks, shared],
      notes: [...finding.notes, `The same value is in ${some.join(', ')}.`],
    };
  });
}

function pathOf({ vault = '', name }: Finding): string {
  return `${vault}/${name}`;
}
