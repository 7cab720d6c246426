/** A stand-in for MySQL 8, which cannot be had here: real connections by the real driver, and real state behind them. */
import { createServer } from 'node:net';
import { Accounts, failed, type StandInAccount } from './accounts.ts';
import { type Client, execute, type World } from './statements.ts';
import { converse, type LoginAttempt, type ServerError } from './wire.ts';

export interface MysqlStandIn {
  readonly port: number;
  readonly accounts: Accounts;
  /** Every statement that came in, in order. */
  readonly statements: readonly string[];
  close(): Promise<void>;
}

export async function startMysqlStandIn(version = '8.0.36'): Promise<MysqlStandIn> {
  const world: World = { version, accounts: new Accounts(), clients: new Map() };
  const statements: string[] = [];
  let nextId = 8;
  const server = createServer((socket) => {
    const id = nextId++;
    let client: Client | undefined;
    converse(socket, version, id, {
      login: (attempt) => {
        const outcome = letIn(world.accounts, attempt);
        if (outcome.kind === 'error') return outcome;
        client = {
          id,
          user: attempt.user,
          account: outcome.account,
          database: attempt.database,
          end: () => socket.destroy(),
        };
        world.clients.set(id, client);
        return undefined;
      },
      statement: (text) => {
        statements.push(text);
        return client === undefined ? failed(1045, '28000', 'Access denied') : execute(world, client, text);
      },
      ended: () => world.clients.delete(id),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    accounts: world.accounts,
    statements,
    close: async () => {
      for (const client of world.clients.values()) client.end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function letIn(
  accounts: Accounts,
  attempt: LoginAttempt,
): { readonly kind: 'in'; readonly account: StandInAccount } | ServerError {
  const account = accounts.matching(attempt.user);
  const hashes = [account?.primary, account?.secondary].filter((hash) => hash !== undefined);
  if (account === undefined || !hashes.some((hash) => attempt.provesCachingSha2(hash))) {
    return failed(1045, '28000', `Access denied for user '${attempt.user}'@'127.0.0.1' (using password: YES)`);
  }
  if (account.locked) {
    return failed(3118, 'HY000', `Access denied for user '${account.user}'@'127.0.0.1'. Account is locked.`);
  }
  return { kind: 'in', account };
}
