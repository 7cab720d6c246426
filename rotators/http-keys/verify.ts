/** Proving a key with the request that its description names. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { VerifyOutcome } from '../../shared/contract/rotator.ts';
import { answerFailure, describeAnswer, unclear } from '../common/answers.ts';
import { startWaiting } from '../common/patience.ts';
import { listKeys } from './listing.ts';
import { credentialVariables, holds, type Session, send, succeeds } from './session.ts';

/**
 * Logs in with a key. A key that the provider lists is given time to work everywhere; one that it does not list is given time to stop
 * working; the published one is asked about once.
 */
export async function verify(session: Session, credential: Credential): Promise<VerifyOutcome> {
  const { verify: how, list } = session.description;
  const { current } = session.step;
  const isPublished = credential.password.equals(current.password);
  const keyId = credential.keyId ?? session.step.options.keyId;
  const fresh = keyId !== undefined && keyId !== current.keyId && !isPublished;
  const listed = fresh && list !== undefined ? await listKeys(session, list) : undefined;
  if (listed?.kind === 'failed')
    return listed.code === 'target-unreachable' ? { kind: 'unreachable', detail: listed.message } : listed;
  const gone = listed !== undefined && !listed.keys.some((key) => key.id === keyId);
  const patience = { intervalMs: how.intervalSeconds * 1000, deadlineMs: how.deadlineSeconds * 1000 };
  const waiting = startWaiting(session.step, patience);
  let streak = 0;
  for (;;) {
    const outcome = await logIn(session, credential);
    streak = outcome.kind === 'accepted' ? streak + 1 : 0;
    const enough = !fresh || gone || streak >= how.successes;
    const expected = gone ? 'refused' : 'accepted';
    if (outcome.kind !== 'accepted' && outcome.kind !== 'refused') return outcome;
    if (!fresh || (outcome.kind === expected && enough)) return outcome;
    if (!(await waiting.again())) return outcome;
  }
}

/** One login with a key. Changes nothing. */
export async function logIn(session: Session, credential: Credential): Promise<VerifyOutcome> {
  const { verify: how, pair } = session.description;
  const sent = await send(session, how, credentialVariables('credential', credential, pair?.separator));
  if (sent.kind === 'failed') return sent;
  const { answer, asked } = sent;
  if (succeeds(how, answer)) return { kind: 'accepted' };
  if (answer.kind !== 'answered')
    return answer.kind === 'no-answer' || answer.kind === 'cut-off'
      ? unclear(answer, asked.secrets)
      : answerFailure(asked, answer);
  const wrong = how.success.status.includes(answer.status) && !holds(answer, how.success.body);
  if (how.refusedBy.includes(answer.status) || (wrong && answer.body.startsWith('{'))) {
    return { kind: 'refused', detail: describeAnswer(answer, asked.secrets) };
  }
  if (answer.status === 429 || answer.status >= 500) return answerFailure(asked, answer);
  return unclear(answer, asked.secrets);
}
