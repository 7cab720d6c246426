/** One fault table for all providers: what a named fault of the other side comes to, and that the next attempt ends well. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../../local/providers/server.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { ApplyOutcome } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { answerLimitBytes } from '../../../shared/http/client.ts';
import { findSecrets } from '../../canary.ts';
import { azureSubject, entraSubject, type Subject, saasSubject } from './subjects.ts';

const subjects: Readonly<Record<string, () => Promise<Subject>>> = {
  'azure storage': () => azureSubject(150),
  'entra-app': () => entraSubject(150),
  sendgrid: () => saasSubject('sendgrid', 150),
  twilio: () => saasSubject('twilio', 150),
  confluent: () => saasSubject('confluent', 150),
  'new-relic': () => saasSubject('new-relic', 150),
};

interface Case {
  readonly fault: Omit<Fault, 'on'>;
  readonly at: 'makes' | 'reads';
  readonly expected: Readonly<Record<string, unknown>>;
}

const canary = 'canary-7f3a9c2e51d84b06';
const echo = { error: { code: 'Broken', message: `your key was ${canary}`, detail: canary }, api_key: canary };

const faults: Readonly<Record<string, Case>> = {
  '500 before anything happened': {
    fault: { when: 'before', how: { status: 500, body: echo } },
    at: 'makes',
    expected: { code: 'target-busy', class: 'retry' },
  },
  '500 after the key was made': {
    fault: { when: 'after', how: { status: 500, body: echo } },
    at: 'makes',
    expected: { code: 'target-busy', class: 'retry' },
  },
  'a connection cut before anything happened': {
    fault: { when: 'before', how: 'cut' },
    at: 'makes',
    expected: { code: 'target-unreachable', class: 'retry' },
  },
  'a connection cut after the key was made': {
    fault: { when: 'after', how: 'cut' },
    at: 'makes',
    expected: { code: 'target-unreachable', class: 'retry' },
  },
  'no answer in time after the key was made': {
    fault: { when: 'after', how: 'silent' },
    at: 'makes',
    expected: { code: 'target-unreachable', class: 'retry' },
  },
  '429 with Retry-After': {
    fault: { when: 'before', how: { status: 429, headers: { 'retry-after': '7' }, body: echo } },
    at: 'makes',
    expected: { code: 'target-busy', class: 'retry', retryAfterSeconds: 7 },
  },
  '401': {
    fault: { when: 'before', how: { status: 401, body: echo } },
    at: 'makes',
    expected: { code: 'admin-refused', class: 'blocked' },
  },
  '403': {
    fault: { when: 'before', how: { status: 403, body: echo } },
    at: 'makes',
    expected: { code: 'permission-missing', class: 'blocked' },
  },
  'an answer that is too large': {
    fault: { when: 'after', how: { status: 200, body: canary.repeat(answerLimitBytes / 20) } },
    at: 'reads',
    expected: { code: 'target-refused', class: 'blocked' },
  },
  'a redirect to another host': {
    fault: { when: 'before', how: { status: 307, headers: { location: 'http://127.0.0.1:9/' }, body: echo } },
    at: 'makes',
    expected: { code: 'target-refused', class: 'blocked' },
  },
  'an answer that is not JSON': {
    fault: { when: 'after', how: { status: 200, body: `<html>${canary}` } },
    at: 'reads',
    expected: { code: 'target-refused', class: 'blocked' },
  },
  'an answer of another shape': {
    fault: { when: 'after', how: { status: 200, body: [echo] } },
    at: 'reads',
    expected: { code: 'target-refused', class: 'blocked' },
  },
};

let subject: Subject | undefined;
afterEach(() => subject?.close());

async function apply(one: Subject): Promise<ApplyOutcome> {
  const candidate: Credential = { ...one.current, password: new SecretText('') };
  return one.rotator.apply(one.step(), candidate, one.current);
}

describe.each(Object.entries(subjects))('%s', (_name, start) => {
  it.each(Object.entries(faults))(
    'meets %s, and the next attempt leaves one new key',
    async (_fault, { fault, at, expected }) => {
      const one = await start();
      subject = one;
      const before = one.count();
      one.server.fail({ ...fault, on: one[at] });
      const first = await apply(one);
      expect(first).toMatchObject({ kind: 'failed', ...expected });
      expect(one.login(one.current)).toBe(true);
      expect(findSecrets([first, one.server.requests], [...one.secrets(), canary])).toEqual([]);

      one.server.heal();
      const second = await apply(one);
      if (second.kind !== 'applied') throw new Error(second.message);
      expect(one.login(second.credential)).toBe(true);
      expect(one.login(one.current)).toBe(true);
      // Two slots stay two; issued keys are the published one and the new one, whatever was left behind before.
      expect(one.count()).toBe(Math.max(before, 2));
      expect(await one.rotator.verify(one.step(), second.credential)).toEqual({ kind: 'accepted' });
      expect(findSecrets([second.credential, one.server.requests], one.secrets())).toEqual([]);
    },
  );

  it('takes no network failure for a verdict on a key', async () => {
    const one = await start();
    subject = one;
    for (const how of ['cut', 'silent'] as const) {
      one.server.fail({ when: 'before', how, times: 10 });
      const outcome = await one.rotator.verify(one.step(), one.current);
      expect(outcome).toMatchObject({ kind: 'unreachable', detail: expect.stringMatching(/\S/) });
      expect(findSecrets(outcome, one.secrets())).toEqual([]);
      one.server.heal();
    }
  });

  it('never revokes the published key, even when told to', async () => {
    const one = await start();
    subject = one;
    const outcome = await one.rotator.retire(one.step(), one.current);
    expect(outcome).toMatchObject({ kind: 'failed', class: 'blocked' });
    expect(one.login(one.current)).toBe(true);
  });
});
