/** The two ways to an Azure key: Resource Manager, with the app's own identity, and the service itself, with the key alone. */
import type { RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { type Answered, makeWire, type Wire } from '../../shared/http/client.ts';
import { type ArmCall, type ResourceManager, resourceManagerAt } from '../../shared/http/resource-manager.ts';
import { parseJson } from '../../shared/json.ts';
import { type Asked, answerFailure, readRetryAfter } from '../common/answers.ts';
import { startWaiting } from '../common/patience.ts';
import { identityToken } from '../common/token.ts';
import type { AzureKeysTags } from './tags.ts';

/** What every call for an Azure key works with. */
export interface Azure {
  readonly arm: Arm;
  /** To the services themselves; never given the app's token. */
  readonly wire: Wire;
  readonly environment: RotatorEnvironment;
}

const pollPatience = { intervalMs: 1_000, deadlineMs: 240_000 };

/** `permission`: the right that the request needs. */
export type ArmRequest = ArmCall & { readonly permission: string };

/** `body` is undefined where the answer is not JSON. */
export type ArmOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown; readonly answer: Answered }
  | Failure;

export interface Arm {
  /** One request. Statuses other than 200, 201, 202 and 204 are failures. */
  send(step: Step<AzureKeysTags>, request: ArmRequest): Promise<ArmOutcome>;
  /** Follows a 202 until the operation ended. Source: ARM's asynchronous operations (Azure-AsyncOperation, Location, Retry-After). */
  finish(
    step: Step<AzureKeysTags>,
    started: ArmOutcome,
    permission: string,
  ): Promise<Failure | { readonly kind: 'done' }>;
  readonly host: string;
}

/** Opens no connection. */
export function connect(environment: RotatorEnvironment): Azure {
  // The setting bounds a connection attempt; an answer of Resource Manager may take a few times that long.
  const timeoutMs = environment.connectTimeoutMs * 3;
  const wire = makeWire({ trustedCertificates: environment.trustedCertificates, timeoutMs });
  const manager = resourceManagerAt(environment.cloud.resourceManager, wire);
  const arm: Arm = {
    host: manager.host,
    send: (step, request) => send(manager, step, request),
    finish: (step, started, permission) => follow({ send: arm.send, step, permission }, started),
  };
  return { arm, wire, environment };
}

async function send(manager: ResourceManager, step: Step<AzureKeysTags>, request: ArmRequest): Promise<ArmOutcome> {
  const { secret } = step;
  const asked: Asked = {
    secret,
    target: manager.host,
    admin: 'managed-identity',
    permission: request.permission,
    secrets: [step.current.password],
  };
  const token = await identityToken(step, manager.scope, { rotator: 'azure-keys', target: manager.host });
  if (token.kind === 'failed') return token;
  const answer = await manager.send(request, token.token, step.signal);
  if (answer.kind === 'another-host')
    return failure('target-refused', { secret, target: manager.host, detail: 'an answer pointed to another host' });
  if (answer.kind !== 'answered' || ![200, 201, 202, 204].includes(answer.status)) return answerFailure(asked, answer);
  return { kind: 'answered', status: answer.status, body: parseJson(answer.body), answer };
}

interface Following {
  readonly send: Arm['send'];
  readonly step: Step<AzureKeysTags>;
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

function ended(step: Step<AzureKeysTags>, state: string): Failure {
  const target = step.options.name;
  return failure('target-busy', { secret: step.secret, target, detail: `the operation ended as ${state}` });
}

function stillRunning(step: Step<AzureKeysTags>): Failure {
  const target = step.options.name;
  return failure('target-busy', { secret: step.secret, target, detail: 'regenerating the key has not ended in time' });
}
