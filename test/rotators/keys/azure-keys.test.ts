import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AzureResource, type AzureStandIn, startAzureResourceManager } from '../../../local/providers/azure.ts';
import { azureKeys } from '../../../rotators/azure-keys/entry.ts';
import { resourceRows } from '../../../rotators/azure-keys/table.ts';
import type { AzureKeysTags } from '../../../rotators/azure-keys/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Rotator } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { azureStep, environmentOf, idOf, keyIn } from './azure-scene.ts';

/** A candidate that the target is to issue. */
const unissued = { password: new SecretText('') };

let azure: AzureStandIn;
let rotator: Rotator<AzureKeysTags>;
beforeAll(async () => {
  azure = await startAzureResourceManager();
  rotator = await azureKeys.load(environmentOf(azure));
});
afterAll(() => azure.close());

const storage = 'Microsoft.Storage/storageAccounts';

async function applied(resource: AzureResource, current: Credential): Promise<Credential> {
  const step = azureStep(azure, resource, { current });
  const outcome = await rotator.apply(step, unissued, current);
  if (outcome.kind !== 'applied') throw new Error(outcome.message);
  return outcome.credential;
}

describe('every row of the table', () => {
  const cases = resourceRows.flatMap((row) =>
    row.types.flatMap((type) => row.slots.map((slot) => [type, slot.slot, slot.partner] as const)),
  );
  it.each(cases)(
    '%s: with %s published, %s is regenerated, logs in, and the old one is dead once retired',
    async (type, published, free) => {
      const resource = await azure.add({ id: idOf(type), ...(type.includes('Cognitive') ? { kind: 'OpenAI' } : {}) });
      const before = new Map(resource.keys);
      const current = keyIn(resource, published);
      const next = await applied(resource, current);
      expect(next.slot).toBe(free);
      expect(next.password.reveal()).toBe(resource.keys.get(free));
      expect(resource.login(current.password.reveal())).toBe(true);
      const changed = [...before].filter(([slot, key]) => resource.keys.get(slot) !== key).map(([slot]) => slot);
      expect(changed).toEqual([free]);

      const step = azureStep(azure, resource, { current: next });
      expect(await rotator.verify(step, next)).toEqual({ kind: 'accepted' });
      expect(await rotator.retire(step, current)).toEqual({ kind: 'retired', sessionsEnded: 0 });
      expect(resource.login(current.password.reveal())).toBe(false);
      expect(await rotator.verify(step, current)).toMatchObject({ kind: 'refused' });
      expect(resource.login(next.password.reveal())).toBe(true);
    },
  );
});

describe('logins to the services', () => {
  it.each([
    storage,
    'Microsoft.DocumentDB/databaseAccounts',
    'Microsoft.ServiceBus/namespaces/authorizationRules',
    'Microsoft.EventHub/namespaces/authorizationRules',
    'Microsoft.Search/searchServices',
    'Microsoft.Batch/batchAccounts',
    'Microsoft.AppConfiguration/configurationStores',
    'Microsoft.ContainerRegistry/registries',
    'Microsoft.CognitiveServices/accounts',
  ])('of %s are made at the address that Resource Manager names', async (type) => {
    const resource = await azure.add({ id: idOf(type), kind: 'OpenAI' });
    const current = keyIn(resource, [...resource.keys.keys()][0] ?? '');
    expect(await rotator.verify(azureStep(azure, resource, { current }), current)).toEqual({ kind: 'accepted' });
    expect(resource.dataPlane?.requests.map(({ status }) => status)).toEqual([200]);
  });

  it('are waited for while the service still refuses a key that Resource Manager lists', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    resource.lag(1);
    const current = keyIn(resource, 'key1');
    const next = await applied(resource, current);
    expect(await rotator.verify(azureStep(azure, resource, { current }), next)).toEqual({ kind: 'accepted' });
    expect(resource.dataPlane?.requests.map(({ status }) => status)).toEqual([403, 200]);
  });

  it('that a firewall refuses prove nothing, and the tag "prove" makes the listing enough', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    resource.dataPlane?.fail({
      when: 'before',
      how: { status: 403, body: '<Error><Code>AuthorizationFailure</Code></Error>' },
    });
    const current = keyIn(resource, 'key1');
    const outcome = await rotator.verify(azureStep(azure, resource, { current }), current);
    expect(outcome).toMatchObject({ kind: 'unreachable', detail: expect.stringContaining('prove') });
    const listing = azureStep(azure, resource, { current, tags: { prove: 'listing' } });
    expect(await rotator.verify(listing, current)).toEqual({ kind: 'accepted' });
    expect(await rotator.verify(listing, { password: new SecretText('another') })).toMatchObject({ kind: 'refused' });
  });
});

describe('a slot is never guessed', () => {
  it('a published key that is in no slot blocks, and no key changes', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    const before = new Map(resource.keys);
    const current = { password: new SecretText('a key of another account') };
    const outcome = await rotator.apply(azureStep(azure, resource, { current }), unissued, current);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'slot-unproven',
      message: expect.stringContaining('key1, key2'),
    });
    expect(resource.keys).toEqual(before);
  });

  it('a resource whose two keys are the same blocks', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    const current = keyIn(resource, 'key1');
    const same = { keys: ['key1', 'key2'].map((keyName) => ({ keyName, value: current.password.reveal() })) };
    azure.fail({ when: 'before', how: { status: 200, body: same }, on: ({ path }) => path.endsWith('/listKeys') });
    const outcome = await rotator.apply(azureStep(azure, resource, { current }), unissued, current);
    expect(outcome).toMatchObject({ code: 'slot-unproven', message: expect.stringContaining('more than one slot') });
  });

  it('retiring blocks when the published key is not seen in the other slot', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    const before = new Map(resource.keys);
    const step = azureStep(azure, resource, { current: { password: new SecretText('gone') } });
    expect(await rotator.retire(step, keyIn(resource, 'key1'))).toMatchObject({ code: 'slot-unproven' });
    const itself = azureStep(azure, resource, { current: keyIn(resource, 'key1') });
    expect(await rotator.retire(itself, keyIn(resource, 'key1'))).toMatchObject({ code: 'slot-unproven' });
    expect(resource.keys).toEqual(before);
  });

  it('a key for reading stays one: its partner is the other key for reading', async () => {
    const resource = await azure.add({ id: idOf('Microsoft.DocumentDB/databaseAccounts') });
    expect((await applied(resource, keyIn(resource, 'primaryReadonly'))).slot).toBe('secondaryReadonly');
  });
});

describe('before anything is changed', () => {
  it.each([
    [storage, { allowSharedKeyAccess: false }, {}, 'allowSharedKeyAccess is false'],
    ['Microsoft.DocumentDB/databaseAccounts', { disableLocalAuth: true }, {}, 'disableLocalAuth is true'],
    ['Microsoft.Cache/redis', { disableAccessKeyAuthentication: true }, {}, 'disableAccessKeyAuthentication'],
    ['Microsoft.ContainerRegistry/registries', { adminUserEnabled: false }, {}, 'adminUserEnabled is false'],
    ['Microsoft.Batch/batchAccounts', { allowedAuthenticationModes: ['AAD'] }, {}, 'SharedKey'],
    ['Microsoft.ServiceBus/namespaces/authorizationRules', {}, { disableLocalAuth: true }, 'disableLocalAuth is true'],
  ])('%s with keys switched off is named', async (type, properties, ownerProperties, setting) => {
    const resource = await azure.add({ id: idOf(type), properties, ownerProperties });
    const before = new Map(resource.keys);
    const current = keyIn(resource, [...resource.keys.keys()][0] ?? '');
    const step = azureStep(azure, resource, { current });
    expect(await rotator.apply(step, unissued, current)).toMatchObject({
      code: 'target-refused',
      message: expect.stringContaining(setting),
    });
    expect((await rotator.check(step)).filter((check) => check.state === 'failed')).toMatchObject([{ name: 'keys' }]);
    expect(resource.keys).toEqual(before);
  });

  it('a missing right is named by check as a role would grant it', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    azure.grant(['listKeys']);
    const step = azureStep(azure, resource, { current: keyIn(resource, 'key1') });
    const failed = (await rotator.check(step)).filter((check) => check.state === 'failed');
    expect(failed).toMatchObject([
      { name: 'permissions', detail: expect.stringContaining(`${storage}/regenerateKey/action`) },
    ]);
    expect(await rotator.apply(step, unissued, step.current)).toMatchObject({
      code: 'permission-missing',
      message: expect.stringContaining(`${storage}/regenerateKey/action`),
    });
    azure.grant(['*']);
  });

  it('an admin other than the app itself is refused as a tag problem', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    const step = {
      ...azureStep(azure, resource, { current: keyIn(resource, 'key1') }),
      admin: { kind: 'self' as const },
    };
    expect(rotator.propose(step, step.current)).toMatchObject({ code: 'tag-invalid', class: 'config' });
    expect(await rotator.apply(step, unissued, step.current)).toMatchObject({ code: 'tag-invalid' });
  });

  it('a frozen worker whose lease ran out does not regenerate', async () => {
    const resource = await azure.add({ id: idOf(storage) });
    const before = new Map(resource.keys);
    const step = azureStep(azure, resource, { current: keyIn(resource, 'key1') }, { remainingMs: () => 0 });
    expect(await rotator.apply(step, unissued, step.current)).toMatchObject({ code: 'lease-lost' });
    expect(resource.keys).toEqual(before);
  });

  it('an App Configuration value without the id of its key is refused', async () => {
    const resource = await azure.add({ id: idOf('Microsoft.AppConfiguration/configurationStores') });
    const step = azureStep(azure, resource, { current: { password: keyIn(resource, 'Primary').password } });
    expect(rotator.propose(step, step.current)).toMatchObject({ code: 'value-unreadable' });
  });
});

it('an operation whose address is on another host is not followed, so the token stays with Resource Manager', async () => {
  const resource = await azure.add({ id: idOf('Microsoft.DocumentDB/databaseAccounts') });
  const elsewhere = { status: 202, headers: { location: 'http://127.0.0.1:9/steal', 'retry-after': '0' } };
  azure.fail({ when: 'before', how: elsewhere, on: ({ path }) => path.endsWith('/regenerateKey') });
  const current = keyIn(resource, 'primary');
  const outcome = await rotator.apply(azureStep(azure, resource, { current }), unissued, current);
  expect(outcome).toMatchObject({ code: 'target-refused', message: expect.stringContaining('another host') });
});
