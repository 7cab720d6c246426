/** Keys of providers that issue them over HTTP: a new key is made beside the old one, proven, published, and the old one revoked. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, RetireOutcome, Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { twinOfIssuer } from '../common/twin.ts';
import { check } from './check.ts';
import { connector } from './connect.ts';
import { create, revoke, revokeOrphans, unproven } from './keys.ts';
import { listKeys } from './listing.ts';
import type { Session } from './session.ts';
import type { HttpKeysTags } from './tags.ts';
import { verify } from './verify.ts';
import { whose } from './whose.ts';

/** Reads all descriptions once. Every method may be called again; a repeated `apply` revokes what the one before made. */
export async function makeHttpKeysRotator(environment: RotatorEnvironment): Promise<Rotator<HttpKeysTags>> {
  const connect = await connector(environment);
  const within = async <Outcome>(
    step: Step<HttpKeysTags>,
    work: (session: Session) => Promise<Outcome>,
  ): Promise<Outcome | Failure> => {
    const session = connect(step);
    return 'code' in session ? session : work(session);
  };
  return {
    propose: (step, current) => {
      const session = connect(step);
      return 'code' in session ? session : unissued(current);
    },
    apply: (step, candidate) =>
      within(step, (session) => (candidate.password.isEmpty ? apply(session) : keep(session, candidate))),
    verify: async (step, credential) => {
      if (credential.password.isEmpty) return { kind: 'refused', detail: 'no key has been issued yet' };
      return within(step, (session) => verify(session, credential));
    },
    inUse: async () => ({ kind: 'unknown', detail: 'the provider does not say who uses a key' }),
    retire: (step, previous) => within(step, (session) => retire(session, previous)),
    check: (step) => check(connect(step)),
    rehearsal: {
      twinStep: (step) => {
        const session = connect(step);
        if ('code' in session) return { kind: 'no-twin', detail: session.message };
        if (session.description.list !== undefined) return twinOfIssuer(step);
        const { title } = session.description;
        const detail = `${title} does not list its keys, so one that a crash left behind could not be found again; the published key was proven, and the rights were looked at.`;
        return { kind: 'no-twin', detail };
      },
      discard: (step) =>
        within(step, async (session) => (await revokeOrphans(session)) ?? { kind: 'discarded' as const }),
    },
  };
}

function unissued(current: Credential): Credential {
  const { keyId: _old, ...rest } = current;
  return { ...rest, password: new SecretText('') };
}

/** A key that was issued before is not issued again: the provider takes it or it does not. */
async function keep(session: Session, candidate: Credential): Promise<ApplyOutcome> {
  const { step, description } = session;
  const outcome = await verify(session, candidate);
  if (outcome.kind === 'accepted') return { kind: 'applied', credential: candidate };
  if (outcome.kind === 'failed') return outcome;
  const names = { secret: step.secret, target: description.title };
  if (outcome.kind === 'unreachable') return failure('target-unreachable', { ...names, detail: outcome.detail });
  const detail = outcome.kind === 'refused' ? outcome.detail : outcome.missing.join(', ');
  return failure('candidate-refused', { ...names, login: candidate.keyId ?? 'the key', detail });
}

// Whatever an attempt before made is found by its label and revoked, because a key that did not get
// as far as being verified cannot be told from one whose value is lost.
async function apply(session: Session): Promise<ApplyOutcome> {
  const orphans = await revokeOrphans(session);
  if (orphans !== undefined) return orphans;
  const made = await create(session);
  return made.kind === 'failed' ? made : { kind: 'applied', credential: made.credential };
}

async function retire(session: Session, previous: Credential): Promise<RetireOutcome> {
  const { current } = session.step;
  const claimed = previous.keyId ?? session.step.options.keyId;
  if (previous.password.equals(current.password) || (claimed !== undefined && claimed === current.keyId))
    return published(session, claimed);
  const found = await whose(session, previous);
  switch (found.kind) {
    case 'failed':
      return found;
    case 'gone':
      return { kind: 'retired', sessionsEnded: 0 };
    case 'unproven':
      return found.claimed === undefined ? withoutId(session, found.detail) : unproven(session, found);
    case 'own':
      break;
  }
  if (found.keyId === current.keyId) return published(session, found.keyId);
  const failed = await revoke(session, { ...previous, keyId: found.keyId });
  return failed ?? { kind: 'retired', sessionsEnded: 0 };
}

function withoutId({ step, description }: Session, detail: string): Failure {
  const names = { secret: step.secret, target: description.title, login: 'the old key' };
  return failure('retire-refused', { ...names, detail: `${detail}, so it cannot be revoked` });
}

async function published(session: Session, keyId: string | undefined): Promise<Failure> {
  const { step, description } = session;
  // An admin that is refused, or a provider that is away, is the more useful thing to be told.
  const listed = description.list === undefined ? undefined : await listKeys(session, description.list);
  if (listed?.kind === 'failed') return listed;
  return failure('retire-refused', {
    ...{ secret: step.secret, target: description.title, login: keyId ?? 'the old key' },
    detail: 'it is the published key, which is never revoked here',
  });
}
