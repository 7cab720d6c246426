/** What happens to every request: who calls, which route, may they, is it well-formed; then the route's own work. Denied unless allowed. */
import type { Role } from '../contract/access.ts';
import { framesOf } from '../errors.ts';
import { withLinksInside } from '../links.ts';
import type { Log } from '../telemetry.ts';
import { type Answer, alwaysSent } from './answer.ts';
import type { Authenticated, Authenticator } from './auth/authenticate.ts';
import { type Caller, may, type Place, rolesOf } from './caller.ts';
import { withoutHidden } from './hide-names.ts';
import { problem } from './problem.ts';
import { type BodySource, readBody } from './read-body.ts';
import { invalid, type RawCall, type Route } from './route.ts';
import { allowedOn, findRoute } from './router.ts';

export interface ApiRequest extends BodySource {
  readonly method: string;
  /** The whole address. */
  readonly url: string;
}

export interface Api {
  /** Never throws for anything a caller sent. */
  handle(request: ApiRequest, log: Log): Promise<Answer>;
}

export const prefix = '/api/v1';

/** The platform cuts an answer after 230 s. */
const answerWithinMs = 200_000;

/** `docsUrl`: address of the docs, with a slash at the end; empty: pages stay paths of the repository. */
export function makeApi(routes: readonly Route[], authentication: Authenticator, docsUrl = ''): Api {
  const answered = async (request: ApiRequest, log: Log): Promise<Answer> => {
    const answer = await answerTo(routes, authentication, request, log);
    return withHeaders(answer.body === undefined ? answer : { ...answer, body: withLinksInside(answer.body, docsUrl) });
  };
  return {
    async handle(request, log) {
      if (request.method !== 'HEAD') return answered(request, log);
      const { body: _left, lines: _lines, ...head } = await answered({ ...request, method: 'GET' }, log);
      return head;
    },
  };
}

const jsonHeaders = { 'content-type': 'application/json' };

function withHeaders(answer: Answer): Answer {
  return { ...answer, headers: { ...typeOf(answer), ...answer.headers, ...alwaysSent } };
}

function typeOf({ lines, body }: Answer): Readonly<Record<string, string>> {
  if (lines !== undefined) return { 'content-type': 'application/x-ndjson' };
  return body === undefined ? {} : jsonHeaders;
}

async function answerTo(
  routes: readonly Route[],
  authentication: Authenticator,
  request: ApiRequest,
  log: Log,
): Promise<Answer> {
  const url = new URL(request.url);
  const path = url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : url.pathname;
  const found = findRoute(routes, request.method, path);
  if (found.kind === 'route' && found.route.needs === 'anybody') {
    return work(found.route, { request, url, path: found.path, caller: nobody, log });
  }
  const keyInAddress =
    found.kind === 'route' && found.route.keyInAddress === true ? url.searchParams.get('code') : null;
  if (found.kind !== 'none' && request.method === 'OPTIONS')
    return { status: 204, headers: { allow: allowedOn(routes, path).join(', ') } };
  const known = await authentication.authenticate({
    header: request.header,
    ...(keyInAddress === null ? {} : { keyInAddress }),
  });
  const where = {
    method: request.method.slice(0, 16),
    route: found.kind === 'route' ? found.route.path : 'none',
    path: path.slice(0, 200),
  };
  const forged =
    request.header('x-ms-client-principal') !== undefined && (known.kind !== 'caller' || known.how !== 'platform');
  if (known.kind !== 'caller') {
    log.warn('access-denied', {
      ...where,
      detail: known.kind === 'anonymous' ? 'no credential' : known.detail,
      forged,
    });
    return refusal(known, authentication);
  }
  const who = { who: known.name, id: known.id, how: known.how, roles: rolesOf(known).join(' '), ...where };
  switch (found.kind) {
    case 'none':
      log.warn('access-denied', { ...who, detail: 'no such route' });
      return problem('route-unknown', 'the address leads to no route');
    case 'other-method': {
      log.warn('access-denied', { ...who, detail: 'no such method' });
      const allow = allowedOn(routes, path).join(', ');
      return problem('method-not-allowed', `the route takes ${allow}`, { headers: { allow } });
    }
    case 'route': {
      const demand = demandOf(known, placeIn(found.route, found.path), log, who);
      const denied = found.route.needs === 'anybody' ? undefined : demand(found.route.needs);
      return denied ?? work(found.route, { request, url, path: found.path, caller: known, log, demand });
    }
  }
}

/** Who is behind a route that needs nobody. */
const nobody: Caller = {
  kind: 'caller',
  id: 'anybody',
  name: 'anybody',
  how: 'key',
  person: false,
  grants: [],
  consumers: [],
};

/** What a route is about. */
function placeIn(
  { covers }: Route,
  { vault, secret }: Readonly<Record<string, string>>,
): Place | 'everywhere' | 'somewhere' {
  if (vault !== undefined && secret !== undefined) return { vault, secret };
  return covers === 'each' ? 'somewhere' : 'everywhere';
}

function refusal(known: Exclude<Authenticated, Caller>, { configured, signIn }: Authenticator): Answer {
  const headers = { 'www-authenticate': 'Bearer realm="keyturn"' };
  const where = signIn === undefined ? {} : { signIn };
  if (!configured)
    return problem('access-not-configured', 'no key and no tenant is configured, so every route is closed', {
      headers,
    });
  switch (known.kind) {
    case 'anonymous':
      return problem('not-authenticated', 'the request carries no credential', { headers, ...where });
    case 'refused':
      return problem('credential-refused', known.detail, {
        headers: { 'www-authenticate': 'Bearer realm="keyturn", error="invalid_token"' },
        ...where,
      });
    case 'unreachable':
      return problem('keys-unreachable', known.detail, { headers: { 'retry-after': '5' } });
  }
}

/** Every decision is written down, allowed or denied. */
function demandOf(
  caller: Caller,
  place: Place | 'everywhere' | 'somewhere',
  log: Log,
  who: Readonly<Record<string, string>>,
): RawCall['demand'] {
  return (role: Role, where: Place | 'everywhere' | 'somewhere' = place) => {
    if (may(caller, role, where)) {
      log.info('access-allowed', { ...who, needs: role });
      return undefined;
    }
    log.warn('access-denied', { ...who, needs: role, detail: 'the role is missing' });
    return problem(
      'role-missing',
      `this takes the role "${role}"${where === 'everywhere' ? ' without bounds' : ''}; the caller has ${rolesOf(caller).join(', ') || 'none'}`,
    );
  };
}

interface Work extends Pick<RawCall, 'caller' | 'log'> {
  readonly request: ApiRequest;
  readonly url: URL;
  readonly path: Readonly<Record<string, string>>;
  readonly demand?: RawCall['demand'];
}

async function work(
  route: Route,
  { request, url, path, caller, log, demand = () => undefined }: Work,
): Promise<Answer> {
  const read = route.method === 'GET' ? undefined : await readBody(request);
  if (read?.kind === 'problem') return read.answer;
  const idempotencyKey = route.idempotent === true ? request.header('idempotency-key') : undefined;
  if (idempotencyKey !== undefined && !/^[\x21-\x7e]{1,128}$/.test(idempotencyKey)) {
    return invalid([{ in: 'header', field: 'Idempotency-Key', detail: 'takes 1 to 128 visible characters of ASCII' }]);
  }
  const raw = {
    path,
    query: queryOf(url, route.keyInAddress === true),
    body: read?.json,
    caller,
    idempotencyKey,
    ifNoneMatch: request.header('if-none-match'),
    demand,
    sees: (where: Place) => may(caller, 'reader', where),
    log,
  };
  try {
    const answer = await route.run({ ...raw, signal: AbortSignal.timeout(answerWithinMs) });
    const seesAll = answer.body === undefined || may(caller, 'reader', 'everywhere');
    return seesAll ? answer : { ...answer, body: withoutHidden(answer.body, raw.sees) };
  } catch (error) {
    // A mistake in Keyturn. What is told of it is its kind; its message may quote anything.
    log.error('bug', {
      route: route.path,
      detail: error instanceof Error ? error.name : 'unknown',
      stack: framesOf(error),
    });
    return problem('unexpected', 'the request was not completed because of a mistake in Keyturn');
  }
}

/** A field that is given twice stays a list, which only schemas that take lists accept. */
function queryOf(url: URL, keyInAddress: boolean): Readonly<Record<string, string | string[]>> {
  const names = [...new Set(url.searchParams.keys())].filter((name) => !(keyInAddress && name === 'code'));
  return Object.fromEntries(
    names.map((name) => {
      const [first = '', ...more] = url.searchParams.getAll(name);
      return [name, more.length === 0 ? first : [first, ...more]];
    }),
  );
}
