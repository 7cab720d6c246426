/** Databases that were not looked into, though the login in use may have rights there: no other login is handed out blindly. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { master } from './accounts.ts';
import { openingAs, type SqlStep } from './connect.ts';
import { adminFailure, type FaultPlace } from './fault.ts';
import { logIn, type Server, withServer } from './server.ts';
import type { ServerReading } from './server-catalogue.ts';

export interface OutOfSight {
  /** Databases that nobody can enter now. */
  readonly offline: readonly string[];
  /** Databases that the admin may not enter. */
  readonly closed: readonly string[];
  /** Whether there may be more, which the admin may not see. */
  readonly hidden: boolean;
  /** Databases that were looked into. */
  readonly seen: readonly string[];
}

/** What of the server was not looked into. */
export function outOfSight(onServer: ServerReading, seen: readonly string[]): OutOfSight {
  const rest = onServer.databases.filter(({ name }) => !seen.includes(name) && name.toLowerCase() !== 'tempdb');
  return {
    offline: rest.filter(({ state }) => state !== 0).map(({ name }) => name),
    closed: rest.filter(({ state }) => state === 0).map(({ name }) => name),
    hidden: onServer.seesAll === false,
    seen,
  };
}

const hiddenWords = 'databases that the admin may not see (VIEW ANY DATABASE)';

/** For people: what the admin did not look into. */
export function outOfSightWords({ offline, closed, hidden }: OutOfSight): readonly string[] {
  return [...offline.map((name) => `${name} (offline)`), ...closed, ...(hidden ? [hiddenWords] : [])];
}

export type Reach = { readonly kind: 'reach'; readonly warnings: readonly string[] } | Failure;

/**
 * Whether the login in use may have rights where nobody looked: it is asked itself what it may enter, since that takes no right. In an
 * emergency what cannot be told is a warning: the leaked login must be closed.
 */
export async function judgeReach(
  {
    step,
    place,
    server,
    live,
  }: {
    readonly step: SqlStep;
    readonly place: FaultPlace;
    readonly server: Server;
    readonly live: Credential;
  },
  unseen: OutOfSight,
  environment: RotatorEnvironment,
): Promise<Reach> {
  if (unseen.offline.length + unseen.closed.length === 0 && !unseen.hidden) return { kind: 'reach', warnings: [] };
  const entered = server.azure
    ? await enteredOnAzure(step, live, unseen, environment)
    : await enteredElsewhere(step, live, unseen, environment);
  if (step.emergency) {
    const names = 'kind' in entered ? outOfSightWords(unseen) : [...unseen.offline, ...entered];
    const warning = `${step.secret}: the admin did not look into ${names.join(', ')}; if the login in use has rights there, grant the same to the other by hand.`;
    return { kind: 'reach', warnings: names.length === 0 ? [] : [warning] };
  }
  if ('kind' in entered) return adminFailure(entered.fault, place);
  const at = { secret: step.secret, target: place.target };
  if (entered.length > 0) {
    const permission = `a user in ${entered.join(', ')} (CREATE USER … FOR LOGIN …)`;
    const detail = 'the login in use may enter there, and the rights that the other login needs cannot be seen.';
    return failure('permission-missing', { ...at, permission, detail });
  }
  if (unseen.offline.length > 0) {
    const detail = `${unseen.offline.join(', ')} is not online, and the login in use may have rights there that the other one must have too. Bring it online, drop it, or use the strategy "single-user".`;
    return failure('target-busy', { ...at, detail });
  }
  return { kind: 'reach', warnings: server.azure && unseen.hidden ? [hiddenWarning(step)] : [] };
}

/** On Azure SQL Database nobody can be asked which databases there are but whoever may see them in master. */
function hiddenWarning({ secret }: SqlStep): string {
  return `${secret}: the admin may not see every database of the server; if the login in use has rights in one that is not listed in master, grant the same to the other by hand.`;
}

type Entered = readonly string[] | Extract<Awaited<ReturnType<typeof logIn>>, { kind: 'fault' }>;

const ownRow = z.object({ name: z.string(), open: z.number().nullable(), sees: z.number().nullable() });

async function enteredElsewhere(
  step: SqlStep,
  live: Credential,
  { closed, hidden, seen }: OutOfSight,
  environment: RotatorEnvironment,
): Promise<Entered> {
  if (closed.length === 0 && !hidden) return [];
  // Only a server that has the function says that something is hidden.
  const sees = hidden ? `HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DATABASE')` : '1';
  const query = `SELECT name, HAS_DBACCESS(name) AS [open], ${sees} AS sees FROM sys.databases`;
  const outcome = await withServer(openingAs(step, live, environment), (server) =>
    server.rows(ownRow, server.database, query),
  );
  if (outcome.kind === 'fault') return outcome;
  const rows = outcome.result;
  const blind = rows.some(({ sees: all }) => all === 0);
  const known = new Set([...seen, 'tempdb']);
  const own = rows.filter(({ name, open }) => open === 1 && !known.has(name)).map(({ name }) => name);
  return [...own, ...(blind ? [hiddenWords] : [])];
}

async function enteredOnAzure(
  step: SqlStep,
  live: Credential,
  { closed }: OutOfSight,
  environment: RotatorEnvironment,
): Promise<Entered> {
  const found: string[] = [];
  for (const database of closed.filter((name) => name.toLowerCase() !== master)) {
    const outcome = await logIn({ ...openingAs(step, live, environment), database });
    if (outcome.kind === 'done') found.push(database);
    else if (outcome.fault.kind !== 'missing' && outcome.fault.kind !== 'refused') return outcome;
  }
  return found;
}
