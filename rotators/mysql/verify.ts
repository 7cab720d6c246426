/** The proof that a credential logs in, and that it may do what the login in use may. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { VerifyOutcome } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { isFailure } from '../../shared/errors.ts';
import { type AccountState, accountsAtStart } from './accounts.ts';
import { type Call, enterAs, failureOf, openAdmin } from './connect.ts';
import type { Fault } from './fault.ts';
import { lacking, ownGrantsIn } from './grants.ts';
import { matching } from './hosts.ts';
import { lockoutOf, lockoutText } from './lockout.ts';
import { lackingIn, readPairs } from './pair.ts';
import { accountName, sameAccount } from './quote.ts';
import type { Entry } from './session.ts';

export async function verify(call: Call, credential: Credential): Promise<VerifyOutcome> {
  const { step } = call;
  const refused = await refusedByCatalogue(call, credential);
  if (refused !== undefined) return refused;
  const isSame = credential.username === step.current.username || step.admin.kind === 'self';
  const own = await enterAs(call, credential, isSame ? 'account and rules' : 'rights');
  if (own.kind === 'fault') return outcomeOf(call, own);
  if (own.policy !== undefined) call.memory.policy.set(step.current, own.policy);
  try {
    if (own.account.user !== credential.username) {
      return { kind: 'refused', detail: `${own.target} took it for the account ${accountName(own.account)}` };
    }
    if (isSame || hasWhatItWasGiven(call, own)) return { kind: 'accepted' };
  } finally {
    own.close();
  }
  return compareWithCurrent(call, credential);
}

/** Whether the login shows all rights that the attempt gave it. Anything else is the admin's to compare. */
function hasWhatItWasGiven({ step, memory }: Call, { account, shown }: Entry): boolean {
  const given = memory.given.get(step.current)?.find((one) => sameAccount(one.account, account));
  if (given === undefined || shown === undefined) return false;
  // Its default roles are in force, so their rights are seen. On MySQL they stand in a table that it may not read.
  const wanted = given.grants.filter(({ rights }) => !rights.every((right) => right.startsWith('DEFAULT ROLE ')));
  return lacking(wanted, ownGrantsIn(shown, account)).length === 0;
}

async function compareWithCurrent(call: Call, credential: Credential): Promise<VerifyOutcome> {
  const { step } = call;
  const users = [step.current.username ?? '', credential.username ?? ''];
  const admin = await openAdmin(call, [], { users });
  if (isFailure(admin))
    return admin.code === 'target-unreachable' ? { kind: 'unreachable', detail: admin.message } : admin;
  try {
    const pairs = await readPairs(call, admin, credential.username ?? '', { known: [step.current] });
    if (pairs.kind === 'fault') return outcomeOf(call, pairs);
    const missing = lackingIn(pairs);
    return missing.length === 0 ? { kind: 'accepted' } : { kind: 'lesser-rights', missing };
  } finally {
    admin.close();
  }
}

/**
 * Where failed logins are punished none is made that the server's own catalogue says would fail: one may close the login that is in use.
 * Undefined where a login may tell, or where the catalogue cannot be read.
 */
async function refusedByCatalogue(
  call: Call,
  { username = '', password }: Credential,
): Promise<VerifyOutcome | undefined> {
  const { step, memory } = call;
  if (step.admin.kind === 'self' || memory.mayFail.has(step.current)) return undefined;
  const admin = await openAdmin(call, [], { users: [username] });
  if (isFailure(admin)) return undefined;
  try {
    const read = await accountsAtStart(admin, [username]);
    if (read.kind === 'fault') return undefined;
    const rule = await lockoutOf(admin, read.accounts);
    if (rule.kind === 'free') memory.mayFail.add(step.current);
    if (rule.kind !== 'lockout') return undefined;
    const why = await whyRefused(matching(read.accounts, admin.client), password);
    if (why === undefined) return undefined;
    const detail = `${admin.target}: ${why} (read from its catalogue; no login was tried, since ${lockoutText(rule.lockout)})`;
    return { kind: 'refused', detail, unasked: true };
  } finally {
    admin.close();
  }
}

async function whyRefused(state: AccountState | undefined, password: SecretText): Promise<string | undefined> {
  if (state === undefined) return 'no account of that name may come from here';
  if (state.locked) return `${accountName(state.account)} is locked`;
  const place = await state.placeOf(password);
  return place === 'none' ? `${accountName(state.account)} has another password` : undefined;
}

function outcomeOf(call: Call, met: Fault): VerifyOutcome {
  switch (met.fault) {
    case 'refused':
      return { kind: 'refused', detail: `${met.target}: ${met.detail}` };
    case 'unreachable':
      return { kind: 'unreachable', detail: `${met.target}: ${met.detail}` };
    case 'forbidden':
      // It got past its password, but not into its database.
      return met.errno === 1044 && met.permission === undefined
        ? { kind: 'lesser-rights', missing: [met.detail] }
        : failureOf(call, met);
    default:
      return failureOf(call, met);
  }
}
