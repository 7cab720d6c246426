/**
 * Azure SQL Database keeps a copy of the logins of master in every database and renews it from time to time
 * (https://learn.microsoft.com/sql/t-sql/database-console-commands/dbcc-flushauthcache-transact-sql): soon after a change a database may
 * refuse the new password and accept the old one. Neither is evidence. The logins themselves are in master, and what master says is true.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Credential } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { type Account, master } from './accounts.ts';
import { asAdmin, mayBeAzure, openingAs, type SqlStep } from './connect.ts';
import { SqlFault } from './fault.ts';
import { isAzureHost, logIn, type Server } from './server.ts';

/** Has a database renew its copies. False where the admin may not (it takes KILL DATABASE CONNECTION), or the database cannot be entered. */
export async function flushLogins(server: Server, account: Account, database: string): Promise<boolean> {
  if (!server.azure || account.kind !== 'login' || database.toLowerCase() === master) return true;
  try {
    await server.change(database, ['DBCC FLUSHAUTHCACHE;']);
    return true;
  } catch (error) {
    if (!(error instanceof SqlFault) || error.kind === 'late') throw error;
    return false;
  }
}

/** Pauses between two looks, in ms. A copy that lives longer is left to the next attempt. */
const pausesMs: readonly number[] = [250, 500, 1_000, 2_000];

/** Logs in again and again until the answer is the one that is waited for; false when it is not within a few seconds. */
export async function comesTo(
  step: SqlStep,
  credential: Credential,
  environment: RotatorEnvironment,
  wanted: 'accepted' | 'refused',
): Promise<boolean> {
  for (const pauseMs of [0, ...pausesMs]) {
    if (step.signal.aborted || pauseMs * 4 > step.remainingMs()) return false;
    await delay(pauseMs, undefined, { signal: step.signal }).catch(() => undefined);
    const outcome = await logIn(openingAs(step, credential, environment));
    const isRefused = outcome.kind === 'fault' && outcome.fault.kind === 'refused';
    if (wanted === 'accepted' ? outcome.kind === 'done' : isRefused) return true;
  }
  return false;
}

export type Settled = 'accepted' | 'refused' | 'unsettled';

/** What a refusal at a database means: master is asked, and where it does not refuse, the database goes by an old copy of the login. */
export async function settleRefusal(
  step: SqlStep,
  credential: Credential,
  environment: RotatorEnvironment,
): Promise<Settled> {
  const database = step.endpoint.database ?? master;
  if (database.toLowerCase() === master || !(await onAzure(step, environment))) return 'refused';
  const there = await logIn({ ...openingAs(step, credential, environment), database: master });
  if (there.kind === 'fault' && there.fault.kind === 'refused') return 'refused';
  // Accepted, or without a user in master: the password is right in any case, or nobody answered.
  if (there.kind === 'fault' && there.fault.kind !== 'missing') return 'unsettled';
  if (step.admin.kind !== 'self') {
    const account: Account = { kind: 'login', home: master };
    await asAdmin(step, step.current, environment, [credential.password], (server) =>
      flushLogins(server, account, database),
    );
  }
  return (await comesTo(step, credential, environment, 'accepted')) ? 'accepted' : 'unsettled';
}

/** By the name of the host; behind a loopback address, which may be a tunnel, by what the admin is told. */
async function onAzure(step: SqlStep, environment: RotatorEnvironment): Promise<boolean> {
  if (isAzureHost(step.endpoint)) return true;
  if (!mayBeAzure(step.endpoint) || step.admin.kind === 'self') return false;
  const azure = await asAdmin(step, step.current, environment, [], async (server) => {
    return { kind: 'told' as const, azure: server.azure };
  });
  return !isFailure(azure) && azure.azure;
}
