/** Preflight of a described provider: nothing is changed, every problem is named. */
import type { CheckName, RotatorCheck } from '../../shared/contract/rotator.ts';
import type { Failure } from '../../shared/errors.ts';
import { listKeys } from './listing.ts';
import type { Session } from './session.ts';
import { verify } from './verify.ts';
import { whose } from './whose.ts';

/** Preflight. Changes nothing. */
export async function check(session: Session | Failure): Promise<readonly RotatorCheck[]> {
  if ('code' in session) return [failed('target', session)];
  const checks: RotatorCheck[] = [{ name: 'target', state: 'passed', detail: session.description.title }];
  checks.push(await checkAdmin(session), await checkCurrent(session), await checkId(session));
  return checks;
}

// Making a key cannot be tried without doing it. Listing keys needs the same admin, so that much is proven.
async function checkAdmin(session: Session): Promise<RotatorCheck> {
  const { list } = session.description;
  if (list === undefined) {
    return {
      name: 'admin',
      state: 'unknown',
      detail: 'the provider has no listing of keys that the admin could be tried with',
    };
  }
  const listed = await listKeys(session, list);
  return listed.kind === 'failed'
    ? failed('admin', listed)
    : { name: 'admin', state: 'passed', detail: `the admin sees ${listed.keys.length} keys` };
}

async function checkCurrent(session: Session): Promise<RotatorCheck> {
  const { secret, current } = session.step;
  const outcome = await verify(session, current);
  switch (outcome.kind) {
    case 'accepted':
      return { name: 'current credential', state: 'passed', detail: 'the published key logs in' };
    case 'failed':
      return failed('current credential', outcome);
    case 'unreachable':
      return {
        name: 'current credential',
        state: 'failed',
        detail: outcome.detail,
        fix: `Check that the function app may reach ${session.description.hosts.join(', ')}.`,
      };
    case 'refused':
      return {
        name: 'current credential',
        state: 'failed',
        detail: outcome.detail,
        fix: `Store a key that logs in as ${secret}.`,
      };
    case 'lesser-rights':
      return {
        name: 'current credential',
        state: 'failed',
        detail: outcome.missing.join(', '),
        fix: `Store another key as ${secret}.`,
      };
  }
}

async function checkId(session: Session): Promise<RotatorCheck> {
  const { step, description } = session;
  const found = await whose(session, step.current);
  switch (found.kind) {
    case 'own':
      return { name: 'key id', state: 'passed', detail: `the published key has the id ${found.keyId}` };
    case 'failed':
      return failed('key id', found);
    case 'gone':
      return { name: 'key id', state: 'unknown', detail: 'the provider has no key with the id of the published one' };
    case 'unproven': {
      const what = found.claimed ?? 'the id of the published key';
      const byName =
        description.list?.label === undefined ? '' : `, or give it a name that begins with ${step.labelPrefix}`;
      const detail = `nothing shows that ${what} is this secret's: revoke the key by hand after the first rotation${byName}`;
      return { name: 'key id', state: 'unknown', detail };
    }
  }
}

function failed(name: CheckName, { message, hint }: Failure): RotatorCheck {
  return { name, state: 'failed', detail: message, fix: hint };
}
