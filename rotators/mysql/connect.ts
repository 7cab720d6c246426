/** From a step to sessions: whose credentials, which host, TLS or not, and which of several accounts of one name is meant. */

import { authorities } from '../../shared/authorities.ts';
import { type Credential, credentialName } from '../../shared/contract/credential.ts';
import type { Endpoint, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import type { SeenRules } from '../common/password-rules.ts';
import { ownToken } from '../common/token.ts';
import { targetName, usesTls } from '../common/transport.ts';
import { type AccountState, accountsAtStart } from './accounts.ts';
import { adminFailure, type Fault, fault } from './fault.ts';
import type { Grant } from './grants.ts';
import { type Account, accountName } from './quote.ts';
import { type Entry, enter, type FirstQuestion, openSession, type Session } from './session.ts';
import type { MysqlTags } from './tags.ts';
import { defaultPort, type OpenOptions } from './wire.ts';

/** Scope of Entra tokens for Azure Database for MySQL. */
const entraScope = 'https://ossrdbms-aad.database.windows.net/.default';

/** One call of the rotator: the step with what the app gave the rotator. */
export interface Call {
  readonly step: Step<MysqlTags>;
  readonly environment: RotatorEnvironment;
  /** Credentials whose passwords must not appear in a message. */
  readonly credentials: readonly Credential[];
  readonly memory: Memory;
}

/** What the calls of one attempt have learned, by its current credential: the same object for all of them. */
export interface Memory {
  /** A failed login was seen to have no consequence. */
  readonly mayFail: WeakSet<Credential>;
  /** What the second login of a pair was given, by its account: the rights of the first. */
  readonly given: WeakMap<Credential, readonly Given[]>;
  readonly policy: SeenRules;
}

export interface Given {
  readonly account: Account;
  readonly grants: readonly Grant[];
}

/** A session of the login itself, on a fresh connection. */
export function openAs(call: Call, credential: Credential, where: Endpoint): Promise<Session | Fault> {
  return openSession({ ...optionsOf(call, where), credential });
}

/** Logs in as a consumer does it: with the database, since a login may be kept out of it. */
export function enterAs(call: Call, credential: Credential, question: FirstQuestion): Promise<Entry | Fault> {
  const { endpoint } = call.step;
  const { database } = endpoint;
  const options = { ...optionsOf(call, endpoint), credential, ...(database === undefined ? {} : { database }) };
  return enter(options, question);
}

export interface AdminOptions {
  /** One text may hold several statements, so nothing but numbers is ever put into it. Default false. */
  readonly manyStatements?: boolean;
  /** Logins whose accounts are read as the session begins. */
  readonly users?: readonly string[];
}

/** A session that may make changes. `own` are the login's credentials, for a self-rotation, tried in this order. */
export async function openAdmin(
  call: Call,
  own: readonly Credential[],
  more: AdminOptions = {},
): Promise<Session | Failure> {
  const { step } = call;
  switch (step.admin.kind) {
    case 'self':
      return openOwn(call, own, more);
    case 'connection': {
      const options = { ...optionsOf(call, step.adminEndpoint), credential: step.admin.credential };
      const session = await openSession({ ...options, ...more });
      return session.kind === 'fault' ? failureOf(call, session) : session;
    }
    case 'identity': {
      const token = await tokenOf(call, step.admin);
      if (isFailure(token)) return token;
      const { credential } = token;
      const options = { ...optionsOf(call, step.adminEndpoint), credential, sendsToken: true };
      const session = await openSession({ ...options, ...more });
      return session.kind === 'fault' ? failureOf(call, session) : session;
    }
  }
}

/** The failure of a fault that the admin's session met. */
export function failureOf(call: Call, met: Fault): Failure {
  return adminFailure(call.step, adminName(call.step), credentialName(call.step.current), met);
}

export interface Chosen {
  readonly kind: 'chosen';
  readonly states: readonly AccountState[];
  /** Whether a known password is one of theirs: whoever holds the value knew it. */
  readonly proven: boolean;
  /** Accounts of the same name that take none of them: somebody else's. */
  readonly others: readonly AccountState[];
}

/**
 * Which accounts a login name means. Where several hosts have one, they are all those that take a known password: consumers may come in
 * through any of them. The others belong to somebody else, who has another password.
 */
export async function choose(
  session: Session,
  user: string,
  known: readonly Credential[],
): Promise<Chosen | { readonly kind: 'missing' } | Fault> {
  const read = await accountsAtStart(session, [user]);
  return read.kind === 'fault' ? read : chooseAmong(session, read.accounts, user, known);
}

/** The same among accounts that were read already. */
export async function chooseAmong(
  session: Session,
  accounts: readonly AccountState[],
  user: string,
  known: readonly Credential[],
): Promise<Chosen | { readonly kind: 'missing' } | Fault> {
  const named = accounts.filter(({ account }) => account.user === user);
  const passwords = known.filter(({ username }) => username === user).map(({ password }) => password);
  const taking = await thatTake(named, passwords);
  const others = named.filter((state) => !taking.includes(state));
  if (taking.length > 0) return { kind: 'chosen', states: taking, proven: true, others };
  const [only, ...more] = others;
  if (only === undefined) return { kind: 'missing' };
  if (more.length === 0) return { kind: 'chosen', states: [only], proven: false, others: [] };
  const names = others.map(({ account }) => accountName(account)).join(', ');
  return fault(
    'rejected',
    session.target,
    `several accounts have that name (${names}), and none takes a known password`,
  );
}

/** The accounts that take one of the passwords. */
export async function thatTake(
  accounts: readonly AccountState[],
  passwords: readonly SecretText[],
): Promise<readonly AccountState[]> {
  const taking: AccountState[] = [];
  for (const state of accounts) if (await takesAny(state, passwords)) taking.push(state);
  return taking;
}

// One that is taken is enough: comparing costs time on the processor.
async function takesAny(state: AccountState, passwords: readonly SecretText[]): Promise<boolean> {
  for (const password of passwords) {
    const place = await state.placeOf(password);
    if (place === 'first' || place === 'second') return true;
  }
  return false;
}

function optionsOf(call: Call, endpoint: Endpoint): Omit<OpenOptions, 'credential'> {
  const { step, environment } = call;
  const trusted = authorities(environment.trustedCertificates);
  const tls = usesTls(endpoint, wishOf(endpoint)) ? { tls: trusted === undefined ? {} : { ca: [...trusted] } } : {};
  return {
    ...tls,
    endpoint,
    sendsToken: false,
    connectTimeoutMs: environment.connectTimeoutMs,
    signal: step.signal,
    remainingMs: step.remainingMs,
    secrets: [step.current, ...call.credentials].map(({ password }) => password),
  };
}

/** Whether the connection to an endpoint is encrypted. */
export function isEncrypted(endpoint: Endpoint): boolean {
  return usesTls(endpoint, wishOf(endpoint));
}

// How clients of MySQL write it: sslmode (JDBC, .NET, Python), ssl and tls (Node, Go), ssl-mode (the command line).
function wishOf({ options }: Endpoint): 'required' | 'unsaid' {
  const mode = options['sslmode'] ?? options['ssl-mode'] ?? options['ssl mode'] ?? '';
  const flag = options['ssl'] ?? options['tls'] ?? options['usessl'] ?? '';
  const required = /^(required?|verify[_-]?(ca|full|identity))$/i.test(mode) || /^(true|1|yes|on|\{.*\})$/i.test(flag);
  return required ? 'required' : 'unsaid';
}

async function openOwn(call: Call, own: readonly Credential[], more: AdminOptions): Promise<Session | Failure> {
  const { step } = call;
  let refused: Fault | undefined;
  for (const credential of own) {
    const session = await openSession({ ...optionsOf(call, step.endpoint), credential, ...more });
    if (session.kind === 'session') return session;
    if (session.fault !== 'refused') return failureOf(call, session);
    refused ??= session;
  }
  const detail = refused?.detail ?? 'there is no credential to try';
  const login = credentialName(step.current);
  return failure('no-live-credential', { secret: step.secret, login, detail }, refused?.cause);
}

async function tokenOf(
  call: Call,
  admin: Extract<Call['step']['admin'], { kind: 'identity' }>,
): Promise<{ readonly kind: 'token'; readonly credential: Credential } | Failure> {
  const given = await ownToken(call.step, admin.getToken, entraScope);
  if (given.kind === 'token') return { kind: 'token', credential: { username: admin.username, password: given.token } };
  const { secret } = call.step;
  const at = { secret, target: targetName(call.step.adminEndpoint, defaultPort), detail: given.detail };
  if (given.unreachable) return failure('target-unreachable', at, given.cause);
  return failure('admin-refused', { ...at, admin: adminName(call.step) }, given.cause);
}
