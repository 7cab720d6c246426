/** Two logins with the same rights: the idle one is made ready, the live one is never touched. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { type AccountState, accountsAtStart, createLike, readAccounts } from './accounts.ts';
import { type Call, chooseAmong, failureOf, openAs } from './connect.ts';
import { type Fault, fault } from './fault.ts';
import { type Grant, giveLacking, grantsOfAll, lacking } from './grants.ts';
import { whyNotOurs } from './guard.ts';
import { freshPassword } from './next.ts';
import { passwordsOf } from './passwords-of.ts';
import { type Account, accountName, sameAccount } from './quote.ts';
import type { Rules } from './rules.ts';
import type { Session } from './session.ts';

/** Longest name of a login on MySQL, in characters. MariaDB takes 128. */
const longestOnMysql = 32;

/** The two logins at one of the hosts they may come from. */
export interface Pair {
  /** The account of the live login. */
  readonly model: AccountState;
  readonly modelGrants: readonly Grant[];
  readonly other: Account;
  /** Absent where the second login does not exist yet. */
  readonly idle?: { readonly state: AccountState; readonly grants: readonly Grant[] };
}

export interface Pairs {
  readonly kind: 'pairs';
  readonly pairs: readonly Pair[];
  /** Whether a known password is one of the live login's. */
  readonly proven: boolean;
}

/**
 * Looks at both logins. Changes nothing. `known` are passwords of the live login; `next` is to be the idle one's, so that comparing it
 * later costs no time: that is done while the server answers.
 */
export async function readPairs(
  call: Call,
  session: Session,
  otherUser: string,
  { known, next }: { readonly known: readonly Credential[]; readonly next?: SecretText },
): Promise<Pairs | Fault> {
  const user = call.step.current.username ?? '';
  if (session.server.flavour === 'MySQL' && [...otherUser].length > longestOnMysql) {
    const detail = `"${otherUser}" is longer than the ${longestOnMysql} characters that MySQL takes: name both logins in the tag "users".`;
    return fault('no-room', session.target, detail);
  }
  const read = await accountsAtStart(session, [user, otherUser]);
  if (read.kind === 'fault') return read;
  const { accounts } = read;
  const named = accounts.filter(({ account }) => account.user === user);
  // The only account of that name is the login's, whatever its password is.
  const [only, ...more] = named;
  const early = only === undefined || more.length > 0 ? undefined : readPair(session, only, accounts, otherUser);
  const chosen = await chooseAmong(session, accounts, user, known);
  if (chosen.kind === 'fault') return chosen;
  if (chosen.kind === 'missing') return fault('missing', session.target, `there is no account ${user}`);
  const idle = accounts.filter(({ account, locked }) => account.user === otherUser && !locked);
  if (next !== undefined) await Promise.all(idle.map((state) => state.placeOf(next)));
  const pairs: Pair[] = [];
  for (const model of chosen.states) {
    const pair = await (early ?? readPair(session, model, accounts, otherUser));
    if ('fault' in pair) return pair;
    pairs.push(pair);
  }
  return { kind: 'pairs', pairs, proven: chosen.proven };
}

async function readPair(
  session: Session,
  model: AccountState,
  accounts: readonly AccountState[],
  otherUser: string,
): Promise<Pair | Fault> {
  const other = { user: otherUser, host: model.account.host };
  const state = accounts.find(({ account }) => sameAccount(account, other));
  const held = await grantsOfAll(session, [model.account, ...(state === undefined ? [] : [state.account])]);
  if (held.kind === 'fault') return held;
  const [modelGrants = [], grants = []] = held.grants;
  return { model, modelGrants, other, ...(state === undefined ? {} : { idle: { state, grants } }) };
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

/** Rights of the live login that the second one lacks, its own affairs among them. */
export function lackingIn({ pairs }: Pairs): readonly string[] {
  return [...new Set(pairs.flatMap(({ modelGrants, idle }) => lacking(modelGrants, idle?.grants ?? [])))];
}

/** What was changed, by the rules that hold for it. */
export interface Done {
  readonly kind: 'done';
  readonly rules: readonly Pick<Rules, 'lifetimeDays'>[];
}

/** Makes the candidate's login accept its password, creating the login where it is missing. */
export async function applyPair(
  call: Call,
  session: Session,
  candidate: Credential,
  live: Credential,
): Promise<Done | Failure> {
  const { step } = call;
  const login = candidate.username ?? '';
  const read = await readPairs(call, session, login, { known: [live, step.current], next: candidate.password });
  if (read.kind === 'fault') return failureOf(call, read);
  const { pairs, proven } = read;
  const at = { secret: step.secret, target: session.target, login };
  for (const pair of pairs) {
    const unsafe = whyNotSafe(pair, session);
    if (unsafe !== undefined) return failure('login-not-safe', { ...at, detail: unsafe });
    const missing = missingFor(pair);
    // A locked login is one that Keyturn made or retired: nobody is on it, so its rights may be completed.
    if (pair.idle !== undefined && !pair.idle.state.locked && missing.length > 0) {
      return failure('lesser-rights', { ...at, detail: missing.join('; ') });
    }
  }
  // The rights of the live login are about to be given to a second one.
  const models = pairs.map(({ model }) => model);
  const stranger = await whyNotOurs(call, session, models, proven);
  if (stranger !== undefined) return failureOf(call, stranger);
  const met = await makeAllReady(call, session, pairs, candidate);
  if (met === undefined) {
    const given = pairs.map(({ other, modelGrants }) => ({ account: other, grants: modelGrants }));
    call.memory.given.set(step.current, given);
  }
  return met === undefined ? { kind: 'done', rules: models.map(({ rules }) => rules) } : failureOf(call, met);
}

async function makeAllReady(
  call: Call,
  session: Session,
  pairs: readonly Pair[],
  candidate: Credential,
): Promise<Fault | undefined> {
  for (const pair of pairs) {
    const met = await makeReady(call, session, pair, candidate);
    if (met !== undefined) return met;
  }
  return finishAsItself(call, pairs, candidate);
}

async function makeReady(call: Call, session: Session, pair: Pair, candidate: Credential): Promise<Fault | undefined> {
  const { step } = call;
  const { model, other } = pair;
  const passwords = passwordsOf(session);
  const why = passwords.whyNotOne(model);
  if (why !== undefined) return fault('unsupported', session.target, why);
  if (pair.idle === undefined) {
    const created = await createLike(
      session,
      model,
      other,
      passwords.identified(model, freshPassword(step, session.server.policy)),
    );
    if (created !== undefined) return created;
  }
  const given = await giveLacking(session, other, pair.modelGrants, pair.idle?.grants ?? [], 'admin');
  if (given !== undefined) return given;
  const state = pair.idle?.state ?? (await readAccount(session, other));
  if (state.kind === 'fault') return state;
  // The password comes last: until here the login is locked, or as it was.
  const asModel = state.locked || state.rules.text !== model.rules.text;
  const ending = asModel ? ` ${model.rules.text} ACCOUNT UNLOCK` : '';
  return passwords.replace(
    { session, states: [state], newPassword: () => freshPassword(step, session.server.policy) },
    candidate.password,
    ending,
  );
}

async function readAccount(session: Session, account: Account): Promise<AccountState | Fault> {
  const read = await readAccounts(session, [account.user]);
  if (read.kind === 'fault') return read;
  const state = read.accounts.find((one) => sameAccount(one.account, account));
  return state ?? fault('busy', session.target, `${accountName(account)} was dropped meanwhile`);
}

// Comes after the password, since only the login itself may do it; the next attempt sees what is left of it and goes on.
async function finishAsItself(call: Call, pairs: readonly Pair[], candidate: Credential): Promise<Fault | undefined> {
  const own = (grant: Grant) => grant.ownAffair === true;
  const unfinished = pairs.filter((pair) => lacking(pair.modelGrants.filter(own), pair.idle?.grants ?? []).length > 0);
  if (unfinished.length === 0) return undefined;
  const session = await openAs(call, candidate, call.step.adminEndpoint);
  if (session.kind === 'fault') return session.fault === 'refused' ? { ...session, fault: 'policy' } : session;
  try {
    for (const { other, modelGrants, idle } of unfinished) {
      const held = idle?.grants ?? [];
      if (!sameAccount(other, session.account)) {
        const left = lacking(modelGrants.filter(own), held).join('; ');
        return fault(
          'rejected',
          session.target,
          `only ${accountName(other)} itself may set this, and it does not come from here: ${left}`,
        );
      }
      const met = await giveLacking(session, other, modelGrants, held, 'itself');
      if (met !== undefined) return met;
    }
    return undefined;
  } finally {
    session.close();
  }
}
