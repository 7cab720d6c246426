/** One provider, one step: requests are sent to its hosts alone, as the admin or as the key itself. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import type { Answer, Answered, Wire } from '../../shared/http/client.ts';
import { parseJson } from '../../shared/json.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { type Asked, answerFailure, describeAnswer } from '../common/answers.ts';
import { at, extract, untrue } from './answer.ts';
import type { Assertion, Description, RequestDescription } from './description.ts';
import { buildRequest, type Credentials } from './request.ts';
import type { HttpKeysTags } from './tags.ts';
import { Filling, type Variable, type Variables } from './template.ts';

export interface Session {
  readonly step: Step<HttpKeysTags>;
  readonly description: Description;
  readonly wire: Wire;
  readonly allowedHosts: readonly string[];
  /** Parts behind the provider's name and whatever else all requests may name. */
  readonly base: Variables;
  /** Variables of the admin; empty names where the key itself is the admin. */
  readonly admin: Variables;
  /** Name of the admin for messages. */
  readonly adminName: string;
}

/** `values`: what the description extracts. */
export interface Done {
  readonly kind: 'done';
  readonly body: unknown;
  readonly answer: Answered;
  readonly values: Variables;
}

export type Sent = { readonly kind: 'sent'; readonly answer: Answer; readonly asked: Asked } | Failure;

/** What a request may name of a credential. A pair is split where the value has no place for a login. */
export function credentialVariables(
  prefix: 'admin' | 'credential',
  credential: Credential,
  separator: string | undefined,
): Map<string, Variable> {
  const variables = new Map<string, Variable>();
  const whole = credential.password.reveal();
  const cut = credential.username === undefined && separator !== undefined ? whole.indexOf(separator) : -1;
  const username = cut < 0 ? credential.username : new SecretText(whole.slice(0, cut));
  if (username !== undefined) variables.set(`${prefix}.username`, username);
  variables.set(`${prefix}.password`, cut < 0 ? credential.password : new SecretText(whole.slice(cut + 1)));
  if (credential.keyId !== undefined) variables.set(`${prefix}.keyId`, credential.keyId);
  for (const [name, part] of Object.entries(credential.parts ?? {})) variables.set(`${prefix}.parts.${name}`, part);
  return variables;
}

/** Sends one request and gives back whatever came. Nothing is sent to a host that description and settings do not both name. */
export async function send(
  session: Session,
  request: RequestDescription,
  own: Variables,
  query: Readonly<Record<string, string>> = {},
): Promise<Sent> {
  const variables = new Map([...session.base, ...session.admin, ...own]);
  const credentials = await credentialsFor(session, request, variables);
  if (credentials.kind === 'failed') return credentials;
  const built = buildRequest(request, credentials, variables, query);
  if (built.kind === 'unfit') return unfit(session, built.detail);
  const wrong = wrongHost(session, built.call.url);
  if (wrong !== undefined) return wrong;
  const answer = await session.wire(built.call, session.step.signal);
  return { kind: 'sent', answer, asked: askedOf(session, built.call.url.host, variables) };
}

/** Sends one request that has to succeed. */
export async function perform(
  session: Session,
  request: RequestDescription,
  own: Variables,
  query: Readonly<Record<string, string>> = {},
): Promise<Done | Failure> {
  const sent = await send(session, request, own, query);
  return sent.kind === 'failed' ? sent : finish(session, request, own, sent);
}

/** Reads an answer that has to be a success. */
export function finish(
  session: Session,
  request: RequestDescription,
  own: Variables,
  { answer, asked }: Exclude<Sent, Failure>,
): Done | Failure {
  if (answer.kind !== 'answered' || !request.success.status.includes(answer.status))
    return answerFailure(asked, answer);
  const { secret } = session.step;
  const body = parseJson(answer.body);
  const wrong = untrue(body, request.success.body);
  if (wrong !== undefined) {
    return failure('target-refused', {
      secret,
      target: asked.target,
      detail: `${describeAnswer(answer, asked.secrets)}: ${wrong}`,
    });
  }
  const values = new Map<string, Variable>();
  for (const [name, how] of Object.entries(request.extract)) {
    const whereEquals =
      'where' in how ? new Filling(new Map([...session.base, ...own])).fill(how.where.equals, (text) => text) : '';
    const value = extract(answer, how, whereEquals);
    if (value !== undefined) values.set(name, typeof value === 'string' ? value : { data: value });
    else if (!('optional' in how) || how.optional !== true) {
      return failure('target-refused', { secret, target: asked.target, detail: `the answer holds no ${name}` });
    }
  }
  return { kind: 'done', body, answer, values };
}

/** Whether an answer is one that the description calls success. */
export function succeeds(request: RequestDescription, answer: Answer): boolean {
  return (
    answer.kind === 'answered' && request.success.status.includes(answer.status) && holds(answer, request.success.body)
  );
}

/** Whether everything said of a body is true of this one. */
export function holds(answer: Answered, assertions: readonly Assertion[]): boolean {
  return untrue(parseJson(answer.body), assertions) === undefined;
}

function askedOf(session: Session, target: string, variables: Variables): Asked {
  const secrets = [...variables.values()].filter((value) => value instanceof SecretText);
  const permission = `the right to manage keys of ${session.description.title}`;
  return { secret: session.step.secret, target, admin: session.adminName, permission, secrets };
}

async function credentialsFor(
  session: Session,
  request: RequestDescription,
  variables: Variables,
): Promise<Credentials | Failure> {
  if (request.as === 'nobody') return { kind: 'none' };
  const wanted = session.description.authentication[request.as];
  if (wanted.kind !== 'client-credentials') return wanted;
  // RFC 6749, 4.4: the client says who it is with Basic and gets a bearer token.
  const exchange: RequestDescription = {
    method: 'POST',
    url: wanted.url,
    headers: {},
    query: {},
    as: 'nobody',
    success: { status: [200], body: [] },
    extract: {},
    body: {
      kind: 'form',
      fields: { grant_type: 'client_credentials', ...(wanted.scope === undefined ? {} : { scope: wanted.scope }) },
    },
  };
  const basic = { kind: 'basic', username: wanted.clientId, password: wanted.clientSecret } as const;
  const built = buildRequest(exchange, basic, variables);
  if (built.kind === 'unfit') return unfit(session, built.detail);
  const wrong = wrongHost(session, built.call.url);
  if (wrong !== undefined) return wrong;
  const asked = askedOf(session, built.call.url.host, variables);
  const answer = await session.wire(built.call, session.step.signal);
  // A wrong client is answered with 400 or 401 (RFC 6749, 5.2).
  if (answer.kind === 'answered' && [400, 401].includes(answer.status)) {
    const detail = describeAnswer(answer, asked.secrets);
    return failure('admin-refused', { secret: asked.secret, target: asked.target, admin: asked.admin, detail });
  }
  if (answer.kind !== 'answered' || answer.status !== 200) return answerFailure(asked, answer);
  const token = at(parseJson(answer.body), '/access_token');
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) && !token.includes('{{'))
    return { kind: 'bearer', token };
  return failure('target-refused', { secret: asked.secret, target: asked.target, detail: 'the answer holds no token' });
}

function wrongHost(session: Session, url: URL): Failure | undefined {
  const { step, description } = session;
  if (!description.hosts.includes(url.host)) {
    const detail = `leads to a host that the description of ${description.title} does not name`;
    return failure('tag-invalid', { secret: step.secret, problems: [{ tag: 'provider', detail }] });
  }
  // The setting takes host names without a port; on loopback, where ports are drawn, the name stands for all of them.
  const allowed = session.allowedHosts;
  if (!allowed.includes(url.host) && !(isLoopback(url.hostname) && allowed.includes(url.hostname))) {
    return failure('host-not-allowed', { secret: step.secret, host: url.host });
  }
  const named = step.adminEndpoint.host;
  if (step.admin.kind !== 'connection' || named === '' || named === url.hostname) return undefined;
  const detail = `the admin secret is for ${named}, the provider is ${url.hostname}`;
  return failure('host-mismatch', { secret: step.secret, admin: session.adminName, detail });
}

function unfit(session: Session, detail: string): Failure {
  return failure('description-unfit', { secret: session.step.secret, provider: session.description.name, detail });
}
