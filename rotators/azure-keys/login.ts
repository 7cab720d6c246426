/** One login per service that has a cheap one. Hosts come from Azure Resource Manager's answer, never from the secret's value. */

import type { Answer } from '../../shared/http/client.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { describeAnswer } from '../common/answers.ts';
import type { LoginAt, LoginOutcome } from './login-outcome.ts';
import { textOf } from './properties.ts';
import { pingRedis } from './redis-ping.ts';
import { type Signed, signAppConfiguration, signCosmos, signServiceBus, signSharedKey } from './sign.ts';
import type { LoginName } from './table.ts';

type Login = (at: LoginAt) => Promise<LoginOutcome>;

/** Where the service listens, what to ask, and which answers say that the key is wrong. */
interface Probe {
  readonly signed: Signed;
  readonly refusedBy: (answer: { readonly status: number; readonly body: string }) => boolean;
}

const unauthorised: Probe['refusedBy'] = ({ status }) => status === 401;

// Signatures carry the sender's time: services refuse those that are more than fifteen minutes off.
const httpDate = (): string => new Date().toUTCString();

const logins: Readonly<Record<LoginName, Login>> = {
  none: async () => ({ kind: 'none' }),
  storage: byHttp(({ step, view, credential }) => {
    const endpoints = view.self['primaryEndpoints'];
    const blob =
      typeof endpoints === 'object' && endpoints !== null && 'blob' in endpoints ? endpoints.blob : undefined;
    const url = address(typeof blob === 'string' ? blob : undefined, '?comp=list&maxresults=1');
    if (url === undefined) return undefined;
    const headers = { 'x-ms-date': httpDate(), 'x-ms-version': '2021-08-06' };
    const signed = signSharedKey(url, step.options.name, credential.password.reveal(), headers);
    // A firewall answers 403 too, with the code AuthorizationFailure: that is no evidence about the key.
    return { signed, refusedBy: ({ status, body }) => status === 403 && body.includes('<Code>AuthenticationFailed<') };
  }),
  cosmos: byHttp(({ view, credential }) => {
    const url = address(textOf(view.self, 'documentEndpoint'), '');
    if (url === undefined) return undefined;
    return { signed: signCosmos(url, credential.password.reveal(), httpDate()), refusedBy: unauthorised };
  }),
  redis: (at) => pingRedis(at, textOf(at.view.self, 'hostName'), at.view.self['sslPort']),
  'redis-enterprise': (at) => pingRedis(at, textOf(at.view.owner, 'hostName'), at.view.self['port']),
  'service-bus': byHttp((at) => managementProbe(at, '/$Resources/queues?api-version=2017-04&$skip=0&$top=1')),
  'event-hubs': byHttp((at) => managementProbe(at, '/$Resources/eventhubs?api-version=2014-01&$skip=0&$top=1')),
  openai: byHttp(({ view, credential }) => {
    // Other kinds of Cognitive Services have no call in common; their keys are proven by the listing.
    if (view.variety !== 'OpenAI' && view.variety !== 'AIServices') return undefined;
    const url = address(textOf(view.self, 'endpoint'), 'openai/models?api-version=2024-10-21');
    if (url === undefined) return undefined;
    return { signed: { url, headers: { 'api-key': credential.password.reveal() } }, refusedBy: unauthorised };
  }),
  search: byHttp(({ view, credential }) => {
    const url = address(textOf(view.self, 'endpoint'), 'servicestats?api-version=2024-07-01');
    if (url === undefined) return undefined;
    const signed = { url, headers: { 'api-key': credential.password.reveal() } };
    return { signed, refusedBy: ({ status }) => status === 401 || status === 403 };
  }),
  'container-registry': byHttp(({ view, step, credential }) => {
    const host = textOf(view.self, 'loginServer');
    const url = address(baseOf(host), 'v2/');
    if (url === undefined) return undefined;
    const pair = `${credential.username ?? step.options.name}:${credential.password.reveal()}`;
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    return { signed: { url, headers: { authorization } }, refusedBy: unauthorised };
  }),
  batch: byHttp(({ view, step, credential }) => {
    const host = textOf(view.self, 'accountEndpoint');
    const url = address(baseOf(host), 'applications?api-version=2024-07-01.20.0&maxresults=1');
    if (url === undefined) return undefined;
    const signed = signSharedKey(url, step.options.name, credential.password.reveal(), { 'ocp-date': httpDate() });
    return {
      signed,
      refusedBy: ({ status, body }) => status === 401 || (status === 403 && /AuthenticationFailed/.test(body)),
    };
  }),
  'app-configuration': byHttp(({ view, credential }) => {
    const url = address(textOf(view.self, 'endpoint'), '/keys?api-version=1.0');
    if (url === undefined || credential.username === undefined) return undefined;
    const signed = signAppConfiguration(url, credential.username, credential.password.reveal(), httpDate());
    return { signed, refusedBy: unauthorised };
  }),
};

/** Tries the key at the service itself. Changes nothing. */
export function logIn(name: LoginName, at: LoginAt): Promise<LoginOutcome> {
  return logins[name](at);
}

// Only a rule of the whole namespace with the right Manage may read; the keys of all others are proven by the listing.
function managementProbe({ view, step, credential }: LoginAt, path: string): Probe | undefined {
  const rights = view.self['rights'];
  const ofNamespace = /\/namespaces\/[^/]+\/authorizationRules\/[^/]+$/i.test(step.options.resource);
  if (!ofNamespace || !Array.isArray(rights) || !rights.includes('Manage')) return undefined;
  const url = address(textOf(view.owner, 'serviceBusEndpoint'), path);
  if (url === undefined) return undefined;
  const expiresAt = Math.floor(Date.now() / 1000) + 300;
  const signed = signServiceBus(url, step.options.name, credential.password.reveal(), expiresAt);
  return { signed, refusedBy: unauthorised };
}

/** Some resources name their host alone. Plain HTTP is for loopback. */
function baseOf(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  return `${isLoopback(host.split(':')[0] ?? '') ? 'http' : 'https'}://${host}`;
}

function address(base: string | undefined, path: string): URL | undefined {
  return base === undefined ? undefined : (URL.parse(path, base) ?? undefined);
}

function byHttp(probeFor: (at: LoginAt) => Probe | undefined): Login {
  return async (at) => {
    const probe = probeFor(at);
    if (probe === undefined) return { kind: 'none' };
    const answer = await at.azure.wire({ method: 'GET', ...probe.signed }, at.step.signal);
    return judge(answer, probe, at);
  };
}

function judge(answer: Answer, probe: Probe, at: LoginAt): LoginOutcome {
  if (answer.kind !== 'answered') return { kind: 'unclear', detail: answer.detail };
  if (answer.status === 200) return { kind: 'accepted' };
  const detail = `${probe.signed.url.host}: ${describeAnswer(answer, [at.credential.password])}`;
  return probe.refusedBy(answer) ? { kind: 'refused', detail } : { kind: 'unclear', detail };
}
