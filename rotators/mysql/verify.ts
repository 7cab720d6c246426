/** The proof that a credential logs in, and that it may do what the login in use may. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { VerifyOutcome } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { type Call, failureOf, openAdmin, openAs } from './connect.ts';
import type { Fault } from './fault.ts';
import { lackingIn, readPairs } from './pair.ts';
import { accountName } from './quote.ts';

export async function verify(call: Call, credential: Credential): Promise<VerifyOutcome> {
  const { step } = call;
  // As a consumer does it: with the database, since a login may be kept out of it.
  const { database } = step.endpoint;
  const own = await openAs(call, credential, step.endpoint, database);
  if (own.kind === 'fault') return outcomeOf(call, own);
  own.close();
  if (own.account.user !== credential.username) {
    return { kind: 'refused', detail: `${own.target} took it for the account ${accountName(own.account)}` };
  }
  if (credential.username === step.current.username || step.admin.kind === 'self') return { kind: 'accepted' };
  const admin = await openAdmin(call, []);
  if (isFailure(admin))
    return admin.code === 'target-unreachable' ? { kind: 'unreachable', detail: admin.message } : admin;
  try {
    const pairs = await readPairs(call, admin, credential.username ?? '', [step.current]);
    if (pairs.kind === 'fault') return outcomeOf(call, pairs);
    const missing = lackingIn(pairs);
    return missing.length === 0 ? { kind: 'accepted' } : { kind: 'lesser-rights', missing };
  } finally {
    admin.close();
  }
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
