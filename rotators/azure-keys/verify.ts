/** Proving a key: it is listed, and the service takes it; or it is not, and the service refuses it. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Step, VerifyOutcome } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { startWaiting } from '../common/patience.ts';
import type { Azure } from './connect.ts';
import { listKeys, slotOf } from './keys.ts';
import { logIn } from './login.ts';
import type { LoginOutcome } from './login-outcome.ts';
import { type ResourceView, readResource } from './properties.ts';
import type { AzureKeysTags } from './tags.ts';

/** A key may take a while to reach every front end of a service, both to be taken and to be forgotten. */
const propagation = { intervalMs: 1_000, deadlineMs: 60_000 };

/** Asks for the listing of keys and, where there is one, for a login to the service itself. */
export async function verify(azure: Azure, step: Step<AzureKeysTags>, credential: Credential): Promise<VerifyOutcome> {
  if (credential.password.isEmpty) return { kind: 'refused', detail: 'no key has been made yet' };
  const listing = await listKeys(azure.arm, step);
  if (listing.kind === 'failed') return asVerification(listing);
  const listed = slotOf(listing.keys, credential) !== undefined;
  if (step.options.prove === 'listing') return listed ? { kind: 'accepted' } : notListed();
  const view = await readResource(azure.arm, step);
  if (view.kind === 'failed') return asVerification(view);
  return listed ? proveAccepted(azure, step, view, credential) : proveRefused(azure, step, view, credential);
}

async function proveAccepted(
  azure: Azure,
  step: Step<AzureKeysTags>,
  view: ResourceView,
  credential: Credential,
): Promise<VerifyOutcome> {
  const waiting = startWaiting(step, propagation);
  for (;;) {
    const login = await tryLogin(azure, step, view, credential);
    switch (login.kind) {
      case 'accepted':
      case 'none':
        return { kind: 'accepted' };
      case 'unclear':
        return {
          kind: 'unreachable',
          detail: `${login.detail} (if Keyturn cannot reach the service, set the tag "prove" to listing)`,
        };
      case 'refused':
        break;
    }
    // Resource Manager says that this is a key of the resource, so a refusal is one that has not caught up yet.
    if (!(await waiting.again()))
      return failure('target-busy', { secret: step.secret, target: step.options.name, detail: login.detail });
  }
}

async function proveRefused(
  azure: Azure,
  step: Step<AzureKeysTags>,
  view: ResourceView,
  credential: Credential,
): Promise<VerifyOutcome> {
  const waiting = startWaiting(step, propagation);
  for (;;) {
    const login = await tryLogin(azure, step, view, credential);
    if (login.kind !== 'accepted') return notListed();
    if (!(await waiting.again())) return { kind: 'accepted' };
  }
}

function tryLogin(
  azure: Azure,
  step: Step<AzureKeysTags>,
  view: ResourceView,
  credential: Credential,
): Promise<LoginOutcome> {
  return logIn(step.options.row.login, { azure, step, view, credential });
}

function notListed(): VerifyOutcome {
  return { kind: 'refused', detail: 'it is none of the keys that the resource has' };
}

function asVerification(failed: Failure): VerifyOutcome {
  return failed.code === 'target-unreachable' ? { kind: 'unreachable', detail: failed.message } : failed;
}
