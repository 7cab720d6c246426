/** Proving a client secret: by asking for tokens with it. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Step, VerifyOutcome } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { failure } from '../../shared/errors.ts';
import { startWaiting } from '../common/patience.ts';
import type { Graph, TokenOutcome } from './connect.ts';
import type { EntraAppTags } from './tags.ts';
import { fitsHint } from './whose.ts';

/** A new secret takes seconds to minutes to be known to every front end of the token service, without a promise. */
const propagation = { intervalMs: 3_000, deadlineMs: 150_000 };

/** Successes in a row, on connections of their own, before a new secret counts as known everywhere. */
const successesWanted = 3;
const betweenSuccessesMs = 200;

/**
 * Which answer to wait for is settled by what Graph holds: a secret that it lists will be taken everywhere, one that it does not list
 * will be refused everywhere. The published secret is asked about once.
 */
export async function verify(graph: Graph, step: Step<EntraAppTags>, credential: Credential): Promise<VerifyOutcome> {
  if (credential.password.isEmpty) return { kind: 'refused', detail: 'no secret has been issued yet' };
  const { current } = step;
  const isPublished = credential.password.equals(current.password);
  // Only a secret that was there before Keyturn has no stamp, and the tag "key-id" is about that one.
  const keyId = credential.keyId ?? step.options.keyId;
  if (keyId === undefined || isPublished || keyId === current.keyId)
    return once(await graph.logIn(step, credential.password));
  const held = await graph.list(step);
  if (held.kind === 'failed')
    return held.code === 'target-unreachable' ? { kind: 'unreachable', detail: held.message } : held;
  // The id may be one that somebody wrote into a tag; what Graph shows of the key must fit, too.
  const listed = held.keys.some((key) => key.keyId === keyId && fitsHint(credential, key));
  return listed ? proveAccepted(graph, step, credential.password) : proveRefused(graph, step, credential.password);
}

async function proveAccepted(graph: Graph, step: Step<EntraAppTags>, secret: SecretText): Promise<VerifyOutcome> {
  const waiting = startWaiting(step, propagation);
  let streak = 0;
  for (;;) {
    const outcome = await graph.logIn(step, secret);
    if (outcome.kind === 'unclear' || outcome.kind === 'over') return once(outcome);
    streak = outcome.kind === 'accepted' ? streak + 1 : 0;
    if (streak >= successesWanted) return { kind: 'accepted' };
    if (await waiting.again(streak > 0 ? betweenSuccessesMs : undefined)) continue;
    // Issuing another secret would only start the wait anew, so this one is kept and asked about again.
    const detail = 'the new client secret is not known everywhere yet';
    return failure('target-busy', { secret: step.secret, target: step.options.clientId, detail });
  }
}

async function proveRefused(graph: Graph, step: Step<EntraAppTags>, secret: SecretText): Promise<VerifyOutcome> {
  const waiting = startWaiting(step, propagation);
  for (;;) {
    const outcome = once(await graph.logIn(step, secret));
    if (outcome.kind !== 'accepted' || !(await waiting.again())) return outcome;
  }
}

function once(outcome: TokenOutcome): VerifyOutcome {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'accepted' };
    case 'refused':
    case 'over':
      return { kind: 'refused', detail: outcome.detail };
    case 'unclear':
      return { kind: 'unreachable', detail: outcome.detail };
  }
}
