/**
 * Weather: trouble that passes, a row for each kind, on real parts. Whatever it is, nothing is lost, the log says what is wrong and when the
 * next try comes, and once the trouble is over the secret is rotated once without a person. What a person has to put right is told, and one
 * command is enough then. Trouble that lasts is in trouble.test.ts, services that accept and never answer are in silent.test.ts, and an
 * identity that gives no token is in test/vault/identity.test.ts.
 */
import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import type { FaultRule } from '../../local/vault/faults.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { stateTable } from '../../shared/storage/state/records.ts';
import { adminSecret, type Planted, type SecretOptions, type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ settings: { KEYTURN_CONNECT_TIMEOUT: 'PT2S', KEYTURN_SWEEP_JITTER: 'PT0S' } });
});
afterEach(() => {
  stage.vault.faults.clear();
  stage.database.mend();
  stage.storage.mend();
});
afterAll(() => stage.close());

interface Weather {
  /** Begins the trouble for a secret, before it is planted. The result ends it. */
  readonly begin: (secret: string) => Promise<() => Promise<unknown>>;
  /** What the log says while it lasts. Absent: it may be over before anything is said. */
  readonly said?: string;
  readonly planted?: SecretOptions;
}

/** The vault answers so to the first calls, or to all of them until it is over. */
function vault(
  effect: FaultRule['effect'],
  { operations = ['get', 'set'], calls }: { operations?: readonly ('get' | 'set')[]; calls?: number[] } = {},
): Weather['begin'] {
  return async (secret) => {
    const when = calls === undefined ? {} : { when: { calls } };
    for (const operation of operations) {
      stage.vault.faults.add({ match: { operation, name: `^${secret}$` }, effect, ...when });
    }
    return async () => stage.vault.faults.clear();
  };
}

/** A setting of the whole server, and back. */
function server(setting: string, value: string): Weather['begin'] {
  return async () => {
    await stage.sql(`ALTER SYSTEM SET ${setting} = ${value}`);
    await stage.sql('SELECT pg_reload_conf()');
    return async () => {
      await stage.sql(`ALTER SYSTEM RESET ${setting}`);
      await stage.sql('SELECT pg_reload_conf()');
    };
  };
}

/** All connections that are not kept for superusers are held by others. */
async function fill(): Promise<() => Promise<unknown>> {
  const others: Client[] = [];
  await stage.sql(`CREATE ROLE crowd LOGIN PASSWORD 'crowd'`);
  const connectionString = `postgres://crowd:crowd@127.0.0.1:${stage.postgres.port}/postgres`;
  for (;;) {
    const other = new Client({ connectionString });
    other.on('error', () => undefined);
    const isIn = await other.connect().then(
      () => true,
      () => false,
    );
    if (!isIn) break;
    others.push(other);
  }
  return async () => {
    await Promise.all(others.map((other) => other.end()));
    await stage.sql('DROP ROLE crowd');
  };
}

/** A backend is killed again and again: the server throws everybody out and recovers, as it does when it runs out of memory. */
async function crashing(): Promise<() => Promise<unknown>> {
  let isOver = false;
  const killOne = async (): Promise<void> => {
    const victim = new Client({ connectionString: stage.postgres.adminUrl });
    victim.on('error', () => undefined);
    try {
      await victim.connect();
      const { rows } = await victim.query('SELECT pg_backend_pid() AS pid');
      process.kill(Number(rows[0]?.pid), 'SIGKILL');
    } catch (error) {
      // It recovers from the last time.
      if (!(error instanceof Error)) throw error;
    }
  };
  const killing = (async () => {
    while (!isOver) await killOne();
  })();
  return async () => {
    isOver = true;
    await killing;
    await stage.until('the server', () => stage.sql('SELECT 1').then(Boolean, () => false));
  };
}

const readOnlyVault = {
  kind: 'status',
  status: 503,
  code: 'ServiceUnavailable',
  // As https://github.com/MSEndpointMgr/CloudLAPS/issues/70 quotes it.
  message: 'Operation "SecretSet" is unavailable: the service is currently in a read-only state.',
} as const;

const weather: Readonly<Record<string, Weather>> = {
  'a vault that answers 500': { begin: vault({ kind: 'status', status: 500 }, { calls: [1] }) },
  'a vault that answers 503 for long': {
    begin: vault({ kind: 'status', status: 503 }),
    said: 'vault-unreachable',
  },
  'a vault that is slow': { begin: vault({ kind: 'delay', ms: 2_000 }, { calls: [1, 2] }) },
  'a vault that cuts the connection': { begin: vault({ kind: 'cut' }), said: 'vault-unreachable' },
  'a vault that is read-only after a regional failover': {
    begin: vault(readOnlyVault, { operations: ['set'] }),
    said: 'vault-unreachable',
    planted: { strategy: 'single-user' },
  },
  'a vault whose clock is an hour ahead': {
    begin: async () => {
      stage.vault.clock.advance(3_600_000);
      return async () => undefined;
    },
  },
  'a target that accepts connections and never answers': {
    begin: async () => {
      stage.database.silence();
      return async () => stage.database.mend();
    },
    said: 'target-unreachable',
  },
  'a target that crashes and recovers': { begin: crashing },
  'a target without a free connection': { begin: fill, said: 'target-busy' },
  'a target that is read-only': { begin: server('default_transaction_read_only', 'on'), said: 'target-read-only' },
};

async function expectRotatedOnce({ name, login }: Planted): Promise<void> {
  await stage.said('rotated', name);
  expect(stage.vault.versions(name), `versions of ${name}`).toHaveLength(2);
  expect(stage.lines({ event: 'rotated', secret: name })).toHaveLength(1);
  await stage.expectCurrentLogsIn(name);
  expect(stage.lines({ event: 'rotation-failed', secret: name }), `what a person has to do for ${login}`).toEqual([]);
}

/** It says what is wrong, changes nothing, and comes back by itself. */
async function expectDelayed({ name, version }: Planted, code: string): Promise<void> {
  const [line] = await stage.said('rotation-delayed', name);
  expect(line).toMatchObject({ level: 'warning', code });
  expect(Number(line?.['tryAgainSeconds'])).toBeGreaterThan(0);
  expect(stage.vault.versions(name).map(({ id }) => id)).toEqual([version]);
}

test.for(Object.entries(weather))('%s: nothing is lost, and rotated once when it is over', async ([what, row]) => {
  const name = what.replaceAll(/[^a-z0-9]+/g, '-');
  const url = await stage.addLogin(name);
  const end = await row.begin(name);
  let planted: Planted;
  try {
    planted = stage.put(name, url, row.planted);
    if (row.said !== undefined) await expectDelayed(planted, row.said);
  } finally {
    await end();
  }
  await expectRotatedOnce(planted);
});

test('a host that no name server knows: said so and tried again, with nothing for a person to do', async () => {
  const name = 'unknown-host';
  const value = (url: string): string => url.replace('127.0.0.1', 'db.keyturn.invalid');
  const planted = await stage.plant(name, { strategy: 'single-user', without: ['admin'], value });
  await expectDelayed(planted, 'target-unreachable');
  expect(stage.lines({ event: 'rotation-failed', secret: name })).toEqual([]);
});

test('an admin whose password has expired: told with what to do, and done by one command once that is done', async () => {
  await stage.sql(`ALTER ROLE rotation_admin VALID UNTIL '2000-01-01'`);
  const planted = await stage.plant('expired-admin');
  const [line] = await stage.said('rotation-failed', planted.name);
  expect(line).toMatchObject({
    code: 'admin-refused',
    detail: expect.stringContaining(`of the secret ${adminSecret}`),
    hint: expect.stringContaining(`keyturn rotate ${planted.name}`),
  });
  await stage.expectUntouched(planted);
  await stage.sql(`ALTER ROLE rotation_admin VALID UNTIL 'infinity'`);
  const answer = await fetch(`${stage.azure.host.url}/api/v1/vaults/local/secrets/${planted.name}/rotate?wait=true`, {
    method: 'POST',
    headers: { 'x-keyturn-key': localApiKeys.operator, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'the admin has a new password' }),
  });
  expect(answer.status).toBe(200);
  expect(stage.vault.versions(planted.name)).toHaveLength(2);
  await stage.expectCurrentLogsIn(planted.name);
});

test('a storage account that is lost with the message and the state of a rotation: the next sweep rotates', async () => {
  stage.database.cut();
  const planted = await stage.plant('storage-lost');
  await stage.said('rotation-delayed', planted.name);
  const queues = QueueServiceClient.fromConnectionString(stage.storage.connectionString);
  for (const queue of Object.values(queueNames)) await queues.getQueueClient(queue).deleteIfExists();
  await TableClient.fromConnectionString(stage.storage.connectionString, stateTable, {
    allowInsecureConnection: true,
  }).deleteTable();
  stage.database.mend();
  await sweep();
  await expectRotatedOnce(planted);
});

async function sweep(): Promise<void> {
  const before = stage.lines({ event: 'swept' }).length;
  const { url, keys } = stage.azure.host;
  const answer = await fetch(`${url}/admin/functions/sweep`, {
    method: 'POST',
    headers: { 'x-functions-key': keys.master, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(202);
  await stage.until('the sweep', () => stage.lines({ event: 'swept' }).length > before);
}

test('no secret value is in any log, event, message, row, blob or statement', () => {
  stage.expectNoSecretAnywhere();
});
