/** Bad input: named with the reason and the next step, with target and vault untouched. */

import { setTimeout } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { adminSecret, type Planted, type SecretOptions, type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

/** The one error line of a secret. */
async function refusedLine({ name }: Planted) {
  const [line] = await stage.said('rotation-failed', name);
  expect(line?.level).toBe('error');
  expect(line?.['detail']).toContain(name);
  expect(line?.['page']).toBe(`docs/errors/${line?.['code']}.md`);
  expect(line?.['hint']).not.toBe('');
  return line;
}

/** No function waits for a poison queue: the next sweep after the last delivery names what is in it. */
async function namedBySweep(count: number): Promise<void> {
  await stage.until('the poison', async () => {
    await stage.sweep();
    return stage.lines({ event: 'message-poisoned' }).length >= count;
  });
}

describe('a message that somebody else put into a queue', () => {
  const queueOf = (name: string) =>
    QueueServiceClient.fromConnectionString(stage.storage.connectionString).getQueueClient(name);
  beforeAll(() => stage.until('the queue', () => queueOf(queueNames.rotations).exists()));

  test.each(['not base64!', 'bm8gSlNPTg==', Buffer.from([0xff, 0xfe]).toString('base64')])(
    'and that is neither JSON nor base64 of JSON is named to people: %s',
    async (text) => {
      const before = stage.lines({ event: 'message-poisoned' }).length;
      await queueOf(queueNames.rotations).sendMessage(text);
      await namedBySweep(before + 1);
      const poisoned = stage.lines({ event: 'message-poisoned' }).at(-1);
      expect(poisoned).toMatchObject({ level: 'error', queue: queueNames.rotations });
      const words = `a message of the queue ${queueNames.rotations} is neither JSON nor base64 of JSON`;
      expect(stage.azure.host.logs().some(({ level, message }) => level === 'error' && message.includes(words))).toBe(
        true,
      );
      await stage.settled();
    },
  );

  test('is taken as JSON and as base64 of it', async () => {
    for (const [at, encode] of [String, (text: string) => Buffer.from(text).toString('base64')].entries()) {
      const { name } = await stage.plant(`put-by-hand-${'ab'[at]}`, { days: 80 });
      const request = {
        vault: 'local',
        secret: name,
        mode: 'asked',
        requestedBy: 'jane',
        rotationId: `${at}`.repeat(32),
      };
      await queueOf(queueNames.rotations).sendMessage(encode(JSON.stringify(request)));
      await stage.said('rotated', name);
    }
  });
});

describe('an event that is none', () => {
  const vaultName = 'local';
  const good = { VaultName: vaultName, ObjectType: 'Secret', ObjectName: 'not-there', Version: 'a'.repeat(32) };
  const type = 'Microsoft.KeyVault.SecretNearExpiry';
  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['without data', { id: '1', eventType: type }, /data/],
    ['with data that is a text', { id: '1', eventType: type, data: 'Secret' }, /data/],
    ['with data that is a list', { id: '1', eventType: type, data: [good] }, /data/],
    ['with data that is nothing', { id: '1', eventType: type, data: null }, /data/],
    ['without a vault', { id: '1', eventType: type, data: { ...good, VaultName: undefined } }, /VaultName/],
    ['with a vault of blanks', { id: '1', eventType: type, data: { ...good, VaultName: '  ' } }, /VaultName/],
    ['with a vault that is a number', { id: '1', eventType: type, data: { ...good, VaultName: 7 } }, /VaultName/],
    ['of a vault that is not ours', { id: '1', eventType: type, data: { ...good, VaultName: 'other' } }, /other/],
    ['without a name', { id: '1', eventType: type, data: { ...good, ObjectName: undefined } }, /ObjectName/],
    ['with a name no secret has', { id: '1', eventType: type, data: { ...good, ObjectName: '../x' } }, /1 to 127/],
    ['with a name too long', { id: '1', eventType: type, data: { ...good, ObjectName: 'n'.repeat(128) } }, /1 to 127/],
    ['without a version', { id: '1', eventType: type, data: { ...good, Version: undefined } }, /Version/],
    ['with a version that is none', { id: '1', eventType: type, data: { ...good, Version: 'latest' } }, /32 hex/],
    ['with a version that is a list', { id: '1', eventType: type, data: { ...good, Version: ['a'] } }, /Version/],
    ['of no type', { id: '1', data: good }, /unknown event type/],
    ['of a type that is a number', { id: '1', type: 3, data: good }, /type/],
    ['of another type', { id: '1', type: 'Microsoft.KeyVault.VaultAccessPolicyChanged', data: good }, /unknown event/],
    ['that is a text', 'rotate everything', /not a Key Vault secret event/],
    ['that is a number', 42, /not a Key Vault secret event/],
    ['that is a list', [[1, 2]], /not a Key Vault secret event/],
    ['that is nothing', null, /not a Key Vault secret event/],
  ];

  /** Sent as Event Grid sends it, past the delivery's own filter of types. */
  async function post(event: unknown): Promise<Response> {
    return fetch(stage.azure.host.eventGridUrl('onSecretEvent'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'aeg-event-type': 'Notification' },
      body: JSON.stringify([event]),
    });
  }

  /** Calls of the vault once nothing looks at the versions that were put before. */
  async function settledCalls(): Promise<number> {
    for (let before = -1; before !== stage.vault.calls.total; await setTimeout(500)) before = stage.vault.calls.total;
    return stage.vault.calls.total;
  }

  test.each(bad)(
    '%s: named in an error at once and again by the sweep, and never sent again',
    async (_, event, what) => {
      const callsBefore = await settledCalls();
      const before = stage.lines({ event: 'event-refused' }).length;
      const poisonedBefore = stage.lines({ event: 'message-poisoned' }).length;
      const answer = await post(event);
      expect(answer.status, 'a status that Event Grid does not repeat').toBe(202);
      const refused = stage.lines({ event: 'event-refused' });
      expect(refused).toHaveLength(before + 1);
      expect(refused.at(-1)).toMatchObject({ level: 'error', detail: expect.stringMatching(what) });
      expect(stage.vault.calls.total, 'calls of the vault').toBe(callsBefore);
      await namedBySweep(poisonedBefore + 1);
      const poisoned = stage.lines({ event: 'message-poisoned' }).at(-1);
      expect(poisoned).toMatchObject({
        level: 'error',
        queue: queueNames.rotations,
        detail: refused.at(-1)?.['detail'],
      });
      expect(poisoned?.['hint']).toContain('KEYTURN_VAULTS');
    },
  );

  test('with a name of a megabyte: refused as well, and shortened where it is shown', async () => {
    const poisonedBefore = stage.lines({ event: 'message-poisoned' }).length;
    for (const field of ['VaultName', 'ObjectName', 'Version']) {
      expect((await post({ id: '1', eventType: type, data: { ...good, [field]: 'n'.repeat(900_000) } })).status).toBe(
        202,
      );
    }
    expect((await post({ id: '1', eventType: 'n'.repeat(900_000), data: good })).status).toBe(202);
    await namedBySweep(poisonedBefore + 4);
    for (const line of stage.lines({ event: 'event-refused' })) expect(JSON.stringify(line).length).toBeLessThan(4_000);
  });

  test('with blanks around keys and values, and texts for numbers, as the documented samples have it: taken', async () => {
    const planted = await stage.plant('blanks', { days: 80 });
    const { name, version } = planted;
    const data = {
      ' VaultName ': ' Local ',
      ObjectName: ` ${name} `,
      'Version ': version,
      EXP: '1680000000',
      NBF: 'x',
    };
    expect((await post({ ' id': '1', ' eventType ': ` ${type} `, data })).status).toBe(202);
    expect((await stage.said('skipped', name))[0]).toMatchObject({ reason: 'not-due' });
    await stage.expectUntouched(planted);
  });

  test('about a new version asks for a look, one about a stored candidate for nothing: no error', async () => {
    const before = stage.lines({ event: 'event-ignored' }).length;
    const errors = stage.lines().filter(({ level }) => level === 'error').length;
    await post({ id: '1', eventType: 'Microsoft.KeyVault.SecretNewVersionCreated', data: good });
    await post({ id: '1', eventType: type, data: { ...good, ObjectName: 'keyturn-pending-orders-db' } });
    await stage.until('both', () => stage.lines({ event: 'event-ignored' }).length === before + 1);
    expect(stage.lines().filter(({ level }) => level === 'error')).toHaveLength(errors);
  });
});

describe('a secret that cannot be rotated', () => {
  const cases: readonly (readonly [string, SecretOptions, string, RegExp, RegExp])[] = [
    [
      'an unknown rotator',
      { tags: { rotator: 'postgress' } },
      'tag-invalid',
      /"postgress" is no rotator; there are .*postgres/,
      /"rotator"/,
    ],
    [
      'several wrong tags',
      {
        tags: { strategy: 'alternate', 'valid-for': 'P1Y', overlap: '-3', window: 'Mon', admin: 'a b', format: 'yaml' },
      },
      'tag-invalid',
      /"strategy".*"admin".*"valid-for".*"overlap".*"window".*"format"/,
      /"strategy".*"admin".*"valid-for".*"overlap".*"window".*"format"/,
    ],
    [
      'a strategy the rotator does not know',
      { tags: { strategy: 'dual-key' } },
      'tag-invalid',
      /postgres cannot do dual-key; it can do/,
      /"strategy"/,
    ],
    [
      'a lead time too long',
      { tags: { 'valid-for': 'P30D', 'rotate-before': 'P20D' } },
      'tag-invalid',
      /third of valid-for/,
      /"rotate-before"/,
    ],
    [
      'fifteen tags of its own',
      { tags: Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`t${at}`, 'x'])) },
      'tags-full',
      /it has 15 tags, and Keyturn needs 2 of the 15/,
      /tag/,
    ],
    [
      'an admin of somebody else',
      { tags: { admin: 'lent-admin' } },
      'admin-not-serving',
      /"lent-admin" does not say that it serves/,
      /set-attributes --vault-name \S+ -n lent-admin --tags serves=orders-\*,bad-\w 'team=it’s theirs'|--tags 'serves=orders-\*,bad-\w' 'team=it’s theirs'/,
    ],
    ['an admin that is not there', { tags: { admin: 'nobody' } }, 'admin-invalid', /"nobody".*not-found/, /nobody/],
    [
      'an admin without a host',
      { tags: { admin: 'hostless-admin' } },
      'admin-invalid',
      /names no host/,
      /hostless-admin/,
    ],
    [
      'an admin of another host',
      { tags: { admin: 'other-admin' } },
      'host-mismatch',
      /127\.0\.0\.1 and db\.contoso\.test/,
      /never sends admin credentials/,
    ],
    [
      'the app as admin of a host nobody named',
      { tags: { admin: 'managed-identity' } },
      'admin-invalid',
      /KEYTURN_IDENTITY_TARGETS/,
      /managed-identity/,
    ],
    [
      'a format that the value has not',
      { tags: { format: 'ado-net' } },
      'value-unreadable',
      /the tag "format" says ado-net/,
      /"format"/,
    ],
    [
      'an admin that is refused',
      { tags: { admin: 'stale-admin' } },
      'admin-refused',
      /refused the admin.*stale-admin/,
      /working connection into the admin secret/,
    ],
  ];

  beforeAll(() => {
    const password = stage.secret('stale');
    stage.vault.put('stale-admin', { value: stage.url('rotation_admin', password), tags: { serves: 'bad-*' } });
    stage.vault.put('hostless-admin', {
      value: JSON.stringify({ username: 'root', password: stage.secret('hostless') }),
      tags: { serves: 'bad-*' },
    });
    const other = new URL(stage.url('rotation_admin', stage.secret('other')));
    other.hostname = 'db.contoso.test';
    stage.vault.put('other-admin', { value: other.href, tags: { serves: 'bad-*' } });
    stage.vault.put('lent-admin', {
      value: stage.url('rotation_admin', password),
      tags: { serves: 'orders-*', team: 'it’s theirs' },
    });
  });

  test.each(cases.map((one, at) => [...one, at] as const))(
    '%s: named with the next step, target and vault untouched',
    async (_, options, code, detail, hint, at) => {
      const planted = await stage.plant(`bad-${'abcdefghijklmn'[at]}`, options);
      const line = await refusedLine(planted);
      expect(line).toMatchObject({ code, detail: expect.stringMatching(detail), hint: expect.stringMatching(hint) });
      expect(stage.newest(planted.name).tags?.['rotation']).toBeUndefined();
      await stage.expectUntouched(planted);
      expect(stage.lines({ event: 'rotated', secret: planted.name })).toEqual([]);
    },
  );

  test('a value that cannot be read: the place is named, the value is not quoted', async () => {
    const value = `${stage.secret('broken')} {{{ not a connection`;
    const planted = stage.put('bad-value', value, { tags: { format: 'json' } });
    expect(await refusedLine(planted)).toMatchObject({ code: 'value-unreadable' });
    expect(stage.vault.versions(planted.name)).toHaveLength(1);
  });

  test('a newest version that is disabled: named, with the way to enable it', async () => {
    const planted = await stage.plant('bad-disabled', { enabled: false });
    expect(await refusedLine(planted)).toMatchObject({
      code: 'secret-disabled',
      hint: expect.stringContaining('Enable it'),
    });
    await stage.expectUntouched(planted);
  });

  test('a disabled secret that never opted in is no error', async () => {
    const { name } = await stage.plant('off', { enabled: false, without: ['rotator'] });
    expect((await stage.said('skipped', name))[0]).toMatchObject({ reason: 'opted-out' });
  });

  test('a secret that was deleted meanwhile: named, with the way to recover it, and not recovered behind the back', async () => {
    const planted = await stage.plant('bad-deleted', { days: 80 });
    const event = stage.event(planted.name);
    const gone = await fetch(`${stage.vault.url}/secrets/${planted.name}?api-version=2026-04-01`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer any' },
    });
    expect(gone.status).toBe(200);
    stage.azure.events.publish(event);
    expect(await refusedLine(planted)).toMatchObject({
      code: 'secret-missing',
      hint: expect.stringContaining('recover'),
    });
    expect(stage.vault.versions(planted.name), 'still deleted').toEqual([]);
    expect(await stage.accepts(planted.url)).toBe(true);
  });

  test('a name for the candidate that somebody else uses: not overwritten', async () => {
    stage.vault.put('keyturn-pending-bad-taken', { value: stage.secret('taken') });
    const planted = await stage.plant('bad-taken', { strategy: 'single-user' });
    expect(await refusedLine(planted)).toMatchObject({ code: 'pending-taken' });
    expect(stage.vault.versions('keyturn-pending-bad-taken')).toHaveLength(1);
    expect(await stage.accepts(planted.url)).toBe(true);
  });

  test('each failure was told to people once, and poisoned no message', async () => {
    await stage.settled();
    const failed = stage.lines({ event: 'rotation-failed' });
    expect(new Set(failed.map(({ secret }) => secret)).size).toBe(failed.length);
    const poisoned = stage.lines({ event: 'message-poisoned' }).map(({ secret }) => secret);
    expect(poisoned.filter((secret) => secret !== undefined)).toEqual([]);
    expect(stage.azure.events.deadLetters()).toEqual([]);
    expect(stage.vault.versions(adminSecret)).toHaveLength(1);
  });
});

test('no secret value is in any log, event, message, row, blob or statement', () => {
  stage.expectNoSecretAnywhere();
});
