/** Two logins with the same rights: the idle one is made ready, the live one is never touched. */
import type { Credential } from '../../shared/contract/credential.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { type AccountState, createLike, readAccount } from './accounts.ts';
import { type Call, failureOf, openAs, resolve } from './connect.ts';
import { type Fault, fault } from './fault.ts';
import { type Grant, giveLacking, grantsOf, lacking } from './grants.ts';
import { whyNotOurs } from './guard.ts';
import { passwordsOf, type Work } from './passwords.ts';
import { type Account, accountName, sameAccount } from './quote.ts';
import type { Session } from './session.ts';

/** What `passwords.ts` needs to work on an account. */
export function workOn(call: Call, session: Session, state: AccountState): Work {
  const { step } = call;
  return {
    session,
    state,
    newPassword: () => step.newPassword(),
    logsIn: async (password) => {
      const own = await openAs(call, { username: state.account.user, password }, step.adminEndpoint);
      if (own.kind === 'fault') return own.fault === 'refused' ? false : own;
      own.close();
      return true;
    },
  };
}

export interface Pair {
  readonly kind: 'pair';
  /** The account of the live login. */
  readonly model: AccountState;
  readonly modelGrants: readonly Grant[];
  readonly other: Account;
  /** Absent where the second login does not exist yet. */
  readonly idle?: { readonly state: AccountState; readonly grants: readonly Grant[] };
}

/** Looks at both logins. Changes nothing. */
export async function readPair(
  call: Call,
  session: Session,
  otherUser: string,
  known: readonly Credential[],
): Promise<Pair | Fault> {
  const user = call.step.current.username ?? '';
  const resolved = await resolve(call, session, user, known);
  if (resolved.kind === 'fault') return resolved;
  if (resolved.kind === 'missing') return fault('missing', session.target, `there is no account ${user}`);
  const model = await readAccount(session, resolved.account);
  if (model.kind === 'fault') return model;
  if (model.kind === 'missing') return fault('missing', session.target, `there is no account ${user}`);
  const modelGrants = await grantsOf(session, model.account);
  if (modelGrants.kind === 'fault') return modelGrants;
  const other = { user: otherUser, host: model.account.host };
  const pair = { kind: 'pair', model, modelGrants: modelGrants.grants, other } as const;
  const state = await readAccount(session, other);
  if (state.kind === 'fault') return state;
  if (state.kind === 'missing') return pair;
  const grants = await grantsOf(session, state.account);
  return grants.kind === 'fault' ? grants : { ...pair, idle: { state, grants: grants.grants } };
}

/** Why the second login must not be handed out through this secret; undefined when it may. */
export function whyNotSafe(pair: Pair, session: Session): string | undefined {
  const { idle, other, modelGrants } = pair;
  if (sameAccount(other, session.account) || other.user === session.account.user) {
    return `${accountName(other)} is the rotation admin itself`;
  }
  if (idle === undefined) return undefined;
  const more = lacking(idle.grants, modelGrants);
  return more.length === 0 ? undefined : `it may do more than the login in use: ${more.join('; ')}`;
}

/** Rights of the live login that the second one lacks and that an admin has to give. */
export function missingFor(pair: Pair): readonly string[] {
  const fromAdmin = pair.modelGrants.filter((grant) => grant.ownAffair !== true);
  return lacking(fromAdmin, pair.idle?.grants ?? []);
}

/** Makes the candidate's login accept its password, creating the login where it is missing. */
export async function applyPair(
  call: Call,
  session: Session,
  candidate: Credential,
  live: Credential,
): Promise<Failure | undefined> {
  const { step } = call;
  const login = candidate.username ?? '';
  const pair = await readPair(call, session, login, [live, step.current]);
  if (pair.kind === 'fault') return failureOf(call, pair);
  const at = { secret: step.secret, target: session.target, login };
  const unsafe = whyNotSafe(pair, session);
  if (unsafe !== undefined) return failure('login-not-safe', { ...at, detail: unsafe });
  // The rights of the live login are about to be given to a second one.
  const stranger = await whyNotOurs(call, session, pair.model, [live, step.current]);
  if (stranger !== undefined) return failureOf(call, stranger);
  const missing = missingFor(pair);
  // A locked login is one that Keyturn made or retired: nobody is on it, so its rights may be completed.
  if (pair.idle !== undefined && !pair.idle.state.locked && missing.length > 0) {
    return failure('lesser-rights', { ...at, detail: missing.join('; ') });
  }
  const met = await makeReady(call, session, pair, candidate);
  return met === undefined ? undefined : failureOf(call, met);
}

async function makeReady(call: Call, session: Session, pair: Pair, candidate: Credential): Promise<Fault | undefined> {
  const passwords = passwordsOf(session);
  const why = passwords.whyNotOne(pair.model);
  if (why !== undefined) return fault('unsupported', session.target, why);
  if (pair.idle === undefined) {
    const identified = passwords.identified(pair.model, call.step.newPassword());
    const created = await createLike(session, pair.model, pair.other, identified);
    if (created !== undefined) return created;
  }
  const given = await giveLacking(session, pair.other, pair.modelGrants, pair.idle?.grants ?? [], 'admin');
  if (given !== undefined) return given;
  // The password comes last: until here the login is locked, or as it was.
  const state = await readAccount(session, pair.other);
  if (state.kind === 'fault') return state;
  if (state.kind === 'missing')
    return fault('busy', session.target, `${accountName(pair.other)} was dropped meanwhile`);
  const met = await passwords.replace(workOn(call, session, state), candidate.password);
  return met ?? finishAsItself(call, pair, candidate);
}

// Comes after the password, since only the login itself may do it; the next attempt sees what is left of it and goes on.
async function finishAsItself(call: Call, pair: Pair, candidate: Credential): Promise<Fault | undefined> {
  const held = pair.idle?.grants ?? [];
  const left = pair.modelGrants.filter((grant) => grant.ownAffair === true && lacking([grant], held).length > 0);
  if (left.length === 0) return undefined;
  const own = await openAs(call, candidate, call.step.adminEndpoint);
  if (own.kind === 'fault') return own.fault === 'refused' ? { ...own, fault: 'policy' } : own;
  const met = await giveLacking(own, pair.other, left, held, 'itself');
  own.close();
  return met;
}
