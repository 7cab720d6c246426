/** The two services behind an application's client secrets: Microsoft Graph, which keeps them, and the token endpoint, which takes them. */

import * as z from 'zod';
import type { RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { type Answered, type Call, makeWire } from '../../shared/http/client.ts';
import { parseJson } from '../../shared/json.ts';
import { type Asked, answerFailure, describeAnswer } from '../common/answers.ts';
import { identityToken } from '../common/token.ts';
import type { EntraAppTags } from './tags.ts';

/** The least permission for applications that the app's identity owns. */
const permission = 'Application.ReadWrite.OwnedBy';

export interface Issued {
  readonly kind: 'issued';
  readonly keyId: string;
  readonly secret: SecretText;
}

/** A client secret as Graph lists it. */
export interface HeldKey {
  readonly keyId: string;
  readonly label: string;
  /** The first characters of the secret. */
  readonly hint: string | undefined;
}

export interface Held {
  readonly kind: 'held';
  readonly keys: readonly HeldKey[];
}

export type TokenOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly detail: string }
  /** The secret is known and its time is over, or the application is gone: waiting will not help. */
  | { readonly kind: 'over'; readonly detail: string }
  | { readonly kind: 'unclear'; readonly detail: string };

export interface Graph {
  /** The client secrets that the application holds, without their values. */
  list(step: Step<EntraAppTags>): Promise<Held | Failure>;
  /** Makes a client secret. Its value is in this one answer. Calling it again makes another. */
  add(step: Step<EntraAppTags>): Promise<Issued | Failure>;
  /** Removes a client secret; one that is not there is a success. */
  remove(step: Step<EntraAppTags>, keyId: string): Promise<Failure | undefined>;
  /** Asks for a token with a client secret (RFC 6749, 4.4). Changes nothing. */
  logIn(step: Step<EntraAppTags>, secret: SecretText): Promise<TokenOutcome>;
}

const heldShape = z.looseObject({
  passwordCredentials: z.array(
    z.looseObject({ keyId: z.string(), displayName: z.string().nullish(), hint: z.string().nullish() }),
  ),
});
const issuedShape = z.looseObject({ keyId: z.string().min(1), secretText: z.string().min(1) });
const errorShape = z.looseObject({ error: z.string(), error_codes: z.array(z.number()).default([]) });

/** Opens no connection. */
export function connect(environment: RotatorEnvironment): Graph {
  const { trustedCertificates, connectTimeoutMs } = environment;
  const wire = makeWire({ trustedCertificates, timeoutMs: connectTimeoutMs * 3 });
  const base = new URL(environment.cloud.graph);
  const login = new URL(environment.cloud.login);
  const scope = `${base.origin}/.default`;

  async function ask(step: Step<EntraAppTags>, call: Omit<Call, 'headers' | 'url'> & { readonly path: string }) {
    const asked = askedOf(step, base.host);
    const given = await identityToken(step, scope, { rotator: 'entra-app', target: base.host });
    if (given.kind === 'failed') return { failure: given, asked };
    const url = new URL(`/v1.0/applications(appId='${step.options.clientId}')${call.path}`, base);
    const headers = {
      authorization: `Bearer ${given.token.reveal()}`,
      accept: 'application/json',
      ...typeOf(call.body),
    };
    const { method, body } = call;
    const answer = await wire({ method, url, headers, ...(body === undefined ? {} : { body }) }, step.signal);
    return { answer, asked };
  }

  return {
    async list(step) {
      const {
        failure: failed,
        answer,
        asked,
      } = await ask(step, { method: 'GET', path: '?$select=passwordCredentials' });
      if (failed !== undefined) return failed;
      if (answer.kind !== 'answered' || answer.status !== 200) return answerFailure(asked, answer);
      const held = heldShape.safeParse(parseJson(answer.body));
      if (!held.success) return notUnderstood(asked);
      const keys = held.data.passwordCredentials.map(({ keyId, displayName, hint }) => ({
        ...{ keyId, label: displayName ?? '', hint: hint ?? undefined },
      }));
      return { kind: 'held', keys };
    },
    async add(step) {
      const body = JSON.stringify({ passwordCredential: { displayName: step.label } });
      const { failure: failed, answer, asked } = await ask(step, { method: 'POST', path: '/addPassword', body });
      if (failed !== undefined) return failed;
      if (answer.kind !== 'answered' || answer.status !== 200) return answerFailure(asked, answer);
      const issued = issuedShape.safeParse(parseJson(answer.body));
      if (!issued.success) return notUnderstood(asked);
      return { kind: 'issued', keyId: issued.data.keyId, secret: new SecretText(issued.data.secretText) };
    },
    async remove(step, keyId) {
      const body = JSON.stringify({ keyId });
      const { failure: failed, answer, asked } = await ask(step, { method: 'POST', path: '/removePassword', body });
      if (failed !== undefined) return failed;
      if (answer.kind === 'answered' && (answer.status === 204 || answer.status === 404)) return undefined;
      return answerFailure(asked, answer);
    },
    async logIn(step, secret) {
      const { tenant, clientId } = step.options;
      const form = { client_id: clientId, client_secret: secret.reveal(), grant_type: 'client_credentials', scope };
      const url = new URL(`/${tenant}/oauth2/v2.0/token`, login);
      const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams(form).toString();
      const answer = await wire({ method: 'POST', url, headers, body }, step.signal);
      if (answer.kind !== 'answered') return { kind: 'unclear', detail: answer.detail };
      return judgeToken(answer, secret);
    },
  };
}

/** AADSTS codes: 7000215 wrong secret, 7000222 expired secret, 700016 unknown application, 90002 unknown tenant. */
function judgeToken(answer: Answered, secret: SecretText): TokenOutcome {
  if (answer.status === 200) return { kind: 'accepted' };
  const detail = describeAnswer(answer, [secret]);
  const error = errorShape.safeParse(parseJson(answer.body));
  if (!error.success || (answer.status !== 400 && answer.status !== 401)) return { kind: 'unclear', detail };
  const codes = error.data.error_codes;
  if (codes.some((code) => [7000222, 700016, 90002].includes(code))) return { kind: 'over', detail };
  if (error.data.error === 'invalid_client') return { kind: 'refused', detail };
  return { kind: 'unclear', detail };
}

function askedOf(step: Step<EntraAppTags>, target: string): Asked {
  return { secret: step.secret, target, admin: 'managed-identity', permission, secrets: [step.current.password] };
}

function typeOf(body: string | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' };
}

function notUnderstood({ secret, target }: Asked): Failure {
  return failure('target-refused', { secret, target, detail: 'the answer is not in the form of Microsoft Graph v1.0' });
}
