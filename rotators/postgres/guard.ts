/** What is looked at before a login is changed: whoever may edit one secret must not be able to have another login's password made for them. */
import { type Failure, failure } from '../../shared/errors.ts';
import { type AdminAccess, adminLogin, adminTarget, type Work } from './connect.ts';
import { adminFailure } from './fault.ts';
import { type Comparison, compareRights } from './grants.ts';
import type { LoginFacts } from './logins.ts';
import { nameFault } from './quote.ts';
import { withSession } from './session.ts';
import type { Session } from './talk.ts';

/** Refuses what can be refused by name alone, before anything is sent. */
export function objectionToName(work: Work, login: string | undefined): Failure | undefined {
  const { step } = work;
  const at = { secret: step.secret, target: adminTarget(step) };
  if (login === undefined) {
    return failure('value-unreadable', { secret: step.secret, detail: 'the value names no login' });
  }
  const fault = nameFault(login);
  if (fault !== undefined) {
    return failure('target-missing', { ...at, detail: `the name of the login ${fault}` });
  }
  if (login === adminLogin(step)) {
    const detail = 'it is the admin that does the rotating. Remove the tag "admin" to have it change its own password';
    return failure('login-not-safe', { ...at, login, detail });
  }
  return undefined;
}

/** Refuses a login that could not log in whatever its password, or not for as long as the new version says. */
export function objectionToState(work: Work, login: LoginFacts): Failure | undefined {
  const at = { secret: work.step.secret, target: adminTarget(work.step) };
  const name = `"${login.name}"`;
  if (!login.mayLogIn) {
    return failure('target-refused', { ...at, detail: `${name} is NOLOGIN. Run ALTER ROLE ${name} LOGIN` });
  }
  return objectionToEnd(work, login);
}

/** The same for the login in use of a pair: the new password is the other one's, which starts with the end of this one. */
export function objectionToEnd(work: Work, login: LoginFacts): Failure | undefined {
  const at = { secret: work.step.secret, target: adminTarget(work.step) };
  const order = `Run ALTER ROLE "${login.name}" VALID UNTIL 'infinity'`;
  if (login.isExpired) {
    const detail = `"${login.name}" was valid until ${login.validUntil}. ${order}`;
    return failure('target-refused', { ...at, detail });
  }
  // A leaked password is replaced for whatever time there is.
  if (work.step.emergency || login.expiresInMs === null || login.expiresInMs >= work.step.validForMs) return undefined;
  const detail = `"${login.name}" is valid until ${login.validUntil}, and the new version would outlive it. ${order}, or shorten the tag "valid-for"`;
  return failure('target-refused', { ...at, detail });
}

export interface Pair {
  readonly live: string;
  readonly idle: string;
}

/** What one login of a pair may do and the other may not, as far as one database shows it. */
export interface PairRights {
  readonly more: Comparison;
  readonly less: Comparison;
}

export async function readPairRights(session: Session, { live, idle }: Pair): Promise<PairRights> {
  const [more, less] = await Promise.all([compareRights(session, idle, live), compareRights(session, live, idle)]);
  return { more, less };
}

/** Refuses the idle login when it may do more than the one in use, or less, in any database that either may connect to. */
export async function objectionToPair(
  work: Work,
  access: AdminAccess,
  pair: Pair,
  here: PairRights,
): Promise<Failure | undefined> {
  const there = await readElsewhere(work, access, pair, here);
  if ('kind' in there) return there;
  const at = { secret: work.step.secret, target: adminTarget(work.step), login: pair.idle };
  if (there.more.length > 0) {
    return failure('login-not-safe', { ...at, detail: `"${pair.live}" does not have ${there.more.join(', ')}` });
  }
  if (there.less.length === 0) return undefined;
  return failure('lesser-rights', { ...at, detail: `missing: ${there.less.join(', ')}` });
}

/** Sessions opened at one time to look into other databases. */
const atOnce = 8;

/**
 * Privileges are seen only from inside their database. Each one in which both logins hold something on one object is looked into, and one
 * that the admin cannot enter is a reason to hand out no other login: it may be where that login may do more.
 */
async function readElsewhere(
  work: Work,
  access: AdminAccess,
  pair: Pair,
  here: PairRights,
): Promise<{ readonly more: readonly string[]; readonly less: readonly string[] } | Failure> {
  const more = new Set(here.more.lacking);
  const less = new Set(here.less.lacking);
  const databases = [...new Set([...here.more.elsewhere, ...here.less.elsewhere])];
  for (let from = 0; from < databases.length; from += atOnce) {
    const looks = await Promise.all(
      databases.slice(from, from + atOnce).map((database) => lookInto(work, access, pair, database)),
    );
    for (const look of looks) {
      if (look === 'gone') continue;
      if ('kind' in look) return look;
      for (const right of look.more.lacking) more.add(right);
      for (const right of look.less.lacking) less.add(right);
    }
  }
  return { more: [...more], less: [...less] };
}

async function lookInto(
  work: Work,
  access: AdminAccess,
  pair: Pair,
  database: string,
): Promise<PairRights | 'gone' | Failure> {
  const outcome = await withSession({ ...access.opening, database }, (session) => readPairRights(session, pair));
  if (outcome.kind === 'done') return marked(outcome.result, database);
  if (outcome.fault.kind === 'missing') return 'gone';
  const permission = `CONNECT ON DATABASE "${database}"`;
  return adminFailure(outcome.fault, { step: work.step, target: access.target, who: access.who, permission });
}

// What all databases share shows in each of them with the same words; of the rest it is said where it was seen.
function marked({ more, less }: PairRights, database: string): PairRights {
  const named = (comparison: Comparison): Comparison => ({
    ...comparison,
    lacking: comparison.lacking.map((right) =>
      / on (column|table|view|schema|function|type|sequence)/.test(right) ? `${right} in database ${database}` : right,
    ),
  });
  return { more: named(more), less: named(less) };
}
