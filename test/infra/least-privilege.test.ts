/** The rights that the templates give are those that the code uses: seen in what a life of secrets asks of vault and storage account. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import { startAzureResourceManager } from '../../local/providers/azure.ts';
import type { Recorded } from '../../local/providers/server.ts';
import { azureKeys } from '../../rotators/azure-keys/entry.ts';
import { resourceRows } from '../../rotators/azure-keys/table.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Stage, startStage } from '../paths/stage.ts';
import { azureStep, environmentOf, idOf, keyIn } from '../rotators/keys/azure-scene.ts';
import { projectFiles, root } from '../tidy/files.ts';
import { at, ofType, predicted } from './resources.ts';
import {
  clientActions,
  isCovered,
  type StorageService,
  storageActionOf,
  storageRoles,
  vaultActions,
} from './role-actions.ts';

const granted: readonly string[] = ofType(predicted('open'), 'Microsoft.Authorization/roleDefinitions').flatMap(
  ({ properties }) => Object.values(Object(at(properties, 'permissions', '0', 'dataActions'))).map(String),
);

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await life();
}, 120_000);
afterAll(() => stage.close());

const call = async (method: string, path: string, body?: object): Promise<number> => {
  const answer = await fetch(`${stage.azure.host.url}/api/v1/${path}`, {
    method,
    headers: { 'x-keyturn-key': localApiKeys.emergency, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify({ reason: 'a test', ...body }) }),
  });
  await answer.arrayBuffer();
  return answer.status;
};

const timer = async (name: string, says: string) => {
  const before = stage.lines({ event: says }).length;
  await fetch(`${stage.azure.host.url}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'x-functions-key': stage.azure.host.keys.master, 'content-type': 'application/json' },
    body: JSON.stringify({ input: '' }),
  });
  await stage.until(says, () => stage.lines({ event: says }).length > before);
};

/** Everything that is done to secrets, once: by events, timers and people, with a stored candidate, with one whose name is deleted. */
async function life(): Promise<void> {
  await stage.plant('pair', { tags: { overlap: 'PT2S' } });
  await stage.said('rotated', 'pair');
  await stage.plant('single', { strategy: 'single-user' });
  await stage.said('rotated', 'single');
  // A person deletes the name of the next candidate: it is had back, never purged.
  const headers = { authorization: 'Bearer any' };
  await fetch(`${stage.vault.url}/secrets/keyturn-pending-single?api-version=2026-04-01`, {
    method: 'DELETE',
    headers,
  });
  expect(await call('POST', 'vaults/local/secrets/single/rotate?wait=true', {})).toBe(200);
  expect(await call('POST', 'vaults/local/secrets/single/emergency?wait=true', {})).toBe(200);
  await stage.plant('asked', { days: 85 });
  for (const path of [
    'secrets',
    'health/details',
    'vaults/local/secrets/asked',
    'vaults/local/secrets/asked/plan',
    'vaults/local/secrets/asked/history',
  ])
    expect(await call('GET', path), path).toBe(200);
  expect(await call('POST', 'vaults/local/secrets/asked/rotate?wait=true', {})).toBe(200);
  expect(await call('POST', 'vaults/local/secrets/asked/rollback?wait=true', {})).toBe(200);
  expect(await call('POST', 'vaults/local/secrets/asked/pause', { until: 'P3D' })).toBe(200);
  expect(await call('POST', 'vaults/local/secrets/asked/resume', {})).toBe(200);
  expect(await call('PUT', 'freeze', { frozen: true })).toBe(200);
  expect(await call('PUT', 'freeze', { frozen: false })).toBe(200);
  await stage.said('retired', 'pair');
  await timer('sweep', 'swept');
  await timer('drift', 'checks-enqueued');
  await stage.settled();
}

describe('the custom role on a vault', () => {
  it('holds each data action that the vault saw asked for, and no other', () => {
    const asked = Object.entries(stage.vault.calls.counts).flatMap(([operation, count]) =>
      Object.entries(vaultActions).flatMap(([one, action]) => (one === operation && count > 0 ? [action] : [])),
    );
    // The person of this test deleted a secret; the app did not.
    expect(stage.vault.calls.count('delete')).toBe(1);
    const byApp = new Set(asked.filter((action) => action !== vaultActions.delete));
    expect([...byApp].toSorted()).toEqual(granted.toSorted());
  });

  it('holds each one that the code could ask for, and no other', () => {
    const deployed = projectFiles().filter(({ path }) => /^(shared|functions|rotators)\/.*\.ts$/.test(path));
    const methods = Object.keys(clientActions).filter((method) =>
      deployed.some(({ text }) => new RegExp(`\\.${method}\\(`).test(text.replaceAll(/\s+\./g, '.'))),
    );
    expect(new Set(methods.map((method) => clientActions[method]))).toEqual(new Set(granted));
  });

  it('lets nobody delete, purge, back up or restore', () => {
    expect(granted.filter((action) => /delete|purge|backup|restore|\*/i.test(action))).toEqual([]);
  });
});

describe('the roles at the storage account', () => {
  const roles = Object.entries(storageRoles);
  const templates = readFileSync(join(root, 'infra', 'modules', 'storage.bicep'), 'utf8');

  it('are the three that are known here', () => {
    const ids = [...templates.matchAll(/'([0-9a-f]{8}-[0-9a-f-]{27})'/g)].map(([, id]) => id);
    expect(ids.toSorted()).toEqual(roles.map(([id]) => id).toSorted());
  });

  it('cover every request of that life, and none of them could be left out', () => {
    const ports = new Map<string, StorageService>();
    for (const service of ['blob', 'queue', 'table'] as const)
      ports.set(new URL(stage.storage[`${service}Url`]).port, service);
    const asked = new Set<string>();
    for (const request of stage.storage
      .sent()
      .matchAll(/(GET|HEAD|PUT|POST|PATCH|MERGE|DELETE) \/devstoreaccount1\/(\S*) HTTP\/1\.1\r\n([\s\S]*?)\r\n\r\n/g)) {
      const [, method = '', target = '', headers = ''] = request;
      const service = ports.get(/^host: [^:]+:(\d+)/im.exec(headers)?.[1] ?? '');
      const [path = '', query = ''] = target.split('?');
      if (service !== undefined) asked.add(storageActionOf(service, method, path, new URLSearchParams(query)));
    }
    expect(asked.size).toBeGreaterThan(6);
    const all = roles.flatMap(([, actions]) => actions);
    expect([...asked].filter((action) => !isCovered(all, action))).toEqual([]);
    const unused = roles.filter(([, actions]) => ![...asked].some((action) => isCovered(actions, action)));
    expect(unused).toEqual([]);
  });
});

describe('the role for keys of Azure resources', () => {
  const page = readFileSync(join(root, 'docs', 'rotators', 'azure-keys.md'), 'utf8');
  const ofThePage = [...(/"Actions": \[([^\]]+)\]/.exec(page)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
    ([, action]) => action,
  );

  it('on its page holds what the rotator asks Resource Manager for, and nothing else', async () => {
    const type = 'Microsoft.Storage/storageAccounts';
    expect(await armActions(type)).toEqual(ofThePage.toSorted());
  });

  it.each(resourceRows.flatMap(({ types }) => types))(
    'of %s reads, lists keys and regenerates them, and never deletes',
    async (type) => {
      const actions = await armActions(type);
      expect(actions.filter((action) => !/\/read$|\/(?:list|regenerate)\w+(?:\/action)?$/.test(action))).toEqual([]);
    },
  );
});

/** What a whole rotation of one resource asks Resource Manager for, as the actions of a role. */
async function armActions(type: string): Promise<readonly string[]> {
  const azure = await startAzureResourceManager();
  try {
    const rotator = await azureKeys.load(environmentOf(azure));
    const resource = await azure.add({ id: idOf(type), ...(type.includes('Cognitive') ? { kind: 'OpenAI' } : {}) });
    const [slot = ''] = resource.keys.keys();
    const current = keyIn(resource, slot);
    const step = azureStep(azure, resource, { current });
    await rotator.check(step);
    const applied = await rotator.apply(step, { password: new SecretText('') }, current);
    if (applied.kind !== 'applied') throw new Error(applied.message);
    const after = azureStep(azure, resource, { current: applied.credential });
    await rotator.verify(after, applied.credential);
    await rotator.retire(after, current);
    return [...new Set(azure.requests.flatMap((one) => armActionOf(one, resource.id, type)))].toSorted();
  } finally {
    await azure.close();
  }
}

function armActionOf({ method, path }: Recorded, id: string, type: string): readonly string[] {
  const asked = path.split('?')[0] ?? '';
  // The answer of an operation that was begun; whoever began it may follow it.
  if (asked.includes('/providers/operations/')) return [];
  if (asked.endsWith('/providers/Microsoft.Authorization/permissions'))
    return ['Microsoft.Authorization/permissions/read'];
  const right = asked.slice(id.length).split('/')[1];
  // Above the resource stands the namespace that it is part of.
  const below = asked.length < id.length ? `${type.split('/').slice(0, 2).join('/')}` : type;
  return [method === 'GET' ? `${below}/read` : `${below}/${right}/action`];
}
