/** Events of Key Vault, in both schemas of Event Grid. */
import { namePoison } from '../../../functions/name-poison.ts';
import { takeSecretEvent } from '../../../functions/on-secret-event.ts';
import { poisonQueueOf, queueNames } from '../../../shared/contract/queue-names.ts';
import { checkRequest } from '../../../shared/engine/policy/check-request.ts';
import { rotationRequest } from '../../../shared/engine/policy/request.ts';
import { hear } from '../heard.ts';
import { inMemory } from '../in-memory.ts';
import { spoiled } from '../inputs.ts';
import { canary, holdsNoSecret, must, target } from '../target.ts';

const vaults = new Set(['contoso-kv']);

const data = {
  Id: `https://contoso-kv.vault.azure.net/secrets/orders-db/${canary}`,
  VaultName: 'contoso-kv',
  ObjectType: 'Secret',
  ObjectName: 'orders-db',
  Version: 'a'.repeat(32),
  NBF: null,
  EXP: 1_767_225_600,
};
const subject = `orders-db ${canary}`;
const type = 'Microsoft.KeyVault.SecretNearExpiry';
const cloud = { specversion: '1.0', id: '1', source: '/subscriptions/1', time: '2026-01-01T00:00:00Z', type, subject };

export const events = target(
  'events',
  15,
  spoiled(
    { id: '1', topic: '/subscriptions/1', subject, eventType: type, eventTime: '', dataVersion: '1', data },
    { id: '1', eventType: 'Microsoft.KeyVault.SecretNewVersionCreated', subject, data },
    { ...cloud, data },
    { ...cloud, data_base64: Buffer.from(JSON.stringify(data)).toString('base64') },
    { ...cloud, datacontenttype: 'application/json', data: JSON.stringify(data) },
    [{ ...cloud, data }],
  ),
  async (event) => {
    const heard = hear();
    const { put } = await takeSecretEvent(vaults, event, heard.log);
    if (put === undefined) return heard.check();
    must(JSON.stringify(put.message).length < 48_000, 'what an event leads to fits into a message');
    holdsNoSecret('the message', put.message);
    if (put.queue === queueNames.rotations) {
      const request = rotationRequest.parse(put.message);
      must(
        vaults.has(request.vault) && request.mode === 'scheduled',
        'an event asks for what is due in a vault of the app',
      );
    } else if (put.queue === queueNames.checks) {
      const { vault, version } = checkRequest.parse(put.message);
      must(vaults.has(vault) && version !== undefined, 'an event asks for a look at one version in a vault of the app');
    } else {
      must(put.queue === poisonQueueOf(queueNames.rotations), 'an event leads to one of three queues');
      await namePoison(inMemory().app, queueNames.rotations, put.message, heard.log);
    }
    heard.check();
  },
);
