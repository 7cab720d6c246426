/** Keys of providers that issue them over HTTP: a new key is made beside the old one, proven, published, and the old one revoked. */
import type { Credential } from '../../../shared/contract/credential.ts';
import type {
  ApplyOutcome,
  Check,
  RetireOutcome,
  Rotator,
  RotatorEnvironment,
  Step,
  UseOutcome,
  VerifyOutcome,
} from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../../shared/errors.ts';
import { answerFailure, describeAnswer, unclear } from '../failures.ts';
import { startWaiting } from '../patience.ts';
import { makeWire, type Wire } from '../wire.ts';
import { type Catalog, loadCatalog } from './catalog.ts';
import { checkHttp } from './check.ts';
import { create, keyIdOf, listKeys, revoke, revokeOrphans } from './keys.ts';
import { openSession } from './open.ts';
import type { HttpOptions } from './options.ts';
import { credentialVariables, holds, type Session, send, succeeds } from './session.ts';

/** Reads all descriptions once. Every method may be called again; a repeated `apply` revokes what the one before made. */
export async function makeHttpRotator(environment: RotatorEnvironment): Promise<Rotator<HttpOptions>> {
  const { trustedCertificates, connectTimeoutMs } = environment;
  const wire = makeWire({ trustedCertificates, timeoutMs: connectTimeoutMs * 3 });
  const catalog = await loadCatalog(environment.descriptionsFolder);
  return new HttpRotator(catalog, wire, environment.allowedHosts);
}

class HttpRotator implements Rotator<HttpOptions> {
  readonly #catalog: Catalog;
  readonly #wire: Wire;
  readonly #allowedHosts: readonly string[];

  constructor(catalog: Catalog, wire: Wire, allowedHosts: readonly string[]) {
    this.#catalog = catalog;
    this.#wire = wire;
    this.#allowedHosts = allowedHosts.map((host) => host.toLowerCase());
  }

  propose(step: Step<HttpOptions>, current: Credential): Credential | Failure {
    const session = this.#open(step);
    if ('code' in session) return session;
    const { keyId: _old, ...rest } = current;
    return { ...rest, password: new SecretText('') };
  }

  // The candidate is not looked at: whatever an attempt before made is found by its label and revoked, because a key that did not get
  // as far as being verified cannot be told from one whose value is lost.
  async apply(step: Step<HttpOptions>): Promise<ApplyOutcome> {
    const session = this.#open(step);
    if ('code' in session) return session;
    const orphans = await revokeOrphans(session);
    if (orphans !== undefined) return orphans;
    const made = await create(session);
    return made.kind === 'failed' ? made : { kind: 'applied', credential: made.credential };
  }

  async verify(step: Step<HttpOptions>, credential: Credential): Promise<VerifyOutcome> {
    if (credential.password.isEmpty) return { kind: 'refused', detail: 'no key has been issued yet' };
    const session = this.#open(step);
    if ('code' in session) return session;
    return prove(session, credential);
  }

  async inUse(): Promise<UseOutcome> {
    return { kind: 'unknown', detail: 'the provider does not say who uses a key' };
  }

  async retire(step: Step<HttpOptions>, previous: Credential): Promise<RetireOutcome> {
    const session = this.#open(step);
    if ('code' in session) return session;
    const keyId = await keyIdOf(session, previous);
    const login = keyId ?? 'the old key';
    const names = { secret: step.secret, target: session.description.title, login };
    if (previous.password.equals(step.current.password) || (keyId !== undefined && keyId === step.current.keyId)) {
      // An admin that is refused, or a provider that is away, is the more useful thing to be told.
      const listed =
        session.description.list === undefined ? undefined : await listKeys(session, session.description.list);
      if (listed?.kind === 'failed') return listed;
      return failure('retire-refused', { ...names, detail: 'it is the published key, which is never revoked here' });
    }
    if (keyId === undefined) return withoutId(session, previous, names);
    const failed = await revoke(session, { ...previous, keyId });
    return failed ?? { kind: 'retired', sessionsEnded: 0 };
  }

  check(step: Step<HttpOptions>): Promise<readonly Check[]> {
    return checkHttp(this.#open(step), prove);
  }

  #open(step: Step<HttpOptions>): Session | Failure {
    return openSession(this.#catalog, step, this.#wire, this.#allowedHosts);
  }
}

/** An old key whose id nobody knows is done with only if the provider refuses it already. */
async function withoutId(
  session: Session,
  previous: Credential,
  names: { readonly secret: string; readonly target: string; readonly login: string },
): Promise<RetireOutcome> {
  const outcome = await prove(session, previous);
  if (outcome.kind === 'refused') return { kind: 'retired', sessionsEnded: 0 };
  if (outcome.kind === 'failed') return outcome;
  if (outcome.kind === 'unreachable') {
    return failure('target-unreachable', { secret: names.secret, target: names.target, detail: outcome.detail });
  }
  return failure('retire-refused', {
    ...names,
    detail: 'its id at the provider is not known, so it cannot be revoked',
  });
}

/**
 * Logs in with a key. A key that the provider lists is given time to work everywhere; one that it does not list is given time to stop
 * working; the published one is asked about once.
 */
async function prove(session: Session, credential: Credential): Promise<VerifyOutcome> {
  const { verify, list } = session.description;
  const { current } = session.step;
  const isPublished = credential.password.equals(current.password);
  const keyId = credential.keyId ?? session.step.options.keyId;
  const fresh = keyId !== undefined && keyId !== current.keyId && !isPublished;
  const listed = fresh && list !== undefined ? await listKeys(session, list) : undefined;
  if (listed?.kind === 'failed')
    return listed.code === 'target-unreachable' ? { kind: 'unreachable', detail: listed.message } : listed;
  const gone = listed !== undefined && !listed.keys.some((key) => key.id === keyId);
  const patience = { intervalMs: verify.intervalSeconds * 1000, deadlineMs: verify.deadlineSeconds * 1000 };
  const waiting = startWaiting(session.step, patience);
  let streak = 0;
  for (;;) {
    const outcome = await logIn(session, credential);
    streak = outcome.kind === 'accepted' ? streak + 1 : 0;
    const enough = !fresh || gone || streak >= verify.successes;
    const expected = gone ? 'refused' : 'accepted';
    if (outcome.kind !== 'accepted' && outcome.kind !== 'refused') return outcome;
    if (!fresh || (outcome.kind === expected && enough)) return outcome;
    if (!(await waiting.again())) return outcome;
  }
}

async function logIn(session: Session, credential: Credential): Promise<VerifyOutcome> {
  const { verify, pair } = session.description;
  const sent = await send(session, verify, credentialVariables('credential', credential, pair?.separator));
  if (sent.kind === 'failed') return sent;
  const { answer, asked } = sent;
  if (succeeds(verify, answer)) return { kind: 'accepted' };
  if (answer.kind !== 'answered')
    return answer.kind === 'no-answer' ? unclear(answer, asked.secrets) : answerFailure(asked, answer);
  const wrong = verify.success.status.includes(answer.status) && !holds(answer, verify.success.body);
  if (verify.refusedBy.includes(answer.status) || (wrong && answer.body.startsWith('{'))) {
    return { kind: 'refused', detail: describeAnswer(answer, asked.secrets) };
  }
  if (answer.status === 429 || answer.status >= 500) return answerFailure(asked, answer);
  return unclear(answer, asked.secrets);
}
