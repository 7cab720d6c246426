/** One connection to a Postgres server: opened, used and closed inside one call of the rotator. */
import { faultOf, PostgresFault } from './fault.ts';
import { hostsOf } from './hosts.ts';
import { askVersion, type Session, standby, type Talk, talkOver } from './talk.ts';
import { type Opening, openWire } from './wire.ts';

export type SessionOutcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  /** `authenticated`: the server took the credential. `entered`: the session began before it went wrong. */
  | {
      readonly kind: 'fault';
      readonly fault: PostgresFault;
      readonly authenticated: boolean;
      readonly entered: boolean;
    };

/** Whether the server took the credential and had no room or no patience for the session: it is a good one all the same. */
export function tookCredential(outcome: SessionOutcome<unknown>): boolean {
  return outcome.kind === 'fault' && outcome.authenticated && says(outcome, 'busy', 'read-only');
}

type Work<Result> = (session: Session) => Promise<Result>;

/**
 * Logs in, does the work, and closes whatever happens. Of several hosts the first one that takes changes does it, as
 * `target_session_attrs=read-write` of libpq finds it. Only mistakes of our own are thrown.
 */
export async function withSession<Result>(opening: Opening, work: Work<Result>): Promise<SessionOutcome<Result>> {
  const hosts = hostsOf(opening.endpoint);
  if (hosts.length === 1) return onHost(opening, work);
  const onPrimary: Work<Result> = async (session) => {
    if ((await session.greeting()).inRecovery) throw standby();
    return work(session);
  };
  let told: SessionOutcome<Result> | undefined;
  for (const endpoint of hosts) {
    const outcome = await onHost({ ...opening, endpoint }, onPrimary);
    if (outcome.kind === 'done' || (outcome.entered && !says(outcome, 'read-only', 'unreachable'))) return outcome;
    // A refusal is evidence, a standby that let us in is some, and a host that gives no answer is none.
    if (told === undefined || (says(told, 'unreachable', 'read-only') && !says(outcome, 'unreachable'))) told = outcome;
  }
  return told ?? over('there is no host to connect to', 'ENOTFOUND');
}

function says(outcome: SessionOutcome<unknown>, ...kinds: readonly PostgresFault['kind'][]): boolean {
  return outcome.kind === 'fault' && kinds.includes(outcome.fault.kind);
}

function over(message: string, code: string): SessionOutcome<never> {
  const fault = new PostgresFault('unreachable', message, { code });
  return { kind: 'fault', fault, authenticated: false, entered: false };
}

async function onHost<Result>(opening: Opening, work: Work<Result>): Promise<SessionOutcome<Result>> {
  const { otherwise, database } = opening;
  const outcome = await patiently(opening, work);
  if (otherwise === undefined || otherwise === database || !says(outcome, 'missing')) return outcome;
  return patiently({ ...opening, database: otherwise }, work);
}

/**
 * `ALTER DATABASE … SET statement_timeout = 1` and the like reach every session, also one that would lift them. What a client asks for at
 * the start wins over them. It is asked for only where a session died of such a setting: poolers refuse sessions that ask.
 */
async function patiently<Result>(opening: Opening, work: Work<Result>): Promise<SessionOutcome<Result>> {
  const first = await once(opening, work, undefined);
  if (first.kind === 'done' || !first.impatient) return first;
  const settings = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
  if (first.version >= 140_000) settings.push('idle_session_timeout');
  if (first.version >= 170_000 || first.fault.code === '25P04') settings.push('transaction_timeout');
  const second = await once(opening, work, settings.map((name) => `-c ${name}=0`).join(' '));
  return second.kind === 'fault' && !second.authenticated ? first : second;
}

/** `57014` statement_timeout, `25P04` transaction_timeout, `25P03` idle_in_transaction_session_timeout, `57P05` idle_session_timeout. */
const impatience: ReadonlySet<string> = new Set(['57014', '25P04', '25P03', '57P05']);

type Once<Result> =
  | Extract<SessionOutcome<Result>, { readonly kind: 'done' }>
  | (Extract<SessionOutcome<Result>, { readonly kind: 'fault' }> & {
      /** It died of a setting of its login or database, before anything was answered. */
      readonly impatient: boolean;
      readonly version: number;
    });

async function once<Result>(
  opening: Opening,
  work: Work<Result>,
  parameters: string | undefined,
): Promise<Once<Result>> {
  const nothing = { authenticated: false, entered: false, impatient: false, version: 0 };
  if (opening.signal.aborted) {
    return { ...nothing, ...over('the call was ended before it connected', 'ABORT_ERR') };
  }
  if (opening.remainingMs() <= 0) {
    return { ...nothing, kind: 'fault', fault: new PostgresFault('late', 'the time of the call was over') };
  }
  const wire = openWire(opening, parameters);
  let entered: Talk | undefined;
  try {
    await wire.client.connect();
    wire.connected();
    entered = talkOver(wire, opening, wire.version() ?? (await askVersion(wire, opening)));
    return { kind: 'done', result: await work(entered.session) };
  } catch (error) {
    // The driver reports only that the connection is gone; why is known here.
    const known = wire.endedBy() ?? error;
    // Once inside, all that a server or a wire may do comes as a fault; anything else is a mistake of ours.
    if (entered !== undefined && !(error instanceof PostgresFault)) throw error;
    const fault = faultOf(known, [opening.password, ...opening.secrets]);
    const authenticated = wire.authenticated();
    const impatient = authenticated && entered?.answered() !== true && impatience.has(fault.code ?? '');
    return {
      kind: 'fault',
      fault,
      authenticated,
      entered: entered !== undefined,
      impatient,
      version: wire.version() ?? 0,
    };
  } finally {
    await wire.close();
  }
}
