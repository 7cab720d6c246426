/** What a login may read of its own rules: no hash, and no other account. */
import type { Rules } from './rules.ts';
import type { Session } from './session.ts';

/** Empty where the server does not say: every login may ask, so that is no failure of a right. */
export async function readOwnRules(session: Session): Promise<Pick<Rules, 'lockout' | 'lifetimeDays'>> {
  const answer = await session.query('SHOW CREATE USER CURRENT_USER()');
  if (answer.kind === 'fault') return {};
  const text = String(Object.values(answer.rows[0] ?? {})[0]).replaceAll(/'(?:[^'\\]|\\.|'')*'/gs, "''");
  const attempts = Number(/ FAILED_LOGIN_ATTEMPTS (\d+)/.exec(text)?.[1] ?? 0);
  const [, lock = '0'] = / PASSWORD_LOCK_TIME (\d+|UNBOUNDED)/.exec(text) ?? [];
  const until = lock === 'UNBOUNDED' ? 'an administrator unlocks it' : `${lock} days are over`;
  const [, days] = / PASSWORD EXPIRE INTERVAL (\d+) DAY/.exec(text) ?? [];
  const isNever = / PASSWORD EXPIRE NEVER/.test(text);
  return {
    ...(attempts > 0 && lock !== '0' ? { lockout: { attempts, until } } : {}),
    ...(isNever ? { lifetimeDays: 0 } : {}),
    ...(days === undefined ? {} : { lifetimeDays: Number(days) }),
  };
}
