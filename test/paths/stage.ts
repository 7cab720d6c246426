/**
 * What the tests of whole paths play on: a local Azure with the built app, real logins behind its secrets, and one look at everything
 * that was ever written anywhere, to search it for secret values.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { Client } from 'pg';
import { expect } from 'vitest';
import { type LocalAzure, type LocalAzureOptions, startLocalAzure } from '../../local/azure.ts';
import type { LogRecord } from '../../local/functions-host/index.ts';
import type { PostgresServer } from '../../local/postgres.ts';
import type { VaultEmulator, VaultEvent } from '../../local/vault/index.ts';
import { poisonQueueOf, queueNames } from '../../shared/contract/queue-names.ts';
import { leaseContainer } from '../../shared/storage/blob-leases.ts';
import { findSecrets } from '../canary.ts';
import { builtApp } from './built-app.ts';
import { logsIn } from './logs-in.ts';
import { startWiredStorage, type WiredStorage } from './storage.ts';
import { startWire, type Wire } from './wire.ts';

export const daySeconds = 86_400;
/** A schedule that no test lives to see. */
const never = '0 0 0 1 1 *';

export const adminSecret = 'shop-admin';

/** A line of the app's own log. */
export interface Line {
  readonly level: LogRecord['level'];
  readonly instance: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface SecretOptions {
  readonly strategy?: 'alternating-users' | 'single-user';
  readonly tags?: Readonly<Record<string, string>>;
  /** Tags to leave out of those that an ordinary secret has. */
  readonly without?: readonly string[];
  readonly days?: number;
  readonly enabled?: boolean;
  readonly value?: (url: string) => string;
}

export interface Planted {
  readonly name: string;
  readonly login: string;
  /** Version and value of the first version. */
  readonly version: string;
  readonly url: string;
}

/** Starts everything. To be closed by `close`, whatever happened on it. */
export async function startStage(options: Omit<LocalAzureOptions, 'app' | 'storage'> = {}): Promise<Stage> {
  const storage = await startWiredStorage();
  try {
    const azure = await startLocalAzure({
      ...options,
      app: await builtApp(),
      storage,
      // Started by the tests that want them; the clock on the wall must not start them in the middle of another.
      settings: { KEYTURN_SWEEP_SCHEDULE: never, KEYTURN_DRIFT_SCHEDULE: never, ...options.settings },
      // An instance that gets no processor for a while must not lose the message that it works on: a second one would find it busy, and the
      // message would come back after any patience of a test. Who kills an instance asks for a shorter lock.
      queues: { maxPollingMs: 100, retrySeconds: 1, lockSeconds: 30, ...options.queues },
    });
    if (azure.postgres === undefined) throw new Error('these tests need the database');
    const wire = await startWire(azure.postgres.port);
    const stage = new Stage(azure, storage, azure.postgres, wire);
    await stage.prepare();
    return stage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** How long something that must happen may take before the log is shown, in ms. Longer than any pause of the app's own. */
const patienceMs = 50_000;

export class Stage {
  readonly azure: LocalAzure;
  readonly storage: WiredStorage;
  readonly postgres: PostgresServer;
  readonly database: Wire;
  readonly #names = new Set<string>();
  readonly #canaries = new Set<string>();
  readonly #events: VaultEvent[] = [];
  readonly #lines: Line[] = [];
  /** How many records of the host's log were read. */
  #read = 0;

  constructor(azure: LocalAzure, storage: WiredStorage, postgres: PostgresServer, database: Wire) {
    this.azure = azure;
    this.storage = storage;
    this.postgres = postgres;
    this.database = database;
    azure.vault.onEvent((event) => {
      this.#events.push(event);
      this.#names.add(event.data.ObjectName);
    });
  }

  get vault(): VaultEmulator {
    return this.azure.vault;
  }

  async close(): Promise<void> {
    this.database.mend();
    this.storage.mend();
    await this.azure.close();
    await this.database.close();
    await this.storage.close();
  }

  /** The admin of the rotations, and the secret that holds its connection. */
  async prepare(): Promise<void> {
    const password = this.secret('admin');
    await this.sql(`CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD '${password}'`);
    this.vault.put(adminSecret, { value: this.url('rotation_admin', password, 'postgres'), tags: { serves: '*' } });
  }

  /** A value that must be found nowhere. */
  secret(name: string): string {
    const value = `canary${name.replaceAll(/[^a-z]/g, '')}${randomBytes(12).toString('hex')}`;
    this.#canaries.add(value);
    return value;
  }

  url(user: string, password: string, database = 'postgres', port = this.database.port): string {
    return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  }

  /** Statements of a superuser, kept out of the server's log: it is searched for what the app has put there. */
  async sql(text: string): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.postgres.adminUrl });
    // The query under way says so, too.
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(
        'SET log_statement = none; SET log_min_error_statement = panic; SET synchronous_commit = local',
      );
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** A login with a table of its own, and the secret that holds it: due, unless `days` says otherwise. */
  async plant(name: string, options: SecretOptions = {}): Promise<Planted> {
    return this.put(name, await this.addLogin(name), options);
  }

  /** The login of a secret that is not there yet. Its connection string. */
  async addLogin(name: string): Promise<string> {
    const login = name.replaceAll('-', '_');
    const password = this.secret(name);
    await this.sql(`SET ROLE rotation_admin; CREATE ROLE ${login} LOGIN PASSWORD '${password}'; RESET ROLE;
      CREATE SCHEMA ${login} AUTHORIZATION rotation_admin; GRANT USAGE, CREATE ON SCHEMA ${login} TO ${login}`);
    return this.url(login, password);
  }

  /** A version of a secret, with the tags of an ordinary one. */
  put(name: string, url: string, options: SecretOptions = {}): Planted {
    const { strategy = 'alternating-users', tags = {}, without = [], days = 20 } = options;
    const all: Record<string, string> = { rotator: 'postgres', strategy, admin: adminSecret, team: 'shop', ...tags };
    for (const tag of without) delete all[tag];
    const value = options.value?.(url) ?? url;
    this.#canaries.add(value);
    const { id } = this.vault.put(name, {
      value,
      tags: all,
      contentType: 'text/plain',
      expiresSeconds: this.vault.clock.nowSeconds() + days * daySeconds,
      ...(options.enabled === undefined ? {} : { enabled: options.enabled }),
    });
    return { name, login: name.replaceAll('-', '_'), version: id, url };
  }

  newest(name: string) {
    const newest = this.vault.versions(name).at(-1);
    if (newest === undefined) throw new Error(`no version of ${name}`);
    return newest;
  }

  /** Says near-expiry by hand, as often as wanted. */
  tell(name: string, change: Record<string, unknown> = {}, data: Record<string, unknown> = {}): void {
    this.azure.events.publish(this.event(name, change, data));
  }

  event(name: string, change: Record<string, unknown> = {}, data: Record<string, unknown> = {}) {
    const version = this.vault.versions(name).at(-1)?.id ?? '0'.repeat(32);
    return {
      id: randomBytes(8).toString('hex'),
      topic: this.vault.events.topic,
      subject: name,
      eventType: 'Microsoft.KeyVault.SecretNearExpiry',
      eventTime: new Date().toISOString(),
      dataVersion: '1',
      metadataVersion: '1',
      ...change,
      data: { VaultName: this.vault.name, ObjectType: 'Secret', ObjectName: name, Version: version, ...data },
    };
  }

  /** Lines of the app's log that fit. */
  lines(fits: { readonly event?: string; readonly secret?: string } = {}): readonly Line[] {
    const logs = this.azure.host.logs();
    // Each record is read once: this is asked many times a second, of a log that grows.
    for (const { category, message, level, instance } of logs.slice(this.#read)) {
      if (category !== 'user') continue;
      const fields: { event: string } = JSON.parse(message);
      this.#lines.push({ ...fields, level, instance });
    }
    this.#read = logs.length;
    return this.#lines.filter(
      ({ event, secret }) => (fits.event ?? event) === event && (fits.secret ?? secret) === secret,
    );
  }

  /** Resolves with the first `count` lines that fit, past ones included. */
  async said(event: string, secret: string, count = 1): Promise<readonly Line[]> {
    await this.until(`${count} × ${event} of ${secret}`, () => this.lines({ event, secret }).length >= count);
    return this.lines({ event, secret }).slice(0, count);
  }

  /** Starts the sweep by hand, and waits until it has said that it is done. */
  async sweep(): Promise<Line> {
    const before = this.lines({ event: 'swept' }).length;
    const { url, keys } = this.azure.host;
    await fetch(`${url}/admin/functions/sweep`, {
      method: 'POST',
      headers: { 'x-functions-key': keys.master, 'content-type': 'application/json' },
      body: '{}',
    });
    await this.until('the sweep', () => this.lines({ event: 'swept' }).length > before);
    const swept = this.lines({ event: 'swept' }).at(-1);
    if (swept === undefined) throw new Error('no sweep was made');
    return swept;
  }

  /** Resolves when no event is on its way, no request waits, and nothing runs. What is delayed past any test is not waited for. */
  async settled(withinMs = patienceMs): Promise<void> {
    await this.azure.events.idle();
    const atRest = async (): Promise<boolean> => {
      const later = this.#putOff();
      const [waiting, poison] = [
        await this.#depth(queueNames.rotations),
        await this.#depth(poisonQueueOf(queueNames.rotations)),
      ];
      return waiting + poison === later && this.#running() === 0;
    };
    await this.until('rest', atRest, withinMs);
  }

  /** Waits for something that must come, and shows the log when it does not. */
  async until(what: string, holds: () => boolean | Promise<boolean>, withinMs = patienceMs): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(await holds())) {
      if (Date.now() > deadline) {
        const log = this.azure.host.logs().slice(-40);
        throw new Error(
          `${what} did not come:\n${log.map(({ category, instance, level, message }) => `${instance} ${category} ${level} ${message}`).join('\n')}`,
        );
      }
      await sleep(20);
    }
  }

  /** Rotations that failed and whose next try no test lives to see. */
  #putOff(): number {
    return this.lines().filter(({ event, tryAgainSeconds = 0 }) => {
      return event.startsWith('rotation-') && Number(tryAgainSeconds) > patienceMs / 1_000;
    }).length;
  }

  #running(): number {
    const logs = this.azure.host.logs().filter(({ category }) => category === 'system');
    const alive = new Set(this.azure.host.instances.filter((one) => one.alive()).map((one) => one.index));
    const count = (word: string) =>
      logs.filter(({ message, instance }) => alive.has(instance) && message.startsWith(word)).length;
    return count('Executing ') - count('Executed ');
  }

  async #depth(queue: string): Promise<number> {
    const client = QueueServiceClient.fromConnectionString(this.storage.connectionString).getQueueClient(queue);
    if (!(await client.exists())) return 0;
    return (await client.getProperties()).approximateMessagesCount ?? 0;
  }

  /** Takes the lease of a dead worker back, as the service does after a minute. */
  async breakLease(name: string): Promise<void> {
    const container = BlobServiceClient.fromConnectionString(this.storage.connectionString).getContainerClient(
      leaseContainer,
    );
    const lease = container.getBlobClient(`${this.vault.name}/${name}`).getBlobLeaseClient();
    await lease.breakLease(0);
  }

  /** Whether the database lets this connection string in, past the wire that may be cut. */
  async accepts(url: string): Promise<boolean> {
    const direct = new URL(url);
    direct.port = String(this.postgres.port);
    return logsIn(direct.href);
  }

  async expectCurrentLogsIn(name: string): Promise<void> {
    expect(await this.accepts(this.newest(name).value), `the current version of ${name} logs in`).toBe(true);
  }

  /** The secret is as it was planted, and its credential works. */
  async expectUntouched({ name, login, version, url }: Planted): Promise<void> {
    expect(this.vault.versions(name).map(({ id }) => id)).toEqual([version]);
    expect(this.vault.versions(`keyturn-pending-${name}`)).toEqual([]);
    expect(await this.accepts(url)).toBe(true);
    expect(await this.sql(`SELECT rolname FROM pg_roles WHERE rolname = '${login}_alt'`)).toEqual([]);
  }

  /** Every value that must be found nowhere, as far as it was planted. */
  canaries(): readonly string[] {
    return [...this.#canaries].filter((value) => value.length >= 8);
  }

  /** Promise 5: no value that the vault ever held, and no password, is anywhere but in the vault. */
  expectNoSecretAnywhere(): void {
    for (const name of this.#names) {
      for (const { value } of this.vault.versions(name)) {
        this.#canaries.add(value);
        if (URL.canParse(value)) this.#canaries.add(decodeURIComponent(new URL(value).password));
      }
    }
    const secrets = [...this.#canaries].filter((value) => value.length >= 8);
    expect(secrets.length, 'values to search for').toBeGreaterThan(3);
    const { host, events } = this.azure;
    const everywhere = {
      logs: host.logs(),
      events: this.#events,
      deadLetters: events.deadLetters(),
      statistics: events.statistics(),
      storage: this.storage.sent(),
      calls: this.vault.calls.latest,
      postgres: this.postgres.log(),
    };
    expect(everywhere.logs.length).toBeGreaterThan(0);
    expect(everywhere.postgres).toContain('connection authorized');
    expect(everywhere.storage).toContain('keyturn-leases');
    expect(findSecrets(everywhere, secrets)).toEqual([]);
  }
}
