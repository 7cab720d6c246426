/** Client secrets of Entra applications: Graph issues one beside the old, a token request proves it, Graph removes the old one. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, RetireOutcome, Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { twinOfIssuer } from '../common/twin.ts';
import { check } from './check.ts';
import { connect, type Graph, type HeldKey } from './connect.ts';
import type { EntraAppTags } from './tags.ts';
import { verify } from './verify.ts';
import { unproven, whose } from './whose.ts';

/** Every method may be called again; a repeated `apply` removes what the one before made. */
export function makeEntraAppRotator(environment: RotatorEnvironment): Rotator<EntraAppTags> {
  const graph = connect(environment);
  return {
    propose(step, current) {
      if (step.admin.kind !== 'identity') {
        const detail = 'entra-app issues secrets as the app itself: set the tag to managed-identity';
        return failure('tag-invalid', { secret: step.secret, problems: [{ tag: 'admin', detail }] });
      }
      const { keyId: _old, ...rest } = current;
      return { ...rest, password: new SecretText('') };
    },
    apply: (step, candidate) => (candidate.password.isEmpty ? apply(graph, step) : keep(graph, step, candidate)),
    verify: (step, credential) => verify(graph, step, credential),
    inUse: async () => ({
      kind: 'unknown',
      detail: 'tokens are not sessions, and Entra does not say which secret got them',
    }),
    retire: (step, previous) => retire(graph, step, previous),
    check: (step) => check(graph, step),
    rehearsal: { twinStep: twinOfIssuer, discard: (step) => discard(graph, step) },
  };
}

async function apply(graph: Graph, step: Step<EntraAppTags>): Promise<ApplyOutcome> {
  const held = await graph.list(step);
  if (held.kind === 'failed') return held;
  const strange = await ofAnother(graph, step, held.keys);
  if (strange !== undefined) return strange;
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

/** What bears the label of a rehearsal was made by one. The published secret is left alone, whatever label it bears. */
async function discard(graph: Graph, step: Step<EntraAppTags>): Promise<{ readonly kind: 'discarded' } | Failure> {
  const held = await graph.list(step);
  if (held.kind === 'failed') return held;
  for (const key of held.keys) {
    if (key.label !== step.label || key.keyId === step.current.keyId) continue;
    const failed = await graph.remove(step, key.keyId);
    if (failed !== undefined) return failed;
  }
  return { kind: 'discarded' };
}

/**
 * The tag alone names the application, and the app's identity may own many: a secret is added only where the published one gets a token, or
 * where one is held that was made for this vault secret. So also when a person forces it.
 */
async function ofAnother(
  graph: Graph,
  step: Step<EntraAppTags>,
  held: readonly HeldKey[],
): Promise<Failure | undefined> {
  if (held.some(({ label }) => label.startsWith(step.labelPrefix))) return undefined;
  const login = await graph.logIn(step, step.current.password);
  const claimed = step.current.keyId ?? 'the published secret';
  if (login.kind === 'accepted') return undefined;
  if (login.kind === 'unclear')
    return failure('target-unreachable', { secret: step.secret, target: step.options.clientId, detail: login.detail });
  return unproven(step, { claimed, detail: `it gets no token as this application: ${login.detail}` });
}

/** A secret that was issued before is not issued again: tokens are given for it or they are not. */
async function keep(graph: Graph, step: Step<EntraAppTags>, candidate: Credential): Promise<ApplyOutcome> {
  const outcome = await verify(graph, step, candidate);
  if (outcome.kind === 'accepted') return { kind: 'applied', credential: candidate };
  if (outcome.kind === 'failed') return outcome;
  const target = `application ${step.options.clientId}`;
  const login = candidate.keyId ?? 'the secret';
  if (outcome.kind === 'unreachable')
    return failure('target-unreachable', { secret: step.secret, target, detail: outcome.detail });
  const detail = outcome.kind === 'refused' ? outcome.detail : outcome.missing.join(', ');
  return failure('candidate-refused', { secret: step.secret, target, login, detail });
}

async function retire(graph: Graph, step: Step<EntraAppTags>, previous: Credential): Promise<RetireOutcome> {
  const claimed = previous.keyId ?? step.options.keyId;
  const held = await graph.list(step);
  if (held.kind === 'failed') return held;
  const { current } = step;
  if (previous.password.equals(current.password) || (claimed !== undefined && claimed === current.keyId))
    return published(step, claimed);
  const found = await whose(graph, step, previous, held.keys);
  switch (found.kind) {
    case 'failed':
      return found;
    case 'gone':
      return { kind: 'retired', sessionsEnded: 0 };
    case 'unproven':
      return claimed === undefined ? withoutId(step) : unproven(step, { claimed, detail: found.detail });
    case 'own':
      break;
  }
  if (found.keyId === current.keyId) return published(step, found.keyId);
  // Graph answers 400 for a key id that the application does not hold; this one was listed.
  const failed = await graph.remove(step, found.keyId);
  return failed ?? { kind: 'retired', sessionsEnded: 0 };
}

function withoutId({ secret, options }: Step<EntraAppTags>): Failure {
  const detail = 'its key id is not known, so it cannot be removed';
  return failure('retire-refused', {
    secret,
    target: `application ${options.clientId}`,
    login: 'the old secret',
    detail,
  });
}

function published({ secret, options }: Step<EntraAppTags>, keyId: string | undefined): Failure {
  const target = `application ${options.clientId}`;
  const detail = 'it is the published secret, which is never removed here';
  return failure('retire-refused', { secret, target, login: keyId ?? 'the old secret', detail });
}
