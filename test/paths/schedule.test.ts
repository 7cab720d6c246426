/** What the timers start: the sweep finds what events missed, and the daily check finds credentials that somebody changed by hand. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../local/receivers/webhook.ts';
import { type Stage, startStage } from './stage.ts';

const signingSecret = `whsec_${Buffer.from('canary-signing-secret-of-the-shop').toString('base64')}`;
let shop: WebhookReceiver;
let stage: Stage;
beforeAll(async () => {
  shop = await startWebhookReceiver(signingSecret);
  const channels = { shop: { kind: 'webhook', url: `${shop.url}/hook`, signingSecret: 'hook-signing' } };
  stage = await startStage({
    settings: {
      KEYTURN_SWEEP_JITTER: 'PT0S',
      KEYTURN_DRIFT_JITTER: 'PT0S',
      KEYTURN_CONNECT_TIMEOUT: 'PT2S',
      KEYTURN_CHANNELS: JSON.stringify(channels),
      KEYTURN_NOTIFY: 'shop',
    },
  });
  stage.vault.put('hook-signing', { value: signingSecret });
  // No events: only the sweep may find what is due.
  await stage.azure.events.close();
});
afterEach(() => {
  stage.database.mend();
  stage.storage.mend();
  stage.vault.faults.clear();
});
afterAll(async () => {
  await stage?.close();
  await shop.close();
});

/** Starts a timer's function by hand, and waits until it has said that it is done. */
async function run(name: 'sweep' | 'drift', event: string) {
  const before = stage.lines({ event }).length;
  const { url, keys } = stage.azure.host;
  const answer = await fetch(`${url}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'x-functions-key': keys.master, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(202);
  await stage.until(`${event} of ${name}`, () => stage.lines({ event }).length > before);
  return stage.lines({ event }).at(-1);
}

async function freeze(frozen: boolean): Promise<void> {
  const answer = await fetch(`${stage.azure.host.url}/api/v1/freeze`, {
    method: 'PUT',
    headers: { 'x-keyturn-key': localApiKeys.operator, 'content-type': 'application/json' },
    body: JSON.stringify({ frozen, reason: 'a test' }),
  });
  expect(answer.status).toBe(200);
}

describe('the sweep', () => {
  it('rotates what is due and was told by no event, once however often it runs', async () => {
    await stage.plant('untold');
    await stage.plant('not-yet', { days: 80 });
    expect(await run('sweep', 'swept')).toMatchObject({ vault: 'local', managed: 2, frozen: false });
    await stage.said('rotated', 'untold');
    await stage.settled();
    await run('sweep', 'swept');
    await stage.settled();
    expect(stage.vault.versions('untold')).toHaveLength(2);
    expect(stage.vault.versions('not-yet')).toHaveLength(1);
    await stage.expectCurrentLogsIn('untold');
  });

  it('while frozen starts nothing that is due, says who froze it and why, and still ends old credentials at their deadline', async () => {
    const { url } = await stage.plant('overlapping', { tags: { overlap: 'PT2S' } });
    await run('sweep', 'swept');
    await stage.said('rotated', 'overlapping');
    await freeze(true);
    const held = await stage.plant('held');
    expect(await run('sweep', 'frozen')).toMatchObject({ level: 'warning', by: 'key:operator', reason: 'a test' });
    await stage.said('retired', 'overlapping');
    expect(await stage.accepts(url)).toBe(false);
    await stage.settled();
    await stage.expectUntouched(held);
    await freeze(false);
    await run('sweep', 'swept');
    await stage.said('rotated', 'held');
  });

  it('names a secret whose tags cannot be used, once and not at every run', async () => {
    await stage.plant('misspelt', { days: 80, tags: { strategy: 'alternate' } });
    await run('sweep', 'swept');
    await run('sweep', 'swept');
    const told = stage.storage.sent().split('POST /devstoreaccount1/notifications/messages').length - 1;
    await run('sweep', 'swept');
    expect(stage.storage.sent().split('POST /devstoreaccount1/notifications/messages').length - 1).toBe(told);
    expect(stage.lines({ event: 'swept' }).at(-1)).toMatchObject({ invalid: 1 });
  });

  it('of a vault that refuses is named with what to do, and the timer runs again', async () => {
    stage.vault.faults.add({ match: { operation: 'list' }, effect: { kind: 'status', status: 403 } });
    const failed = await run('sweep', 'sweep-failed');
    expect(failed).toMatchObject({
      vault: 'local',
      code: 'vault-forbidden',
      hint: expect.stringContaining('Key Vault Secrets Officer'),
    });
  });
});

describe('the daily check', () => {
  it('tells of a password that was changed by hand, and of no other; mended, the secret is off the list', async () => {
    const { login, url } = await stage.plant('changed', { days: 80, strategy: 'single-user' });
    await stage.plant('fine', { days: 80 });
    await stage.sql(`ALTER ROLE ${login} PASSWORD '${stage.secret('by-hand')}'`);
    await run('drift', 'checks-enqueued');
    const [line] = await stage.said('drifted', 'changed');
    expect(line).toMatchObject({
      level: 'error',
      code: 'credential-drifted',
      hint: expect.stringContaining('keyturn repair changed'),
    });
    await stage.said('checked', 'fine');
    expect(stage.lines({ event: 'drifted', secret: 'fine' })).toEqual([]);
    expect(await shown('changed')).toMatchObject({
      ...{ state: 'drifted', activity: 'check' },
      trouble: { check: { failures: 1, paused: false, last: { code: 'credential-drifted' } } },
    });
    await stage.sql(`ALTER ROLE ${login} PASSWORD '${decodeURIComponent(new URL(url).password)}'`);
    await run('drift', 'checks-enqueued');
    await stage.said('checked', 'changed');
    expect(await shown('changed')).toMatchObject({ state: 'healthy' });
    expect(await shown('changed')).not.toHaveProperty('trouble');
  });

  it('never takes a target that gives no answer for a drift', async () => {
    await stage.plant('away', { days: 80 });
    stage.database.cut();
    await run('drift', 'checks-enqueued');
    const [delayed] = await stage.said('check-delayed', 'away');
    expect(delayed).toMatchObject({ level: 'warning', code: 'target-unreachable' });
    expect(await shown('away')).toMatchObject({ state: 'retrying', activity: 'check' });
    stage.database.mend();
    await stage.said('checked', 'away');
    expect(stage.lines({ event: 'drifted', secret: 'away' })).toEqual([]);
    expect(await shown('away')).toMatchObject({ state: 'healthy' });
  });
});

async function shown(secret: string): Promise<unknown> {
  const answer = await fetch(`${stage.azure.host.url}/api/v1/vaults/local/secrets/${secret}`, {
    headers: { 'x-keyturn-key': localApiKeys.reader },
  });
  return answer.json();
}

it('keeps secret values out of everything that was written', () => stage.expectNoSecretAnywhere());
