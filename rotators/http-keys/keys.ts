/** Keys at a provider: found by label, made, revoked, and told by their id. */
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { readRetryAfter } from '../common/answers.ts';
import { startWaiting } from '../common/patience.ts';
import { at, itemsAt } from './answer.ts';
import type { Description } from './description.ts';
import { credentialVariables, type Done, finish, holds, perform, type Session, send, succeeds } from './session.ts';
import { Filling, type Variable, type Variables } from './template.ts';

/** Pages of a listing that are looked at. Providers allow fewer keys than these hold. */
const pagesAtMost = 20;

type Listed =
  | { readonly kind: 'listed'; readonly keys: readonly { readonly id: string; readonly label: string }[] }
  | Failure;

/** The keys that the admin sees, with their labels. */
export async function listKeys(session: Session, list: NonNullable<Description['list']>): Promise<Listed> {
  const keys: { readonly id: string; readonly label: string }[] = [];
  let query: Record<string, string> = {};
  let request = list;
  for (let page = 0; page < pagesAtMost; page += 1) {
    if (list.pages?.kind === 'number') query = { [list.pages.query]: String(list.pages.first + page) };
    const done = await perform(session, request, new Map(), query);
    if (done.kind === 'failed') return done;
    const items = itemsAt(done.body, list.items);
    for (const item of items) {
      const [id, label] = [at(item, list.id), at(item, list.label)];
      if ((typeof id === 'string' || typeof id === 'number') && typeof label === 'string')
        keys.push({ id: String(id), label });
    }
    const next = nextPage(list, items.length, done);
    if (next === undefined) break;
    query = next.query ?? {};
    // A link is an address of the provider; its host is checked like that of every request.
    if (next.url !== undefined) request = { ...list, url: next.url, query: {} };
  }
  return { kind: 'listed', keys };
}

function nextPage(
  list: NonNullable<Description['list']>,
  found: number,
  done: Done,
): { readonly query?: Record<string, string>; readonly url?: string } | undefined {
  const { pages } = list;
  if (pages === undefined || found === 0) return undefined;
  if (pages.kind === 'number') return {};
  const next = at(done.body, pages.pointer);
  if (typeof next !== 'string' || next === '') return undefined;
  // Braces would be read as a template.
  return pages.kind === 'cursor' ? { query: { [pages.query]: next } } : { url: next.replaceAll('{', '%7B') };
}

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
  const variables = new Map<string, Variable>(
    credentialVariables(
      'credential',
      { ...step.current, ...keyIdPart(await keyIdOf(session, step.current)) },
      description.pair?.separator,
    ),
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

/** The provider's id of a key: from the stamp, from the key itself, or by asking the provider with the key. */
export async function keyIdOf(session: Session, credential: Credential): Promise<string | undefined> {
  if (credential.keyId !== undefined) return credential.keyId;
  // Only a key that was there before Keyturn has no stamp, and the tag is about that one.
  if (session.step.options.keyId !== undefined) return session.step.options.keyId;
  const { identify, pair } = session.description;
  if (identify === undefined) return undefined;
  if ('pattern' in identify) {
    const own = credentialVariables('credential', credential, pair?.separator);
    const text = pair === undefined ? own.get('credential.password') : own.get('credential.username');
    const plain = text instanceof SecretText ? text.reveal() : text;
    return typeof plain === 'string' ? new RegExp(identify.pattern).exec(plain)?.[1] : undefined;
  }
  const done = await perform(session, identify, credentialVariables('credential', credential, pair?.separator));
  const id = done.kind === 'failed' ? undefined : done.values.get('id');
  return typeof id === 'string' ? id : undefined;
}

function keyIdPart(keyId: string | undefined): { readonly keyId?: string } {
  return keyId === undefined ? {} : { keyId };
}
