/** Client secrets of Entra applications: Graph issues one beside the old, a token request proves it, Graph removes the old one. */
import type { Credential } from '../../../shared/contract/credential.ts';
import type {
  ApplyOutcome,
  Check,
  RetireOutcome,
  Rotator,
  RotatorEnvironment,
  Step,
  VerifyOutcome,
} from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../../shared/errors.ts';
import { startWaiting } from '../patience.ts';
import { makeWire } from '../wire.ts';
import { type Graph, makeGraph, type TokenOutcome } from './graph.ts';
import type { EntraAppOptions } from './options.ts';

/** A new secret takes seconds to minutes to be known to every front end of the token service, without a promise. */
const propagation = { intervalMs: 3_000, deadlineMs: 150_000 };

/** Successes in a row, on connections of their own, before a new secret counts as known everywhere. */
const successesWanted = 3;
const betweenSuccessesMs = 200;

/** Every method may be called again; a repeated `apply` removes what the one before made. */
export function makeEntraAppRotator(environment: RotatorEnvironment): Rotator<EntraAppOptions> {
  const { trustedCertificates, connectTimeoutMs } = environment;
  const graph = makeGraph(environment, makeWire({ trustedCertificates, timeoutMs: connectTimeoutMs * 3 }));
  return {
    propose(step, current) {
      if (step.admin.kind !== 'identity') {
        const detail = 'provider "entra-app" issues secrets as the app itself: set the tag to managed-identity';
        return failure('tag-invalid', { secret: step.secret, problems: [{ tag: 'admin', detail }] });
      }
      const { keyId: _old, ...rest } = current;
      return { ...rest, password: new SecretText('') };
    },
    apply: (step) => apply(graph, step),
    verify: (step, credential) => verify(graph, step, credential),
    inUse: async () => ({
      kind: 'unknown',
      detail: 'tokens are not sessions, and Entra does not say which secret got them',
    }),
    retire: (step, previous) => retire(graph, step, previous),
    check: (step) => check(graph, step),
  };
}

async function apply(graph: Graph, step: Step<EntraAppOptions>): Promise<ApplyOutcome> {
  const held = await graph.list(step);
  if (held.kind === 'failed') return held;
  // The value of a secret is told once. What bears this rotation's label and is not published has lost its value.
  for (const key of held.keys) {
    if (key.label !== step.label || key.keyId === step.current.keyId) continue;
    const failed = await graph.remove(step, key.keyId);
    if (failed !== undefined) return failed;
  }
  if (step.signal.aborted || step.remainingMs() <= 0)
    return failure('lease-lost', { secret: step.secret, step: 'addPassword' });
  const issued = await graph.add(step);
  if (issued.kind === 'failed') return issued;
  const { keyId: _old, ...rest } = step.current;
  return { kind: 'applied', credential: { ...rest, password: issued.secret, keyId: issued.keyId } };
}

/**
 * Which answer to wait for is settled by what Graph holds: a secret that it lists will be taken everywhere, one that it does not list
 * will be refused everywhere. The published secret is asked about once.
 */
async function verify(graph: Graph, step: Step<EntraAppOptions>, credential: Credential): Promise<VerifyOutcome> {
  if (credential.password.isEmpty) return { kind: 'refused', detail: 'no secret has been issued yet' };
  const { current } = step;
  const isPublished = credential.password.equals(current.password);
  // Only a secret that was there before Keyturn has no stamp, and the tag "key-id" is about that one.
  const keyId = credential.keyId ?? step.options.keyId;
  if (keyId === undefined || isPublished || keyId === current.keyId)
    return once(await graph.logIn(step, credential.password));
  const held = await graph.list(step);
  if (held.kind === 'failed')
    return held.code === 'target-unreachable' ? { kind: 'unreachable', detail: held.message } : held;
  const listed = held.keys.some((key) => key.keyId === keyId);
  return listed ? proveAccepted(graph, step, credential.password) : proveRefused(graph, step, credential.password);
}

async function proveAccepted(graph: Graph, step: Step<EntraAppOptions>, secret: SecretText): Promise<VerifyOutcome> {
  const waiting = startWaiting(step, propagation);
  let streak = 0;
  for (;;) {
    const outcome = await graph.logIn(step, secret);
    if (outcome.kind === 'unclear' || outcome.kind === 'over') return once(outcome);
    streak = outcome.kind === 'accepted' ? streak + 1 : 0;
    if (streak >= successesWanted) return { kind: 'accepted' };
    if (await waiting.again(streak > 0 ? betweenSuccessesMs : undefined)) continue;
    // Issuing another secret would only start the wait anew, so this one is kept and asked about again.
    const detail = 'the new client secret is not known everywhere yet';
    return failure('target-busy', { secret: step.secret, target: step.options.clientId, detail });
  }
}

async function proveRefused(graph: Graph, step: Step<EntraAppOptions>, secret: SecretText): Promise<VerifyOutcome> {
  const waiting = startWaiting(step, propagation);
  for (;;) {
    const outcome = once(await graph.logIn(step, secret));
    if (outcome.kind !== 'accepted' || !(await waiting.again())) return outcome;
  }
}

function once(outcome: TokenOutcome): VerifyOutcome {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'accepted' };
    case 'refused':
    case 'over':
      return { kind: 'refused', detail: outcome.detail };
    case 'unclear':
      return { kind: 'unreachable', detail: outcome.detail };
  }
}

async function retire(graph: Graph, step: Step<EntraAppOptions>, previous: Credential): Promise<RetireOutcome> {
  const keyId = previous.keyId ?? step.options.keyId;
  const names = {
    secret: step.secret,
    target: `application ${step.options.clientId}`,
    login: keyId ?? 'the old secret',
  };
  // Graph answers 400 for a key id that the application does not hold, so the listing decides what there is to remove.
  const held = await graph.list(step);
  if (held.kind === 'failed') return held;
  if (previous.password.equals(step.current.password) || (keyId !== undefined && keyId === step.current.keyId)) {
    return failure('retire-refused', { ...names, detail: 'it is the published secret, which is never removed here' });
  }
  if (keyId === undefined) return withoutId(graph, step, previous, names);
  const isHeld = held.keys.some((key) => key.keyId === keyId);
  const failed = isHeld ? await graph.remove(step, keyId) : undefined;
  return failed ?? { kind: 'retired', sessionsEnded: 0 };
}

/** An old secret whose key id nobody knows is done with only if no token is given for it already. */
async function withoutId(
  graph: Graph,
  step: Step<EntraAppOptions>,
  previous: Credential,
  names: { readonly secret: string; readonly target: string; readonly login: string },
): Promise<RetireOutcome> {
  const outcome = await graph.logIn(step, previous.password);
  if (outcome.kind === 'refused' || outcome.kind === 'over') return { kind: 'retired', sessionsEnded: 0 };
  if (outcome.kind === 'unclear') return failure('target-unreachable', { ...names, detail: outcome.detail });
  return failure('retire-refused', { ...names, detail: 'its key id is not known, so it cannot be removed' });
}

async function check(graph: Graph, step: Step<EntraAppOptions>): Promise<readonly Check[]> {
  const held = await graph.list(step);
  if (held.kind === 'failed') return [failed('application', held)];
  const checks: Check[] = [
    {
      name: 'application',
      state: 'passed',
      detail: `${step.options.clientId} holds ${held.keys.length} client secrets`,
    },
  ];
  const login = await graph.logIn(step, step.current.password);
  if (login.kind === 'accepted')
    checks.push({ name: 'current', state: 'passed', detail: 'the published secret gets a token' });
  else
    checks.push({
      name: 'current',
      state: 'failed',
      detail: login.detail,
      fix: `Store a client secret that gets a token as ${step.secret}.`,
    });
  const keyId = step.current.keyId ?? step.options.keyId;
  const known = held.keys.some((key) => key.keyId === keyId);
  checks.push({
    name: 'id',
    state: known ? 'passed' : 'unknown',
    detail: known
      ? 'the key id of the published secret is known'
      : 'the key id of the published secret is not known: set the tag "key-id", or remove it by hand after the first rotation',
  });
  // Reading an application needs less than changing it; Graph has no way to ask without changing.
  checks.push({ name: 'right', state: 'unknown', detail: 'whether secrets may be added shows at the first rotation' });
  return checks;
}

function failed(name: string, { message, hint }: Failure): Check {
  return { name, state: 'failed', detail: message, fix: hint };
}
