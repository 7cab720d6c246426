import { describe, expect, test } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { clientFor, collect, failure, httpsClientFor, vaultFor } from './helpers.ts';

const dayMs = 86_400_000;
const wholeSecond = (ms: number) => new Date(Math.floor(ms / 1000) * 1000);

describe("Microsoft's client", () => {
  test('sets a secret with every property and reads the same back', async () => {
    const vault = await vaultFor();
    const client = clientFor(vault);
    const expiresOn = wholeSecond(Date.now() + 90 * dayMs);
    const notBefore = wholeSecond(Date.now() - dayMs);
    const written = await client.setSecret('orders-db', 'pässwörd "quoted"', {
      contentType: 'text/plain',
      tags: { rotator: 'postgres', 'with space': '' },
      expiresOn,
      notBefore,
    });
    const read = await client.getSecret('orders-db');
    expect(read.value).toBe('pässwörd "quoted"');
    expect(read.properties).toEqual(written.properties);
    expect(read.properties).toMatchObject({
      name: 'orders-db',
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      id: `${vault.url}/secrets/orders-db/${written.properties.version}`,
      vaultUrl: vault.url,
      contentType: 'text/plain',
      tags: { rotator: 'postgres', 'with space': '' },
      enabled: true,
      expiresOn,
      notBefore,
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: 90,
    });
    expect(read.properties.createdOn).toEqual(read.properties.updatedOn);
  });

  test('reads the newest version, or the one it names', async () => {
    const client = clientFor(await vaultFor());
    const first = await client.setSecret('orders-db', 'one');
    await client.setSecret('ORDERS-db', 'two');
    expect((await client.getSecret('Orders-DB')).value).toBe('two');
    const { version } = first.properties;
    expect((await client.getSecret('orders-db', { version: version ?? '' })).value).toBe('one');
    expect(await collect(client.listPropertiesOfSecrets())).toHaveLength(1);
  });

  test('changes properties of one version and leaves what it does not name, the value above all', async () => {
    const vault = await vaultFor();
    const client = clientFor(vault);
    const { properties } = await client.setSecret('orders-db', 'one', { tags: { a: '1' }, contentType: 'text/plain' });
    vault.clock.advance(5_000);
    const changed = await client.updateSecretProperties('orders-db', properties.version ?? '', {
      enabled: false,
      tags: { b: '2' },
    });
    expect(changed).toMatchObject({ enabled: false, tags: { b: '2' }, contentType: 'text/plain' });
    expect(changed.createdOn).toEqual(properties.createdOn);
    expect((changed.updatedOn?.getTime() ?? 0) - (properties.updatedOn?.getTime() ?? 0)).toBeGreaterThanOrEqual(5_000);
    await client.updateSecretProperties('orders-db', '', { enabled: true });
    expect((await client.getSecret('orders-db')).value).toBe('one');
    expect(vault.versions('orders-db')).toHaveLength(1);
  });

  test('pages through 60 secrets, 25 at a time, each once', async () => {
    const vault = await vaultFor();
    for (let n = 0; n < 60; n++) vault.put(`secret-${n}`, { value: `canary-${n}`, tags: { n: String(n) } });
    const pages = await collect(clientFor(vault).listPropertiesOfSecrets().byPage());
    expect(pages.map((page) => page.length)).toEqual([25, 25, 10]);
    const names = pages.flat().map(({ name }) => name);
    expect(new Set(names).size).toBe(60);
    expect(pages.flat().every(({ version }) => version === undefined)).toBe(true);
    expect(JSON.stringify(pages)).not.toContain('canary');
    const small = await collect(clientFor(vault).listPropertiesOfSecrets().byPage({ maxPageSize: 7 }));
    expect(small.map((page) => page.length)).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 4]);
  });

  test('pages through 60 versions of one secret, in no order of time', async () => {
    const vault = await vaultFor();
    const made = Array.from({ length: 60 }, (_, n) => vault.put('orders-db', { value: `value-${n}` }).id);
    const listed = await collect(clientFor(vault).listPropertiesOfSecretVersions('orders-db'));
    const ids = listed.map(({ version }) => version);
    expect([...ids].sort()).toEqual([...made].sort());
    expect(ids).not.toEqual(made);
    expect(await collect(clientFor(vault).listPropertiesOfSecretVersions('unknown'))).toEqual([]);
  });

  test('a deletion takes its time: the poller waits, the name is held, then it can be recovered with all versions', async () => {
    const vault = await vaultFor({ settleMs: 60_000 });
    const client = clientFor(vault);
    await client.setSecret('orders-db', 'one');
    await client.setSecret('orders-db', 'two');
    const deletion = await client.beginDeleteSecret('orders-db', { intervalInMs: 5 });
    expect(deletion.isDone()).toBe(false);
    expect(await failure(client.setSecret('orders-db', 'three'))).toMatchObject({ status: 409, code: 'Conflict' });
    expect(await failure(client.purgeDeletedSecret('orders-db'))).toMatchObject({ status: 409 });
    vault.clock.advance(60_000);
    const deleted = await deletion.pollUntilDone();
    expect(deleted).toMatchObject({
      name: 'orders-db',
      recoveryId: `${vault.url}/deletedsecrets/orders-db`,
      deletedOn: expect.any(Date),
    });
    expect((deleted.scheduledPurgeDate?.getTime() ?? 0) - (deleted.deletedOn?.getTime() ?? 0)).toBe(90 * dayMs);
    expect(await failure(client.getSecret('orders-db'))).toMatchObject({ status: 404, code: 'SecretNotFound' });

    const recovery = await client.beginRecoverDeletedSecret('orders-db', { intervalInMs: 5 });
    expect(recovery.isDone()).toBe(false);
    vault.clock.advance(60_000);
    expect(await recovery.pollUntilDone()).toMatchObject({ name: 'orders-db' });
    expect((await client.getSecret('orders-db')).value).toBe('two');
    expect(await collect(client.listPropertiesOfSecretVersions('orders-db'))).toHaveLength(2);
  });

  test('a deleted secret is listed among the deleted until it is purged, and then its name is free', async () => {
    const vault = await vaultFor();
    const client = clientFor(vault);
    await client.setSecret('orders-db', 'one', { tags: { kept: 'yes' } });
    await (await client.beginDeleteSecret('orders-db')).pollUntilDone();
    expect(await collect(client.listPropertiesOfSecrets())).toEqual([]);
    const [listed] = await collect(client.listDeletedSecrets());
    expect(listed).toMatchObject({ name: 'orders-db', properties: { tags: { kept: 'yes' } } });
    expect(await client.getDeletedSecret('orders-db')).toMatchObject({ name: 'orders-db', value: undefined });
    await client.purgeDeletedSecret('orders-db');
    expect(await collect(client.listDeletedSecrets())).toEqual([]);
    expect(await failure(client.getDeletedSecret('orders-db'))).toMatchObject({
      status: 404,
      message: 'Deleted Secret not found: orders-db',
    });
    await client.setSecret('orders-db', 'new');
    expect(vault.versions('orders-db')).toHaveLength(1);
  });

  test('a deleted secret is gone when its retention is over', async () => {
    const vault = await vaultFor({ recoverableDays: 7 });
    const client = clientFor(vault);
    const { properties } = await client.setSecret('orders-db', 'one');
    expect(properties).toMatchObject({ recoveryLevel: 'CustomizedRecoverable+Purgeable', recoverableDays: 7 });
    await client.beginDeleteSecret('orders-db');
    vault.clock.advance(7 * dayMs + 1_000);
    expect(await failure(client.getDeletedSecret('orders-db'))).toMatchObject({ status: 404 });
    await client.setSecret('orders-db', 'two');
  });

  test('a restore is a conflict until the purge is over, then it goes through', async () => {
    const vault = await vaultFor({ settleMs: 1_000 });
    const client = clientFor(vault);
    await client.setSecret('orders-db', 'one');
    const blob = (await client.backupSecret('orders-db')) ?? new Uint8Array();
    const deletion = await client.beginDeleteSecret('orders-db', { intervalInMs: 5 });
    vault.clock.advance(1_000);
    await deletion.pollUntilDone();
    await client.purgeDeletedSecret('orders-db');
    expect(await failure(client.restoreSecretBackup(blob))).toMatchObject({
      status: 409,
      message: expect.stringMatching(/^There was a conflict restoring the secret/),
    });
    vault.clock.advance(1_000);
    expect(await client.restoreSecretBackup(blob)).toMatchObject({ name: 'orders-db' });
  });

  test('an empty value, an output format and a recovery of nothing are answered as by the service', async () => {
    const client = clientFor(await vaultFor());
    expect((await client.setSecret('empty', '')).value).toBe('');
    expect((await client.getSecret('empty', { outContentType: 'application/x-pem-file' })).value).toBe('');
    expect(await failure(client.beginRecoverDeletedSecret('nobody'))).toMatchObject({
      status: 404,
      code: 'SecretNotFound',
    });
    expect(await failure(client.beginDeleteSecret('nobody'))).toMatchObject({ status: 404, code: 'SecretNotFound' });
    expect(await failure(client.backupSecret('nobody'))).toMatchObject({ status: 404, code: 'SecretNotFound' });
  });

  test('a backup brings all versions back into another vault, as they were', async () => {
    const source = await vaultFor({ name: 'source' });
    const client = clientFor(source);
    await client.setSecret('orders-db', 'canary-one', { tags: { a: '1' } });
    const newest = await client.setSecret('orders-db', 'canary-two', { contentType: 'text/plain' });
    const blob = await client.backupSecret('orders-db');
    expect(Buffer.from(blob ?? []).toString('latin1')).not.toContain('canary');

    const target = await vaultFor({ name: 'target' });
    const restored = await clientFor(target).restoreSecretBackup(blob ?? new Uint8Array());
    expect(restored).toMatchObject({
      name: 'orders-db',
      version: newest.properties.version,
      contentType: 'text/plain',
    });
    expect((await clientFor(target).getSecret('orders-db')).value).toBe('canary-two');
    const without = (name: string) => source.versions(name).map(({ number: _, ...rest }) => rest);
    expect(target.versions('orders-db').map(({ number: _, ...rest }) => rest)).toEqual(without('orders-db'));
    expect(await failure(client.restoreSecretBackup(blob ?? new Uint8Array()))).toMatchObject({
      status: 409,
      code: 'Conflict',
      message: expect.stringContaining(`conflict restoring the secret '${source.url}/secrets/orders-db/`),
    });
    expect(await failure(client.restoreSecretBackup(new Uint8Array(4728)))).toMatchObject({
      status: 400,
      message: 'Backup blob contains invalid or corrupt version.',
    });
  });

  test('speaks https on the same port when it trusts the authority, and refuses when it does not', async () => {
    const vault = await vaultFor();
    const client = httpsClientFor(vault);
    const { properties } = await client.setSecret('orders-db', 'one');
    expect(properties.id).toBe(`${vault.httpsUrl}/secrets/orders-db/${properties.version}`);
    for (let n = 0; n < 30; n++) vault.put(`secret-${n}`, { value: 'x' });
    expect(await collect(client.listPropertiesOfSecrets())).toHaveLength(31);
    const stranger = await makeCertificates({ hosts: ['127.0.0.1'] });
    await expect(httpsClientFor(vault, stranger.ca).getSecret('orders-db')).rejects.toThrow(/certificate/);
  });

  test('concurrent writes of one name: no version is lost or made twice, and a fresh client gets through the challenge', async () => {
    const vault = await vaultFor();
    const client = clientFor(vault);
    await failure(client.getSecret('warm-up'));
    const written = await Promise.all(
      Array.from({ length: 40 }, (_, n) => client.setSecret('orders-db', `value-${n}`)),
    );
    const ids = written.map(({ properties }) => properties.version);
    expect(new Set(ids).size).toBe(40);
    const stored = vault.versions('orders-db');
    expect(stored.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(stored.map(({ value }) => value).sort()).toEqual(written.map(({ value }) => value).sort());
    const newest = await client.getSecret('orders-db');
    expect(newest.properties.version).toBe(stored.at(-1)?.id);
  });

  test('two first writes of a fresh client at once: each is made once, or refused for its empty body, never half made', async () => {
    const vault = await vaultFor();
    const client = clientFor(vault);
    const outcomes = await Promise.allSettled([client.setSecret('first', 'one'), client.setSecret('second', 'two')]);
    for (const [at, name] of ['first', 'second'].entries()) {
      const made = outcomes[at]?.status === 'fulfilled' ? 1 : 0;
      expect(vault.versions(name)).toHaveLength(made);
    }
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(vault.calls.challenges).toBeGreaterThanOrEqual(1);
  });
});
