/** A read-only replica beside a real MySQL or MariaDB, both on loopback. */
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { MysqlFamilyOptions, MysqlFamilyServer } from './mysql-family.ts';

/** What the two servers write differently about replication. */
export interface Replication {
  readonly start: (options: MysqlFamilyOptions) => Promise<MysqlFamilyServer>;
  readonly settings: readonly string[];
  /** Statements that make a server follow the one at a port. */
  readonly follow: (port: number) => readonly string[];
  /** Selects `done`, what the server has done by now: the same on both once the replica has caught up. */
  readonly done: string;
}

const login = { user: 'replicator', password: 'replicator-of-a-throwaway-server' };
const source = (port: number, word: 'SOURCE' | 'MASTER') =>
  `${word}_HOST = '127.0.0.1', ${word}_PORT = ${port}, ${word}_USER = '${login.user}', ${word}_PASSWORD = '${login.password}'`;

/** For `startMysql`. */
export const mysqlReplication: Omit<Replication, 'start'> = {
  settings: ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  follow: (port) => [
    `CHANGE REPLICATION SOURCE TO ${source(port, 'SOURCE')}, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`,
    'START REPLICA',
  ],
  done: 'SELECT @@GLOBAL.gtid_executed AS done',
};

/** For `startMariadb`. */
export const mariadbReplication: Omit<Replication, 'start'> = {
  settings: [],
  follow: (port) => [`CHANGE MASTER TO ${source(port, 'MASTER')}, MASTER_USE_GTID = slave_pos`, 'START SLAVE'],
  done: 'SELECT @@GLOBAL.gtid_current_pos AS done',
};

export interface ReplicaPair {
  readonly primary: MysqlFamilyServer;
  readonly replica: MysqlFamilyServer;
  /** Resolves when the replica has done what the primary has, and nothing else. */
  caughtUp(): Promise<void>;
  /** May be called again. */
  stop(): Promise<void>;
}

/** Starts both. `init` runs on the primary and reaches the replica; `settings` are for both, `replicaSettings` for the replica alone. */
export async function startReplicaPair(
  { start, settings, follow, done }: Replication,
  options: MysqlFamilyOptions & { readonly replicaSettings?: readonly string[] } = {},
): Promise<ReplicaPair> {
  const { replicaSettings = ['--read-only=ON'], init = [], ...rest } = options;
  const settingsOf = (id: number, more: readonly string[]) => [
    ...(rest.settings ?? []),
    ...settings,
    ...more,
    '--log-bin',
    `--server-id=${id}`,
  ];
  const replicator = [
    `CREATE USER ${login.user}@'127.%' IDENTIFIED BY '${login.password}';`,
    `GRANT REPLICATION SLAVE ON *.* TO ${login.user}@'127.%';`,
  ];
  const primary = await start({ ...rest, init: [...replicator, ...init], settings: settingsOf(1, []) });
  try {
    const replica = await start({ ...rest, settings: settingsOf(2, replicaSettings) });
    const stop = async () => {
      await replica.stop();
      await primary.stop();
    };
    const caughtUp = () => untilEqual(primary, replica, done);
    for (const statement of follow(primary.port)) await asRoot(replica, statement);
    await caughtUp();
    return { primary, replica, caughtUp, stop };
  } catch (error) {
    await primary.stop();
    throw error;
  }
}

/** One statement as root, by the socket. */
export async function asRoot(server: MysqlFamilyServer, statement: string): Promise<readonly RowDataPacket[]> {
  const { socket: socketPath, rootPassword: password } = server;
  const connection = await createConnection({ socketPath, user: 'root', password });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(statement);
    return rows;
  } finally {
    connection.destroy();
  }
}

async function untilEqual(primary: MysqlFamilyServer, replica: MysqlFamilyServer, query: string): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  const ask = async (server: MysqlFamilyServer) => String((await asRoot(server, query))[0]?.['done'] ?? '');
  for (;;) {
    const [wanted, reached] = [await ask(primary), await ask(replica)];
    if (wanted === reached) return;
    if (Date.now() > giveUpAt) throw new Error(`The replica is at "${reached}", its primary at "${wanted}".`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
