/** Keys at a provider: made, revoked, and found again by label where an attempt left them behind. */
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { readRetryAfter } from '../common/answers.ts';
import { startWaiting } from '../common/patience.ts';
import { type Description, namesKeyId, provesResource } from './description.ts';
import { listKeys } from './listing.ts';
import { credentialVariables, type Done, finish, holds, perform, type Session, send, succeeds } from './session.ts';
import { Filling, type Variable, type Variables } from './template.ts';
import { whose } from './whose.ts';

/**
 * Revokes what earlier attempts of this rotation left behind. Its value is lost: it was never stored, or the target refused it. The
 * published key is never touched, whatever it is called.
 */
export async function revokeOrphans(session: Session): Promise<Failure | undefined> {
  const { list } = session.description;
  if (list === undefined) return undefined;
  const listed = await listKeys(session, list);
  if (listed.kind === 'failed') return listed;
  const { current, label } = session.step;
  for (const key of listed.keys) {
    if (key.label !== label || key.id === current.keyId) continue;
    const revoked = await revoke(session, { password: new SecretText(''), keyId: key.id });
    if (revoked !== undefined) return revoked;
  }
  return undefined;
}

/** Makes the provider refuse a key. A key that is gone already is a success. */
export async function revoke(session: Session, credential: Credential): Promise<Failure | undefined> {
  const request = session.description.revoke;
  const own = credentialVariables('credential', credential, session.description.pair?.separator);
  const sent = await send(session, request, own);
  if (sent.kind === 'failed') return sent;
  const { answer } = sent;
  if (succeeds(request, answer)) return undefined;
  if (answer.kind === 'answered') {
    const gone = request.gone.includes(answer.status);
    if (gone || (request.goneBody.length > 0 && holds(answer, request.goneBody))) return undefined;
  }
  const finished = finish(session, request, own, sent);
  return finished.kind === 'failed' ? finished : undefined;
}

/** Issues a key. Its value is in this one answer and nowhere else. */
export async function create(
  session: Session,
): Promise<{ readonly kind: 'made'; readonly credential: Credential } | Failure> {
  const { description, step } = session;
  const proven = await currentWithId(session);
  if (proven.kind === 'failed') return proven;
  const variables = new Map<string, Variable>(
    credentialVariables('credential', proven.credential, description.pair?.separator),
  );
  for (const request of description.read) {
    const done = await perform(session, request, variables);
    if (done.kind === 'failed') return done;
    for (const [name, value] of done.values) variables.set(`read.${name}`, value);
  }
  if (step.signal.aborted || step.remainingMs() <= 0)
    return failure('lease-lost', { secret: step.secret, step: 'create' });
  const made = await perform(session, description.create, variables);
  if (made.kind === 'failed') return made;
  addCreated(variables, made.values);
  const polled = description.poll === undefined ? undefined : await poll(session, description.poll, variables);
  if (polled?.kind === 'failed') return polled;
  if (polled !== undefined) addCreated(variables, polled.values);
  return compose(session, variables);
}

/**
 * The published credential with its id, where a request names one: what is read of a key there is what the new one may do, so the id of a
 * stronger key must not be taken on a tag's word.
 */
async function currentWithId(
  session: Session,
): Promise<{ readonly kind: 'known'; readonly credential: Credential } | Failure> {
  const { description, step } = session;
  const { keyId: _claimed, ...current } = step.current;
  const isProven = provesResource(description);
  if (isProven && !namesKeyId([description.read, description.create, description.poll, description.credential]))
    return { kind: 'known', credential: current };
  const found = await whose(session, step.current);
  if (!isProven && found.kind === 'own') {
    const elsewhere = await notListed(session, found.keyId);
    if (elsewhere !== undefined) return elsewhere;
  }
  switch (found.kind) {
    case 'own':
      return { kind: 'known', credential: { ...current, keyId: found.keyId } };
    case 'failed':
      return found;
    case 'unproven':
      return unproven(session, found);
    case 'gone':
      return unproven(session, { claimed: step.current.keyId, detail: 'the published key does not log in' });
  }
}

/**
 * The tag says for which project or owner a key is made. A login that proves nothing about it would let whoever may edit the tag have a key
 * of another one, so the published key has to be among those that are listed there.
 */
async function notListed(session: Session, keyId: string): Promise<Failure | undefined> {
  const { list } = session.description;
  const listed = list === undefined ? undefined : await listKeys(session, list);
  if (listed?.kind === 'failed') return listed;
  if (listed?.keys.some(({ id }) => id === keyId) === true) return undefined;
  const detail = 'the tag "provider" names another project or owner than that of the published key';
  return unproven(session, { claimed: keyId, detail });
}

/** The failure for an id that counts for nothing. */
export function unproven(
  { step, description }: Session,
  { claimed, detail }: { readonly claimed: string | undefined; readonly detail: string },
): Failure {
  const { secret, labelPrefix } = step;
  return failure('key-unproven', {
    ...{ secret, target: description.title, login: claimed ?? 'the old key', labelPrefix, detail },
  });
}

// Any of them may be the key, so all are kept out of messages.
function addCreated(variables: Map<string, Variable>, values: Variables): void {
  for (const [name, value] of values) {
    variables.set(`created.${name}`, typeof value === 'string' ? new SecretText(value) : value);
  }
}

async function poll(
  session: Session,
  request: NonNullable<Description['poll']>,
  variables: Variables,
): Promise<Done | Failure> {
  const patience = { intervalMs: request.intervalSeconds * 1000, deadlineMs: request.deadlineSeconds * 1000 };
  const waiting = startWaiting(session.step, patience);
  for (;;) {
    const sent = await send(session, request, variables);
    if (sent.kind === 'failed') return sent;
    if (succeeds(request, sent.answer)) return finish(session, request, variables, sent);
    const asked = sent.answer.kind === 'answered' ? readRetryAfter(sent.answer) : undefined;
    if (!(await waiting.again(asked === undefined ? undefined : asked * 1000))) {
      const detail = 'the new key is not ready yet';
      return failure('target-busy', { secret: session.step.secret, target: session.description.title, detail });
    }
  }
}

function compose(
  session: Session,
  variables: Variables,
): { readonly kind: 'made'; readonly credential: Credential } | Failure {
  const { description, step } = session;
  const filling = new Filling(new Map([...session.base, ...variables]));
  const plain = (template: string): string => filling.fill(template, (text) => text);
  const password = plain(description.credential.password);
  const username = description.credential.username === undefined ? undefined : plain(description.credential.username);
  const keyId = plain(description.credential.keyId);
  if (filling.problems.length > 0 || password === '' || keyId === '') {
    const detail = filling.problems.join('; ') || 'the answer holds an empty key or id';
    return failure('target-refused', { secret: step.secret, target: description.title, detail });
  }
  const { current } = step;
  const parts = current.parts === undefined ? {} : { parts: current.parts };
  if (username === undefined) {
    const login = current.username === undefined ? {} : { username: current.username };
    return { kind: 'made', credential: { ...login, ...parts, password: new SecretText(password), keyId } };
  }
  const separator = description.pair?.separator;
  // A value without a place for a login holds the pair as one text.
  const credential =
    current.username === undefined && separator !== undefined
      ? { ...parts, password: new SecretText(`${username}${separator}${password}`), keyId }
      : { ...parts, username, password: new SecretText(password), keyId };
  return { kind: 'made', credential };
}
