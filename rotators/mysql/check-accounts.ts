/** The accounts of the login: which they are, whether the strategy is possible, and which rules of theirs a rotation meets. */
import * as z from 'zod';
import type { RotatorCheck } from '../../shared/contract/rotator.ts';
import { failure } from '../../shared/errors.ts';
import { rulesLine } from '../common/password-rules.ts';
import type { AccountState } from './accounts.ts';
import { failed, noted, passed } from './check-lines.ts';
import { type Call, type Chosen, failureOf } from './connect.ts';
import { lockoutOf, lockoutText } from './lockout.ts';
import { ownRules } from './next.ts';
import { readOwnRules } from './own-rules.ts';
import { passwordsOf } from './passwords-of.ts';
import { accountName } from './quote.ts';
import type { Lockout } from './rules.ts';
import type { Session } from './session.ts';

export async function checkAccounts(
  call: Call,
  session: Session,
  { states, others }: Chosen,
): Promise<readonly RotatorCheck[]> {
  // They may be somebody else's on purpose, so they are no failure; but a consumer there would not get the new password.
  const left = `left alone, since they have the same name and another password: ${namesOf(others)}`;
  return [
    passed('login', `the login is the account ${namesOf(states)}`),
    ...(others.length === 0 ? [] : [noted('other hosts', left)]),
    ...states.flatMap((state) => whyImpossible(call, session, state)),
    ...(await checkLockout(call, session, states)),
    ...states.flatMap(({ rules }) => checkLifetime(session, rules.lifetimeDays)),
    ...states.flatMap(checkMemory),
    ...(await checkPolicy(call, session)),
  ];
}

function namesOf(states: readonly AccountState[]): string {
  return states.map(({ account }) => accountName(account)).join(', ');
}

function whyImpossible(call: Call, session: Session, state: AccountState): RotatorCheck {
  const { strategy, secret } = call.step;
  const passwords = passwordsOf(session);
  const why = strategy === 'dual-password' ? passwords.whyNotTwo(session, state) : passwords.whyNotOne(state);
  if (why === undefined) return passed('strategy', `${strategy} is possible`);
  const fix = `Choose another one with the tag "strategy" of ${secret}, or change how the login identifies itself.`;
  return { name: 'strategy', state: 'failed', detail: why, fix };
}

async function checkLockout(
  call: Call,
  session: Session,
  states: readonly AccountState[],
): Promise<readonly RotatorCheck[]> {
  const rule = await lockoutOf(session, states);
  if (rule.kind === 'fault') return [failed('failed logins', failureOf(call, rule))];
  if (rule.kind === 'free') return [];
  const { step } = call;
  if (step.admin.kind === 'self') return [ownLockout(rule.lockout)];
  return [passed('failed logins', `${lockoutText(rule.lockout)}; Keyturn makes none, and reads the catalogue instead`)];
}

function ownLockout(lockout: Lockout): RotatorCheck {
  const detail = `${lockoutText(lockout)}; a login that changes itself has to try a stored password after a crash, which may be refused. An admin connection avoids that`;
  return noted('failed logins', detail);
}

function checkMemory({ account, rules }: AccountState): readonly RotatorCheck[] {
  if (!rules.remembers) return [];
  return [
    noted('roll-back', `${accountName(account)} remembers earlier passwords, so a roll-back to one may be refused`),
  ];
}

const ruleRow = z.object({ name: z.string(), value: z.string() });

/** Whether a password fits the server's own rules and those of the tag. */
async function checkPolicy(call: Call, session: Session): Promise<readonly RotatorCheck[]> {
  const lines = rulesLine(call.step, session.server.policy, ownRules);
  const why = session.server.flavour === 'MySQL' ? undefined : await whyHashesRefused(session);
  if (why === undefined) return lines;
  const { secret, current } = call.step;
  const at = { secret, target: session.target, login: current.username ?? '', detail: why };
  return [failed('password rules', failure('candidate-refused', at))];
}

/** Any plugin that judges passwords has to see them, and Keyturn sends hashes. */
async function whyHashesRefused(session: Session): Promise<string | undefined> {
  const answer = await session.query(
    "SELECT PLUGIN_NAME AS name, CAST(@@GLOBAL.strict_password_validation AS CHAR) AS value FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION' AND PLUGIN_STATUS = 'ACTIVE'",
  );
  const rows = answer.kind === 'fault' ? [] : (z.array(ruleRow).safeParse(answer.rows).data ?? []);
  const [judge] = rows.filter(({ value }) => value !== '0' && value !== 'OFF');
  if (judge === undefined) return undefined;
  return `the plugin ${judge.name} has to see passwords (strict_password_validation is ON), and Keyturn sends their hashes: SET GLOBAL strict_password_validation = OFF`;
}

/** The rules of a login that changes itself, as far as it may read them. */
export async function checkOwnRules(call: Call, session: Session): Promise<readonly RotatorCheck[]> {
  const { lockout, lifetimeDays } = await readOwnRules(session);
  return [
    ...(lockout === undefined ? [] : [ownLockout(lockout)]),
    ...checkLifetime(session, lifetimeDays),
    ...(await checkPolicy(call, session)),
  ];
}

function checkLifetime(session: Session, ofAccount: number | undefined): readonly RotatorCheck[] {
  const days = ofAccount ?? session.server.lifetimeDays;
  if (days === 0) return [];
  return [
    noted(
      'password lifetime',
      `its passwords expire after ${days} days, so a version is valid for ${days} days at most`,
    ),
  ];
}
