/** Azure Resource Manager: the few requests that keys need, with the app's own identity. */

import type { RotatorEnvironment, Step } from '../../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../../shared/errors.ts';
import { parseJson } from '../../../shared/json.ts';
import { ownToken } from '../../common/token.ts';
import { type Asked, answerFailure, readRetryAfter } from '../failures.ts';
import { startWaiting } from '../patience.ts';
import { type Answered, type Call, makeWire, type Wire } from '../wire.ts';
import type { AzureOptions } from './options.ts';

const identityName = 'managed-identity';
const pollPatience = { intervalMs: 1_000, deadlineMs: 240_000 };

export interface ArmRequest {
  readonly method: 'GET' | 'POST';
  /** Path from the root; for a following page or an operation, the whole address that Azure gave. */
  readonly path: string;
  readonly apiVersion?: string;
  readonly body?: Readonly<Record<string, string>>;
  /** The right that the request needs. */
  readonly permission: string;
}

/** `body` is undefined where the answer is not JSON. */
export type ArmOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown; readonly answer: Answered }
  | Failure;

export interface Arm {
  /** One request. Statuses other than 200, 201, 202 and 204 are failures. */
  send(step: Step<AzureOptions>, request: ArmRequest): Promise<ArmOutcome>;
  /** Follows a 202 until the operation ended. Source: ARM's asynchronous operations (Azure-AsyncOperation, Location, Retry-After). */
  finish(
    step: Step<AzureOptions>,
    started: ArmOutcome,
    permission: string,
  ): Promise<Failure | { readonly kind: 'done' }>;
  readonly host: string;
}

export function makeArm(environment: RotatorEnvironment, wire: Wire = wireOf(environment)): Arm {
  const base = new URL(environment.cloud.resourceManager);
  const scope = `${base.origin}/.default`;

  async function send(step: Step<AzureOptions>, request: ArmRequest): Promise<ArmOutcome> {
    const { secret } = step;
    const asked: Asked = {
      secret,
      target: base.host,
      admin: identityName,
      permission: request.permission,
      secrets: [step.current.password],
    };
    const url = URL.canParse(request.path, base.href) ? new URL(request.path, base) : undefined;
    // An answer may name where to go on. The app's token goes to Resource Manager alone, whatever an answer says.
    if (url === undefined || url.origin !== base.origin) {
      return failure('target-refused', { secret, target: base.host, detail: 'an answer pointed to another host' });
    }
    if (request.apiVersion !== undefined) url.searchParams.set('api-version', request.apiVersion);
    const token = await bearer(step, scope, asked);
    if (token.kind === 'failed') return token;
    const answer = await wire({ ...toCall(request, url), headers: headersOf(request, token.text) }, step.signal);
    if (answer.kind !== 'answered' || ![200, 201, 202, 204].includes(answer.status))
      return answerFailure(asked, answer);
    return { kind: 'answered', status: answer.status, body: parseJson(answer.body), answer };
  }

  return { send, host: base.host, finish: (step, started, permission) => follow({ send, step, permission }, started) };
}

function wireOf(environment: RotatorEnvironment): Wire {
  // The setting bounds a connection attempt; an answer of Resource Manager may take a few times that long.
  return makeWire({
    trustedCertificates: environment.trustedCertificates,
    timeoutMs: environment.connectTimeoutMs * 3,
  });
}

function toCall(request: ArmRequest, url: URL): Omit<Call, 'headers'> {
  const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
  return { method: request.method, url, ...body };
}

function headersOf(request: ArmRequest, token: string): Record<string, string> {
  const type = request.body === undefined ? {} : { 'content-type': 'application/json' };
  return { accept: 'application/json', authorization: `Bearer ${token}`, ...type };
}

async function bearer(
  step: Step<AzureOptions>,
  scope: string,
  asked: Asked,
): Promise<{ readonly kind: 'token'; readonly text: string } | Failure> {
  const { secret } = step;
  if (step.admin.kind !== 'identity') {
    const detail = 'provider "azure" needs the app’s own identity: set the tag to managed-identity';
    return failure('tag-invalid', { secret, problems: [{ tag: 'admin', detail }] });
  }
  const given = await ownToken(step, step.admin.getToken, scope);
  if (given.kind === 'token') return { kind: 'token', text: given.token.reveal() };
  // The identity library's messages can quote what an endpoint answered; its name is enough to look it up.
  const detail = `the app's identity gave no token (${given.cause.name})`;
  return failure('target-unreachable', { secret, target: asked.target, detail });
}

interface Following {
  readonly send: Arm['send'];
  readonly step: Step<AzureOptions>;
  readonly permission: string;
}

async function follow({ send, step, permission }: Following, started: ArmOutcome): Promise<Failure | { kind: 'done' }> {
  const waiting = startWaiting(step, pollPatience);
  let last = started;
  let address: string | undefined;
  for (;;) {
    if (last.kind === 'failed') return last;
    const { answer } = last;
    const state = operationState(last.body);
    if (state === 'Failed' || state === 'Canceled') return ended(step, state);
    // An empty 202 without an address is followed by listing the keys, which the caller does in any case.
    address = answer.header('azure-asyncoperation') ?? answer.header('location') ?? address;
    const running = last.status === 202 || (state !== undefined && state !== 'Succeeded');
    if (!running || address === undefined) return { kind: 'done' };
    const askedSeconds = readRetryAfter(answer);
    if (!(await waiting.again(askedSeconds === undefined ? undefined : askedSeconds * 1000))) return stillRunning(step);
    last = await send(step, { method: 'GET', path: address, permission });
  }
}

function operationState(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('status' in body)) return undefined;
  return typeof body.status === 'string' ? body.status : undefined;
}

function ended(step: Step<AzureOptions>, state: string): Failure {
  const target = step.options.name;
  return failure('target-busy', { secret: step.secret, target, detail: `the operation ended as ${state}` });
}

function stillRunning(step: Step<AzureOptions>): Failure {
  const target = step.options.name;
  return failure('target-busy', { secret: step.secret, target, detail: 'regenerating the key has not ended in time' });
}
