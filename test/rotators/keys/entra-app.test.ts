import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GraphApplication, type GraphStandIn, startGraph } from '../../../local/providers/graph.ts';
import { entraApp } from '../../../rotators/entra-app/entry.ts';
import { type EntraAppTags, entraAppTags } from '../../../rotators/entra-app/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Rotator, Step } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { makeStep, type StepExtras } from '../../conformance/step.ts';

let graph: GraphStandIn;
let application: GraphApplication;
let rotator: Rotator<EntraAppTags>;
let current: Credential;

beforeEach(async () => {
  graph = await startGraph();
  application = graph.addApplication();
  const { keyId, secretText } = application.issue('made by hand');
  current = { password: new SecretText(secretText), keyId };
  rotator = await entraApp.load({
    trustedCertificates: [],
    connectTimeoutMs: 1_000,
    getToken: async () => new SecretText('unused'),
    allowedHosts: [],
    cloud: { resourceManager: 'https://arm.test', graph: graph.url, login: graph.url },
  });
});
afterEach(() => graph.close());

const nowhere = { host: '', options: {} };

function step(now: Credential, tags: object = {}, extras: StepExtras = {}): Step<EntraAppTags> {
  const getToken = async () => new SecretText(graph.token);
  const options = entraAppTags.parse({
    resource: `${application.tenant}/${application.clientId}`,
    ...tags,
  });
  const admin = { kind: 'identity', username: '', getToken } as const;
  return makeStep('issue-revoke', { current: now, endpoint: nowhere, adminEndpoint: nowhere, admin, options }, extras);
}

async function issued(): Promise<Credential> {
  const outcome = await rotator.apply(step(current), { password: new SecretText('') }, current);
  if (outcome.kind !== 'applied') throw new Error(outcome.message);
  return outcome.credential;
}

const tokenRequests = () => graph.requests.filter(({ path }) => path.endsWith('/token')).map(({ status }) => status);

it('a new secret counts only after three tokens in a row', async () => {
  const next = await issued();
  expect(await rotator.verify(step(current), next)).toEqual({ kind: 'accepted' });
  expect(tokenRequests().slice(1), 'after the published one was asked about').toEqual([200, 200, 200]);
});

it('a new secret that is not known yet is waited for', async () => {
  application.lag(1);
  const next = await issued();
  expect(await rotator.verify(step(current), next)).toEqual({ kind: 'accepted' });
  expect(tokenRequests().slice(1), 'after the published one was asked about').toEqual([401, 200, 200, 200]);
});

it('a new secret that is not known when time is up is kept for the next attempt, never called refused', async () => {
  application.lag(1);
  const next = await issued();
  const hurried = step(current, {}, { remainingMs: () => 4_000 });
  expect(await rotator.verify(hurried, next)).toMatchObject({ code: 'target-busy', class: 'retry' });
  expect(await rotator.verify(step(current), next)).toEqual({ kind: 'accepted' });
});

it('a published secret that gets no token is refused at once', async () => {
  const gone = { password: new SecretText('gone'), keyId: current.keyId ?? '' };
  expect(await rotator.verify(step(gone), gone)).toMatchObject({
    kind: 'refused',
    detail: expect.stringContaining('7000215'),
  });
  expect(tokenRequests()).toEqual([401]);
});

it('an unknown directory is refused without waiting', async () => {
  const next = await issued();
  const elsewhere = step(current, { resource: `${application.clientId}/${application.clientId}` });
  expect(await rotator.verify(elsewhere, next)).toMatchObject({
    kind: 'refused',
    detail: expect.stringContaining('90002'),
  });
});

describe('a secret that was there before Keyturn', () => {
  it('is told from the others by how it begins, and removed without a key id', async () => {
    const unstamped = { password: current.password };
    const next = await issued();
    expect(await rotator.retire(step(next), unstamped)).toMatchObject({ kind: 'retired' });
    expect(application.login(current.password.reveal())).toBe(false);
    expect(application.login(next.password.reveal())).toBe(true);
  });

  it('that begins like another is not removed by the tag "key-id", unless its name says whose it is', async () => {
    for (const [name, removed] of [
      ['made by hand', false],
      ['keyturn-label-by-hand', true],
    ] as const) {
      const [own, other] = [application.issue(name, 'same'), application.issue('of another team', 'same')];
      const next = await issued();
      const unstamped = { password: new SecretText(own.secretText) };
      expect(await rotator.retire(step(next), unstamped)).toMatchObject({ code: 'retire-refused' });
      const told = await rotator.retire(step(next, { 'key-id': own.keyId }), unstamped);
      expect(told).toMatchObject(removed ? { kind: 'retired' } : { code: 'key-unproven' });
      expect(application.login(own.secretText)).toBe(!removed);
      expect(application.login(other.secretText)).toBe(true);
    }
  });

  it('that gets no token any more is done with', async () => {
    const next = await issued();
    const dead = { password: new SecretText('dead already') };
    expect(await rotator.retire(step(next), dead)).toMatchObject({ kind: 'retired' });
  });
});

it('bears the label of its rotation, and the next attempt removes what was left behind but nothing else', async () => {
  const first = await issued();
  const byOthers = application.issue('somebody else’s');
  const second = await issued();
  const labels = [...application.secrets.values()].map((one) => one.displayName);
  expect(labels).toEqual(['made by hand', 'somebody else’s', 'keyturn-label-of-a-test']);
  expect(application.secrets.has(byOthers.keyId)).toBe(true);
  expect(application.secrets.has(first.keyId ?? '')).toBe(false);
  expect(application.secrets.has(second.keyId ?? '')).toBe(true);
});
