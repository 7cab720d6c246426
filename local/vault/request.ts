/** One request from its first byte to its answer: token, limits, faults, operation. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import type { Clock } from './clock.ts';
import {
  badParameter,
  errorAnswer,
  forbiddenByRbac,
  internalError,
  payloadTooLarge,
  throttled,
  unauthorized,
  unavailable,
} from './errors.ts';
import type { FaultEffect } from './faults.ts';
import type { LocalVault } from './local-vault.ts';
import type { OperationRequest } from './operations.ts';
import { findRoute, type Route } from './route.ts';
import { answerShelf } from './shelf.ts';

export interface Gate {
  readonly vault: LocalVault;
  /** Whether a bearer token is good. Never called with an empty one. */
  readonly accepts: (token: string) => boolean;
  /** Ends waiting delays when the emulator is closed. */
  readonly closing: AbortSignal;
}

/** `cut`: no answer; the connection is to be broken. */
type Outcome = Answer | 'cut';

// Enough for the largest backup: 500 versions of 25 KB in base64.
const maxBodyBytes = 32 * 1024 * 1024;

const knownVersions = /^(2015-06-01|2016-10-01|2025-06-01-preview|2025-07-01|2026-04-01|7\.[0-6](-preview(\.\d)?)?)$/;

/** Answers a request to the vault itself. Resolves when the answer has been handed to the system. */
export async function answerVault(gate: Gate, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Joined as text: as a relative address, a path that begins with two slashes would name a host.
  const url = new URL(`${baseOf(request)}${pathOf(request)}`);
  const outcome = await judge(gate, request, url);
  if (outcome === 'cut') request.socket.destroy();
  else send(gate.vault.clock, request, response, outcome);
}

/** Scheme, host and port as the client wrote them: ids and links must lead it back the same way. */
export function baseOf(request: IncomingMessage): string {
  const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true;
  const local = `127.0.0.1:${request.socket.localPort}`;
  const scheme = encrypted ? 'https' : 'http';
  const base = `${scheme}://${request.headers.host ?? local}`;
  // A host that is no host may not shape an address that is sent back.
  return URL.canParse(base) && new URL(base).origin === base.toLowerCase() ? base : `${scheme}://${local}`;
}

/** Path and query. A request through a proxy names the whole address; only its path counts here. */
function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  if (url.startsWith('/')) return url;
  if (!URL.canParse(url)) return '/';
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}

async function judge(gate: Gate, request: IncomingMessage, url: URL): Promise<Outcome> {
  // The token is judged before anything else: a client sends its first request without a token and without its body, to be told where to
  // get one.
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || !gate.accepts(token)) {
    gate.vault.calls.recordChallenge();
    request.resume();
    return token === undefined ? unauthorized.missing() : unauthorized.refused();
  }
  const body = await readBody(request);
  if (body === 'too-large') return payloadTooLarge();
  if (body === 'broken-off') return 'cut';
  const method = request.method ?? 'GET';
  const shelved = answerShelf(gate.vault.name, gate.vault.shelf, method, url);
  if (shelved !== undefined) return versionProblem(url.searchParams) ?? shelved;
  const routed = findRoute(method, url.pathname);
  if (routed.kind === 'none') return routed.answer;
  const asked: OperationRequest = {
    route: routed.route,
    address: `${url.origin}${url.pathname}`,
    query: url.searchParams,
    body,
  };
  const outcome = await pass(gate, method, asked, url.origin);
  const { operation, name, version } = routed.route;
  gate.vault.calls.record({
    operation,
    name,
    ...(version === undefined ? {} : { version }),
    status: outcome === 'cut' ? 0 : outcome.status,
    at: gate.vault.clock.now(),
  });
  return outcome;
}

async function pass(gate: Gate, method: string, asked: OperationRequest, base: string): Promise<Outcome> {
  const { operation } = asked.route;
  const kind = operation === 'set' || operation === 'restore' ? 'creation' : 'other';
  const together = gate.vault.subscription?.admit(kind);
  const admission = together?.kind === 'throttled' ? together : gate.vault.limits.admit(kind);
  if (admission.kind === 'throttled') return throttled(admission.retryAfterSeconds);
  const effects = gate.vault.faults.judge(method, asked.route);
  const before = await suffer(gate, effects, 'before', asked.route);
  if (before !== undefined) return before;
  const answer = versionProblem(asked.query) ?? gate.vault.perform(asked, base);
  return (await suffer(gate, effects, 'after', asked.route)) ?? answer;
}

function versionProblem(query: URLSearchParams): Answer | undefined {
  const version = query.get('api-version');
  if (version === null || version === '') return badParameter('api-version must be specified');
  return knownVersions.test(version)
    ? undefined
    : badParameter(
        `The specified version (${version}) is not recognized. Consider using the latest supported version (2026-04-01).`,
      );
}

/** All delays of a stage, then what its first other fault says, if any. */
async function suffer(
  gate: Gate,
  effects: readonly FaultEffect[],
  stage: FaultEffect['stage'],
  route: Route,
): Promise<Outcome | undefined> {
  const mine = effects.filter((effect) => effect.stage === stage);
  const delayMs = mine.reduce((sum, effect) => (effect.kind === 'delay' ? sum + effect.ms : sum), 0);
  if (delayMs > 0 && !(await waited(delayMs, gate.closing))) return 'cut';
  for (const effect of mine) {
    if (effect.kind === 'cut') return 'cut';
    if (effect.kind === 'status') return faultAnswer(effect, gate.vault.name, route.name);
  }
  return undefined;
}

async function waited(ms: number, closing: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal: closing });
    return true;
  } catch (error) {
    if (closing.aborted) return false;
    throw error;
  }
}

function faultAnswer(effect: FaultEffect & { kind: 'status' }, vault: string, name: string): Answer {
  const usual = usualAnswer(effect.status, vault, name);
  const headers = effect.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(effect.retryAfterSeconds) };
  if (effect.code === undefined && effect.message === undefined) return { ...usual, headers };
  const code = effect.code ?? 'Error';
  return errorAnswer(effect.status, code, effect.message ?? code, effect.innerCode, headers);
}

/** What the service says with a status when nothing more is known. */
function usualAnswer(status: number, vault: string, name: string): Answer {
  switch (status) {
    case 401:
      return unauthorized.refused();
    case 403:
      return forbiddenByRbac(vault, name);
    case 429:
      return throttled();
    case 503:
      return unavailable();
    default:
      return { ...internalError(), status };
  }
}

export async function readBody(request: IncomingMessage): Promise<Buffer | 'too-large' | 'broken-off'> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) throw new Error('a request without an encoding gives buffers');
      length += chunk.length;
      if (length <= maxBodyBytes) chunks.push(chunk);
    }
  } catch (error) {
    if (request.destroyed && !request.complete) return 'broken-off';
    throw error;
  }
  return length > maxBodyBytes ? 'too-large' : Buffer.concat(chunks);
}

export function send(clock: Clock, request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = answer.body === undefined ? undefined : Buffer.from(JSON.stringify(answer.body));
  const clientRequestId = request.headers['x-ms-client-request-id'];
  response.sendDate = false;
  response.writeHead(answer.status, {
    'Cache-Control': 'no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'x-ms-keyvault-region': 'local',
    'x-ms-request-id': randomUUID(),
    'x-ms-keyvault-service-version': '1.5.0.0',
    'x-ms-keyvault-network-info': 'conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;',
    'Strict-Transport-Security': 'max-age=31536000;includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
    // Whoever asks what time it is at the vault must be told the vault's time.
    Date: clock.now().toUTCString(),
    ...(typeof clientRequestId === 'string' ? { 'x-ms-client-request-id': clientRequestId } : {}),
    ...(body === undefined
      ? {}
      : { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': String(body.length) }),
    ...answer.headers,
  });
  response.end(body);
}
