/** What one rotation costs the vault and the target, counted at their own doors. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresServer } from '../../local/postgres.ts';
import { applicationName } from '../../rotators/postgres/wire.ts';
import type { Stage } from './stage.ts';

export interface Cost {
  readonly vaultCalls: number;
  readonly targetConnections: number;
}

/** Calls that the vault answered and logins that the server let in, per round. `rotate` is a rotation by Keyturn. */
export async function costOf(stage: Stage, rounds: number, rotate: () => Promise<unknown>): Promise<Cost> {
  const calls = stage.vault.calls.total;
  const logins = await loginsSoFar(stage.postgres);
  for (let round = 0; round < rounds; round++) await rotate();
  return {
    vaultCalls: (stage.vault.calls.total - calls) / rounds,
    targetConnections: ((await loginsSoFar(stage.postgres)) - logins) / rounds,
  };
}

let marks = 0;

/** The log comes through a pipe, so a line of our own is waited for: all that was written before it has come by then. */
async function loginsSoFar(postgres: PostgresServer): Promise<number> {
  const name = `mark-${++marks}`;
  const client = new Client({ connectionString: postgres.adminUrl, application_name: name });
  await client.connect();
  await client.end();
  const line = (application: string) => `connection authorized: .*application_name=${application}$`;
  while (!new RegExp(line(name), 'm').test(postgres.log())) await sleep(10);
  return [...postgres.log().matchAll(new RegExp(line(applicationName), 'gm'))].length;
}
