/**
 * One point of each kind of work with the times of the platform: an instance of the functions host with the built app is killed while the
 * vault's answer is outstanding; the message of the dead worker stays locked for 600 s, and nobody takes a lease back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { apiKeySetting } from '../../local/api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import type { Fault, FaultRule } from '../../local/vault/index.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { newPassword } from '../conformance/step.ts';
import { logsIn } from '../paths/logs-in.ts';

export interface RealTime {
  readonly work: string;
  readonly strategy: string;
  /** Where it stood when it was killed. */
  readonly stood: string;
  readonly seconds: number;
  readonly wrong: readonly string[];
}

interface Stand {
  readonly work: string;
  readonly strategy: 'single-user' | 'alternating-users';
  readonly stood: string;
  /** Which call of the vault it stands in. */
  readonly operation: 'set' | 'update';
  readonly call: number;
  readonly elsewhere?: boolean;
  readonly ask: 'rotate' | 'emergency' | 'rollback';
  /** Whether a whole rotation comes first. */
  readonly rotatedBefore?: true;
  readonly overlap?: string;
  /** The bound, in s. */
  readonly within: number;
  readonly versions: number;
  /** Whether the first password logs in, in the end. */
  readonly firstLives: boolean;
}

// A crash is healed in about a lease.
const healed = 75;

const stands: readonly Stand[] = [
  {
    ...{ work: 'rotation', strategy: 'single-user', ask: 'rotate', stood: 'after the change, before the publish' },
    ...{ operation: 'set', call: 1, within: healed, versions: 2, firstLives: false },
  },
  {
    ...{ work: 'roll-back', strategy: 'single-user', ask: 'rollback', stood: 'after the change, before the publish' },
    ...{ operation: 'set', call: 2, within: healed, versions: 3, firstLives: true, rotatedBefore: true },
  },
  {
    ...{
      work: 'emergency',
      strategy: 'alternating-users',
      ask: 'emergency',
      stood: 'after the change, before the publish',
    },
    ...{ operation: 'set', call: 1, within: healed, versions: 2, firstLives: false },
  },
  {
    ...{ work: 'copy', strategy: 'alternating-users', ask: 'rotate', stood: 'after the publish, before the copy' },
    ...{ operation: 'set', call: 1, elsewhere: true, within: healed, versions: 2, firstLives: true },
  },
  {
    ...{
      work: 'retirement',
      strategy: 'alternating-users',
      ask: 'rotate',
      stood: 'after the end of the login, before it is noted',
    },
    ...{ operation: 'update', call: 1, overlap: 'PT5S', within: healed, versions: 2, firstLives: false },
  },
];

interface Standing {
  readonly stand: Stand;
  readonly name: string;
  /** The value of the first version. */
  readonly first: string;
  readonly fault: Fault;
}

const key = 'key-of-the-crash-matrix-that-nobody-guesses';
const never = '0 0 0 1 1 *';

class Place {
  readonly #azure: LocalAzure;
  constructor(azure: LocalAzure) {
    this.#azure = azure;
  }

  versions(name: string, elsewhere = false) {
    return this.#vault(elsewhere).versions(name);
  }

  #vault(elsewhere: boolean) {
    const { vault, secondVault } = this.#azure;
    return elsewhere && secondVault !== undefined ? secondVault : vault;
  }

  current(name: string): string {
    return this.versions(name).at(-1)?.value ?? '';
  }

  fault({ operation, call, elsewhere = false }: Stand, name: string) {
    const rule: FaultRule = {
      match: { operation, name: `^${name}$` },
      when: { calls: [call] },
      effect: { kind: 'delay', ms: 3_600_000, stage: 'before' },
    };
    return this.#vault(elsewhere).faults.add(rule);
  }

  async sql(text: string): Promise<void> {
    const client = new Client({ connectionString: this.#azure.postgres?.adminUrl });
    await client.connect();
    await client.query(text).finally(() => client.end());
  }

  url(user: string, password: string): string {
    return `postgres://${user}:${password}@127.0.0.1:${this.#azure.postgres?.port}/postgres`;
  }

  async plant({ strategy, elsewhere, overlap = 'P1D' }: Stand, name: string): Promise<string> {
    const login = name.replaceAll('-', '_');
    const url = this.url(login, newPassword().reveal());
    await this.sql(`SET ROLE rotation_admin; CREATE ROLE ${login} LOGIN PASSWORD '${new URL(url).password}'`);
    const also = elsewhere ? { also: `eu-vault/${name}` } : {};
    if (elsewhere) this.#vault(true).put(name, { value: url, tags: { 'copy-of': `local/${name}` } });
    const { vault } = this.#azure;
    const tags = { rotator: 'postgres', strategy, admin: 'pg-admin', overlap, ...also };
    vault.put(name, { value: url, tags, expiresSeconds: vault.clock.nowSeconds() + 85 * 86_400 });
    return url;
  }

  async ask(what: Stand['ask'], name: string, wait = ''): Promise<void> {
    const answer = await fetch(`${this.#azure.host.url}/api/v1/vaults/local/secrets/${name}/${what}${wait}`, {
      method: 'POST',
      headers: { 'x-keyturn-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'the crash matrix' }),
    });
    if (!answer.ok) throw new Error(`${what} of ${name}: ${answer.status} ${await answer.text()}`);
  }
}

async function until(holds: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await sleep(250);
  }
  return true;
}

/** What is wrong at the moment; nothing when the work is done. */
async function judge(place: Place, { versions, firstLives, elsewhere, work }: Stand, name: string, first: string) {
  const all = place.versions(name);
  const stamp = readStamp(all.at(-1)?.tags ?? {});
  const over = ['emergency', 'retirement'].includes(work) ? stamp?.retired === true : true;
  return [
    ...(all.length === versions ? [] : [`${all.length} versions instead of ${versions}`]),
    ...((await logsIn(place.current(name))) ? [] : ['the current version does not log in']),
    ...((await logsIn(first)) === firstLives ? [] : [`the first password ${firstLives ? 'is refused' : 'logs in'}`]),
    ...(over ? [] : ['the old credential is not noted as ended']),
    ...(!elsewhere || place.versions(name, true).at(-1)?.value === place.current(name) ? [] : ['the copy is behind']),
  ];
}

async function settle(place: Place, stand: Stand, name: string, first: string, killedMs: number): Promise<RealTime> {
  const { work, strategy, stood, within } = stand;
  const left = within * 1_000 - (performance.now() - killedMs);
  await until(async () => (await judge(place, stand, name, first)).length === 0, left);
  const wrong = await judge(place, stand, name, first);
  return { work, strategy, stood, seconds: Math.round((performance.now() - killedMs) / 1_000), wrong };
}

async function play(azure: LocalAzure, tell: (line: string) => void): Promise<readonly RealTime[]> {
  const place = new Place(azure);
  const password = newPassword().reveal();
  await place.sql(
    `CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD '${password}'; GRANT pg_signal_backend TO rotation_admin`,
  );
  azure.vault.put('pg-admin', { value: place.url('rotation_admin', password), tags: { serves: '*' } });
  const standing: Standing[] = [];
  for (const stand of stands) {
    const name = `real-${stand.work}`;
    const fault = place.fault(stand, name);
    const first = await place.plant(stand, name);
    azure.vault.clock.advance(2_000);
    if (stand.rotatedBefore) await place.ask('rotate', name, '?wait=true');
    azure.vault.clock.advance(2_000);
    await place.ask(stand.ask, name);
    standing.push({ stand, name, first, fault });
  }
  const all = await until(() => standing.every(({ fault }) => fault.hits >= 1), 120_000);
  if (!all)
    throw new Error(`not standing: ${standing.filter(({ fault }) => fault.hits === 0).map(({ name }) => name)}`);
  await azure.host.kill(0);
  const killedMs = performance.now();
  await azure.host.add();
  return Promise.all(
    standing.map(async ({ stand, name, first }) => {
      const done = await settle(place, stand, name, first, killedMs);
      tell(`the platform's own times: ${done.work} after ${done.seconds} s`);
      return done;
    }),
  );
}

/** Takes up to two minutes, nearly all of it waiting. */
export async function playRealTimes(tell: (line: string) => void): Promise<readonly RealTime[]> {
  const azure = await startLocalAzure({
    secondVault: 'eu-vault',
    limits: false,
    settings: {
      KEYTURN_API_KEYS: apiKeySetting([{ name: 'oncall', role: 'emergency', key }]),
      KEYTURN_SWEEP_SCHEDULE: never,
      KEYTURN_DRIFT_SCHEDULE: never,
    },
    queues: { maxPollingMs: 6_000, retrySeconds: 30, lockSeconds: 600 },
  });
  try {
    return await play(azure, tell);
  } finally {
    await azure.close();
  }
}
