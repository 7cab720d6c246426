/** `keyturn selftest`, against the built app and a Resource Manager over HTTP that writes to the same vault. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { alertRules } from '../../infra/hooks/examine/watch.ts';
import { localApiKeys } from '../../local/api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import { type DeployedStandIn, ids, paths, startDeployed } from '../../local/providers/deployed.ts';
import { type Asked, type Reply, readJson, type StandInServer, startServer } from '../../local/providers/server.ts';
import { builtApp } from '../paths/built-app.ts';
import { keyturn } from './harness.ts';

const token = 'token-of-the-signed-in-person';
const subscription = '33333333-3333-3333-3333-333333333333';
const vaultId = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/local`;
const name = 'keyturn-selftest';

let azure: LocalAzure;
let manager: StandInServer;
let tools: string;
let allowed = true;
beforeAll(async () => {
  azure = await startLocalAzure({ app: await builtApp(), postgres: false });
  manager = await startServer(answer);
  tools = await mkdtemp(join(tmpdir(), 'keyturn-selftest-'));
  const expires = '2099-01-01 00:00:00.000000';
  const said = JSON.stringify({
    accessToken: token,
    expiresOn: expires,
    expires_on: 4_070_908_800,
    subscription,
    tenant: 't',
  });
  await writeFile(join(tools, 'az'), `#!/bin/sh\necho '${said}'\n`);
  await chmod(join(tools, 'az'), 0o755);
  vi.stubEnv('PATH', `${tools}:${process.env['PATH']}`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([azure.close(), manager.close(), rm(tools, { recursive: true, force: true })]);
});
beforeEach(() => {
  allowed = true;
});

/** As the service: a PUT makes a version, a PATCH changes the newest. */
async function answer({ method, path, url, header, body }: Asked): Promise<Reply> {
  const refused = (status: number, code: string) => ({ status, body: { error: { code, message: code } } });
  if (header('authorization') !== `Bearer ${token}`) return refused(401, 'InvalidAuthenticationToken');
  if (url.searchParams.get('api-version') !== '2026-02-01') return refused(400, 'InvalidApiVersionParameter');
  if (method === 'GET' && path === `/subscriptions/${subscription}/providers/Microsoft.KeyVault/vaults`)
    return { status: 200, body: { value: [{ id: vaultId, name: 'local' }] } };
  if (path !== `${vaultId}/secrets/${name}`) return refused(404, 'ResourceNotFound');
  if (!allowed) return refused(403, 'AuthorizationFailed');
  const { tags, properties } = Object(readJson(body));
  if (method === 'PUT') {
    azure.vault.put(name, {
      value: properties.value,
      tags,
      contentType: properties.contentType,
      expiresSeconds: properties.attributes.exp,
    });
    return { status: 201, body: {} };
  }
  const newest = azure.vault.versions(name).at(-1);
  const answered = await fetch(`${azure.vault.url}/secrets/${name}/${newest?.id}?api-version=2026-04-01`, {
    method,
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    body: JSON.stringify({ tags, attributes: properties.attributes }),
  });
  return { status: answered.status, body: {} };
}

const run = (env: Readonly<Record<string, string>> = {}, ...options: readonly string[]) =>
  keyturn(['selftest', ...options], {
    env: {
      ...{ KEYTURN_URL: azure.host.url, KEYTURN_KEY: localApiKeys.operator },
      ...{ AZURE_RESOURCE_MANAGER_URL: manager.url, AZURE_SUBSCRIPTION_ID: subscription, ...env },
    },
  });

describe('keyturn selftest', () => {
  it('makes the secret, has it rotated, and leaves it disabled and looked after by nobody; again the next time', async () => {
    for (const versions of [2, 4]) {
      const { exit, out, err } = await run();
      expect({ exit, err }).toMatchObject({ exit: 0 });
      expect(out).toContain('local/keyturn-selftest rotated to version');
      const all = azure.vault.versions(name);
      expect(all).toHaveLength(versions);
      expect(all.at(-1)).toMatchObject({ enabled: false });
      expect(Object.keys(all.at(-1)?.tags ?? {})).toEqual([]);
      for (const { value } of all) expect(out + err).not.toContain(value);
      expect(out + err).not.toContain(token);
    }
  });

  it('by the event of the vault: asks for nothing, and says that the event brought the rotation', async () => {
    const before = azure.vault.versions(name).length;
    const { exit, out, err } = await run({}, '--by-event', '--timeout', '30');
    expect({ exit, err }).toMatchObject({ exit: 0 });
    expect(out).toMatch(/rotated after \d+ s, brought by near-expiry/);
    const all = azure.vault.versions(name);
    expect(all).toHaveLength(before + 2);
    expect(all.at(-1)).toMatchObject({ enabled: false });
  });

  it('by an event that does not come: says so, and puts the secret out of use all the same', async () => {
    await azure.events.close();
    const { exit, err } = await run({}, '--by-event', '--timeout', '2');
    expect({ exit, err }).toMatchObject({ exit: 5, err: expect.stringContaining('keyturn doctor --deployment') });
    expect(azure.vault.versions(name).at(-1)).toMatchObject({ enabled: false, tags: {} });
  });

  it('deletes nothing', () => {
    expect(azure.vault.calls.count('delete')).toBe(0);
    expect(manager.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  it('for somebody who may not write to the vault: says which role is missing, and asks the app for nothing', async () => {
    allowed = false;
    const before = azure.vault.versions(name).length;
    const { exit, err } = await run();
    expect({ exit, err }).toMatchObject({
      exit: 4,
      err: expect.stringContaining('role Contributor on the vault local'),
    });
    expect(azure.vault.versions(name)).toHaveLength(before);
  });

  it('without a subscription says what to give', async () => {
    expect(await run({ AZURE_SUBSCRIPTION_ID: '' })).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--vault-id'),
    });
  });

  it('sends the token over TLS, or to this machine alone', async () => {
    expect(await run({ AZURE_RESOURCE_MANAGER_URL: 'http://management.contoso.test' })).toMatchObject({ exit: 2 });
  });
});

describe('keyturn doctor --deployment', () => {
  const doctor = async (deployed: DeployedStandIn) =>
    keyturn(['doctor', '--deployment', '--json'], {
      env: {
        ...{ KEYTURN_URL: azure.host.url, KEYTURN_KEY: localApiKeys.reader, AZURE_RESOURCE_MANAGER_URL: deployed.url },
        ...{ AZURE_SUBSCRIPTION_ID: subscription, AZURE_RESOURCE_GROUP: 'rg-prod', KEYTURN_APP_NAME: 'keyturn-abc' },
      },
    });

  it('finds the deployment by what azd keeps, looks at it and at the secrets, and exits with 1 where something is wrong', async () => {
    const deployed = await startDeployed(token, alertRules);
    try {
      // The secret of the tests before may still be looked at.
      const well = await vi.waitFor(
        async () => {
          const said = await doctor(deployed);
          expect(said, said.out).toMatchObject({ exit: 0 });
          return said;
        },
        { timeout: 30_000, interval: 500 },
      );
      expect(JSON.parse(well.out)).toMatchObject({ app: { status: 'healthy' }, deployment: { length: 10 } });
      deployed.held.delete(paths.vaultRoles.toLowerCase());
      const rules = deployed.held.get(ids.rules.toLowerCase());
      if (rules !== undefined) rules.body = [];
      const ill = await doctor(deployed);
      expect(ill.exit).toBe(1);
      expect(ill.out + ill.err).not.toContain(token);
    } finally {
      await deployed.close();
    }
  });

  it('without a word on which app: says what to give', async () => {
    const { exit, err } = await keyturn(['doctor', '--deployment'], {
      env: { KEYTURN_URL: azure.host.url, KEYTURN_KEY: localApiKeys.reader },
    });
    expect({ exit, err }).toMatchObject({ exit: 2, err: expect.stringContaining('--app-id') });
  });
});
