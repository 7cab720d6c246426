/** From nothing to managed by commands alone: apply, onboard and rehearse, against the built app, two vaults and a real Postgres. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import type { VaultEmulator } from '../../local/vault/index.ts';
import { twinLogin } from '../../rotators/common/twin.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { labelPrefixOf } from '../../shared/engine/policy/identifiers.ts';
import { connectStorage } from '../../shared/storage/connect.ts';
import { Records } from '../../shared/storage/state/records.ts';
import { tableRehearsals } from '../../shared/storage/state/rehearsals.ts';
import { adminSecret, type Stage, startStage } from '../paths/stage.ts';
import { keyturn, type Outcome, type Seat } from './harness.ts';

let stage: Stage;
let second: VaultEmulator;
let folder: string;
const printed: Outcome[] = [];

beforeAll(async () => {
  stage = await startStage({
    secondVault: 'second',
    settings: { KEYTURN_SWEEP_JITTER: 'PT0S', KEYTURN_DRIFT_JITTER: 'PT0S' },
  });
  if (stage.azure.secondVault === undefined) throw new Error('a second vault');
  second = stage.azure.secondVault;
  folder = await mkdtemp(join(tmpdir(), 'keyturn-apply-'));
});
afterAll(async () => {
  await Promise.all([stage.close(), rm(folder, { recursive: true, force: true })]);
});

type Role = keyof typeof localApiKeys;

async function as(role: Role, words: readonly string[], seat: Seat = {}): Promise<Outcome> {
  const outcome = await keyturn(words, {
    ...seat,
    env: { KEYTURN_URL: stage.azure.host.url, KEYTURN_KEY: localApiKeys[role], ...seat.env },
  });
  printed.push(outcome);
  return outcome;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

function rehearsalsIn({ storage }: Stage) {
  const value = new SecretText(storage.connectionString);
  const clients = connectStorage({ kind: 'connection-string', value }, { getToken: async () => null });
  return tableRehearsals(new Records(clients));
}

async function start(name: 'sweep' | 'drift'): Promise<void> {
  const { url, keys } = stage.azure.host;
  const headers = { 'x-functions-key': keys.master, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/admin/functions/${name}`, { method: 'POST', headers, body: '{}' });
  expect(answer.status).toBe(202);
}

const tagsOf = (name: string, vault: VaultEmulator = stage.vault) => vault.versions(name).at(-1)?.tags ?? {};
const twins = () => stage.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'keyturn_twin_%'");

describe('keyturn apply', () => {
  const manifest = `version: 1
defaults: { valid-for: P60D }
secrets:
  - match: apply-*
    tags: { rotator: self-issued, team: shop }
`;

  it('shows what differs, changes it once it is confirmed, and the next time changes nothing', async () => {
    for (const name of ['apply-a', 'apply-b'])
      stage.vault.put(name, { value: stage.secret(name), tags: { note: 'kept' } });
    second.put('apply-c', { value: stage.secret('c') });
    const path = await file('one.yaml', manifest);
    const check = await as('reader', ['apply', '-f', path, '--check']);
    expect(check).toMatchObject({ exit: 8, err: expect.stringContaining('3 differ') });
    expect(check.out).toContain('local/apply-a\n  + valid-for = P60D\n  + rotator = self-issued\n  + team = shop');
    expect(tagsOf('apply-a')).toEqual({ note: 'kept' });
    expect(await as('operator', ['apply', '-f', path])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--yes'),
    });
    const done = await as('operator', ['apply', '-f', path, '-y', '-r', 'a test']);
    expect({ exit: done.exit, err: done.err }).toMatchObject({ exit: 0, err: expect.stringContaining('3 changed') });
    expect(tagsOf('apply-a')).toEqual({ note: 'kept', 'valid-for': 'P60D', rotator: 'self-issued', team: 'shop' });
    expect(tagsOf('apply-c', second)).toMatchObject({ rotator: 'self-issued' });
    expect(stage.vault.versions('apply-a')).toHaveLength(1);
    const calls = stage.vault.calls.count('update');
    expect(await as('operator', ['apply', '-f', path, '-y'])).toMatchObject({ exit: 0 });
    expect(await as('reader', ['apply', '-f', path, '--check'])).toMatchObject({ exit: 0 });
    expect(stage.vault.calls.count('update')).toBe(calls);
    const history = await as('reader', ['history', 'local/apply-a', '--json']);
    expect(JSON.parse(history.out).attempts[0]).toMatchObject({ outcome: 'tagged', reason: 'a test' });
  });

  it('keeps how many each rule matched, and stops where one matches nothing any more', async () => {
    const path = await file('two.yaml', manifest);
    await as('operator', ['apply', '-f', path, '-y']);
    expect(JSON.parse(await readFile(join(folder, 'two.counts.json'), 'utf8'))).toEqual({
      matched: { '*': { 'apply-*': 3 } },
    });
    const wrong = await file('two.yaml', manifest.replace('apply-*', 'aply-*'));
    const stopped = await as('operator', ['apply', '-f', wrong, '-y']);
    expect(stopped).toMatchObject({ exit: 6, err: expect.stringContaining('matches no secret') });
    expect(await as('operator', ['apply', '-f', wrong, '-y', '--accept-counts'])).toMatchObject({ exit: 0 });
  });

  it('names a secret whose tags the app refuses, changes the others, and exits with 1', async () => {
    stage.vault.put('mixed-good', { value: stage.secret('good') });
    stage.vault.put('mixed-full', {
      value: stage.secret('full'),
      tags: Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`own-${at}`, 'x'])),
    });
    const path = await file(
      'mixed.yaml',
      'version: 1\nsecrets: [{ match: mixed-*, tags: { rotator: self-issued } }]\n',
    );
    const check = await as('reader', ['apply', '-f', path, '--check']);
    expect(check).toMatchObject({ exit: 1, err: expect.stringContaining('tags-full') });
    const done = await as('operator', ['apply', '-f', path, '-y']);
    expect(done).toMatchObject({ exit: 1, err: expect.stringContaining('local/mixed-full: not changed') });
    expect(tagsOf('mixed-good')).toMatchObject({ rotator: 'self-issued' });
    expect(tagsOf('mixed-full')['rotator']).toBeUndefined();
  });

  it('refuses a manifest with an unknown key, with its line, and asks the app for nothing', async () => {
    const path = await file('typo.yaml', 'version: 1\nsecrets: [{ match: a, tgas: {} }]\n');
    const calls = stage.vault.calls.count('list');
    const { exit, err } = await as('operator', ['apply', '-f', path, '-y']);
    expect({ exit, err }).toMatchObject({ exit: 2, err: expect.stringContaining('did you mean "tags"?') });
    expect(stage.vault.calls.count('list')).toBe(calls);
  });

  it('leaves the secrets of a vault that cannot be listed, names it, and changes the others', async () => {
    second.put('half-second', { value: stage.secret('half') });
    stage.vault.put('half-first', { value: stage.secret('first') });
    const fault = second.faults.add({ match: { operation: 'list' }, effect: { kind: 'status', status: 403 } });
    const path = await file('half.yaml', 'version: 1\nsecrets: [{ match: half-*, tags: { rotator: self-issued } }]\n');
    const { exit, err } = await as('operator', ['apply', '-f', path, '-y']);
    fault.remove();
    expect(exit).toBe(1);
    expect(err).toContain('second cannot be listed');
    expect(tagsOf('half-first')).toMatchObject({ rotator: 'self-issued' });
    expect(tagsOf('half-second', second)).toEqual({});
    // The counts would be too low.
    await expect(readFile(join(folder, 'half.counts.json'), 'utf8')).rejects.toThrow('ENOENT');
  });

  it('a tag that lends rights or a value to another secret takes the role emergency', async () => {
    const path = await file('lend.yaml', `version: 1\nsecrets: [{ match: ${adminSecret}, tags: { serves: "*,x" } }]\n`);
    expect(await as('operator', ['apply', '-f', path, '-y'])).toMatchObject({ exit: 4 });
    expect(tagsOf(adminSecret)).toEqual({ serves: '*' });
    const packed = await file(
      'pack.yaml',
      'version: 1\nsecrets: [{ match: apply-a, tags: { policy: "also=apply-b" } }]\n',
    );
    expect(await as('operator', ['apply', '-f', packed, '-y'])).toMatchObject({ exit: 4 });
  });

  it('list --manifest says what differs', async () => {
    const path = await file('drift.yaml', manifest.replace('P60D', 'P45D'));
    const { out } = await as('reader', ['list', '--manifest', path, '--json']);
    const listed: { readonly secret: string; readonly hints?: readonly string[] }[] = JSON.parse(out).secrets;
    expect(listed.find(({ secret }) => secret === 'apply-a')?.hints?.join()).toContain('~ valid-for = P45D (was P60D)');
  });
});

describe('keyturn rehearse', () => {
  it('makes a twin, proves it, revokes it and removes it; the login in use and the version are as before', async () => {
    const planted = await stage.plant('rehearse-db', { days: 90 });
    const { exit, out } = await as('operator', ['rehearse', 'local/rehearse-db', '-r', 'a test']);
    expect({ exit, out }).toMatchObject({ exit: 0, out: expect.stringContaining('rehearsed: a throw-away twin of') });
    await stage.expectUntouched(planted);
    expect(await twins()).toEqual([]);
    const history = await as('reader', ['history', 'local/rehearse-db', '--json', '--steps']);
    const [attempt] = JSON.parse(history.out).attempts;
    expect(attempt).toMatchObject({ outcome: 'rehearsed', reason: 'a test' });
    expect(attempt.steps.map(({ name }: { readonly name: string }) => name)).toEqual([
      ...['read', 'prepare', 'ask', 'note', 'discard', 'propose', 'apply', 'verify', 'retire', 'ask', 'discard'],
    ]);
  });

  it('of a login that replaces its password in place makes a twin all the same', async () => {
    const planted = await stage.plant('rehearse-single', { days: 90, strategy: 'single-user' });
    expect(await as('operator', ['rehearse', 'local/rehearse-single'])).toMatchObject({ exit: 0 });
    await stage.expectUntouched(planted);
    expect(await twins()).toEqual([]);
  });

  it('of a secret without a target, and of one that a person replaces, says what it did', async () => {
    expect(await as('operator', ['rehearse', 'local/apply-a'])).toMatchObject({ exit: 0 });
    stage.vault.put('by-hand', { value: stage.secret('hand'), tags: { rotator: 'manual', owner: 'ops' } });
    expect(await as('operator', ['rehearse', 'local/by-hand'])).toMatchObject({ exit: 6 });
  });

  it('that died is finished by the sweep: nothing of its twin is left', async () => {
    const planted = await stage.plant('rehearse-died', { days: 90 });
    const login = twinLogin({ labelPrefix: labelPrefixOf('local', 'rehearse-died') });
    await stage.sql(`SET ROLE rotation_admin; CREATE ROLE ${login} LOGIN IN ROLE rehearse_died; RESET ROLE`);
    const begunAt = new Date(Date.now() - 60_000);
    await rehearsalsIn(stage).keep({ vault: 'local', secret: 'rehearse-died' }, { begunAt });
    await start('sweep');
    await stage.said('rehearsed', 'rehearse-died');
    expect(await twins()).toEqual([]);
    await stage.expectUntouched(planted);
    const kept: unknown[] = [];
    for await (const one of rehearsalsIn(stage).all('local')) kept.push(one);
    expect(kept).toContainEqual(expect.objectContaining({ secret: 'rehearse-died', endedAt: expect.any(Date) }));
  });

  it('with the tag rehearse is done unasked once it is time, and not again before it is time again', async () => {
    await stage.plant('rehearse-often', { days: 90, tags: { rehearse: 'P30D' } });
    await start('drift');
    await stage.said('rehearsed', 'rehearse-often');
    await stage.settled();
    await start('drift');
    await stage.said('checked', 'rehearse-often', 2);
    expect(stage.lines({ event: 'rehearsed', secret: 'rehearse-often' })).toHaveLength(1);
  });

  it('that fails unasked stands with the secret and is told, until one succeeds', async () => {
    const planted = await stage.plant('rehearse-fails', { days: 90, tags: { rehearse: 'P30D' } });
    await stage.sql('ALTER ROLE rotation_admin NOCREATEROLE');
    await start('drift');
    await stage.said('rehearsal-failed', 'rehearse-fails');
    await stage.sql('ALTER ROLE rotation_admin CREATEROLE');
    const shown = await as('reader', ['show', 'local/rehearse-fails', '--json']);
    expect(JSON.parse(shown.out).reminders.join()).toContain('Rehearsal: ');
    expect(await as('operator', ['rehearse', 'local/rehearse-fails'])).toMatchObject({ exit: 0 });
    const after = await as('reader', ['show', 'local/rehearse-fails', '--json']);
    expect(JSON.parse(after.out).reminders ?? []).toEqual([]);
    await stage.expectUntouched(planted);
  });
});

describe('keyturn onboard', () => {
  const strip = (name: string) => {
    const { value } = stage.newest(name);
    stage.vault.put(name, { value, expiresSeconds: stage.vault.clock.nowSeconds() + 90 * 86_400 });
  };

  it('shows tags and plan and changes nothing; with --yes sets them, finds the admin, and rehearses', async () => {
    await stage.plant('onboard-db', { days: 90 });
    const { value } = stage.newest('onboard-db');
    stage.vault.put('new-db', { value, tags: { team: 'shop' } });
    second.put('wrong-vault', { value });
    const shown = await as('operator', ['onboard', 'local/new-db']);
    expect(shown).toMatchObject({ exit: 1, out: expect.stringContaining('login-shared') });
    strip('onboard-db');
    const ready = await as('operator', ['onboard', 'local/onboard-db']);
    expect(ready.out).toContain('local/onboard-db');
    expect(tagsOf('onboard-db')).toEqual({});
  });

  it('names every secret that cannot be managed with its reason, manages the others, and can be run again', async () => {
    for (const name of ['shop-one', 'shop-two']) {
      await stage.plant(name, { days: 90 });
      strip(name);
    }
    stage.vault.put('shop-note', { value: 'ask Jane for it' });
    stage.vault.put('shop-sign-key', { value: stage.secret('sign') });
    stage.vault.put('shop-stranger', {
      value: `postgres://nobody:${stage.secret('stranger')}@127.0.0.1:${stage.postgres.port}/postgres`,
    });
    const words = ['onboard', '--all', '--where', 'name=shop-*', '--where', 'vault=local'];
    const before = await as('operator', [...words, '--json']);
    const outcomes = (text: string) =>
      Object.fromEntries(
        JSON.parse(text).secrets.map(({ secret, outcome }: { readonly secret: string; readonly outcome: string }) => [
          secret,
          outcome,
        ]),
      );
    expect(outcomes(before.out)).toMatchObject({ 'shop-one': 'ready', 'shop-two': 'ready', 'shop-note': 'unfit' });
    const { exit, out } = await as('operator', [...words, '--yes', '--json', '-r', 'first secrets']);
    expect(exit).toBe(1);
    expect(outcomes(out)).toMatchObject({
      ...{ 'shop-one': 'onboarded', 'shop-two': 'onboarded', 'shop-note': 'unfit', 'shop-sign-key': 'unfit' },
      'shop-stranger': 'blocked',
    });
    expect(tagsOf('shop-one')).toEqual({ rotator: 'postgres', admin: adminSecret });
    expect(await twins()).toEqual([]);
    const again = await as('operator', ['onboard', 'local/shop-one', '--yes', '--json']);
    expect(outcomes(again.out)).toEqual({ 'shop-one': 'onboarded' });
    expect(stage.vault.versions('shop-one')).toHaveLength(2);
  });

  it('prints no value anywhere', () => {
    stage.expectNoSecretAnywhere();
    const text = JSON.stringify(printed);
    for (const value of stage.canaries()) expect(text).not.toContain(value);
  });
});
