/** Shows that rotations work: one secret, made for it, from its first version to the next. */
import { randomBytes } from 'node:crypto';
import { all, must as mustBe, type Service } from '../../infra/hooks/azure.ts';
import { textAt } from '../../infra/hooks/json.ts';
import { askAndFollow } from '../asked.ts';
import { followEvent, rotationsBefore } from '../by-event.ts';
import type { Command, Context } from '../command.ts';
import type { Exit } from '../exit-codes.ts';
import { managerOf, withAzure } from '../manager.ts';
import { type Named, secretNamed } from '../names.ts';
import { waitOptions } from '../options.ts';
import { usageStop } from '../trouble.ts';

export const selftestSecret = 'keyturn-selftest';
const apiVersion = '2026-02-01';
// Far from due: an event or a sweep that rotates it first would be another rotation than the one that is looked at.
const livesSeconds = 90 * 86_400;

export const selftest: Command = {
  name: 'selftest',
  summary: 'make the secret keyturn-selftest, have it rotated end to end, and put it out of use again',
  takes: '',
  count: [0, 0],
  options: {
    'vault-id': {
      type: 'string',
      value: 'ID',
      help: 'resource id of the vault (found by its name in the subscription)',
    },
    'by-event': {
      type: 'boolean',
      help: 'ask for nothing: the event of the vault has to bring the rotation, through Event Grid',
    },
    subscription: { type: 'string', value: 'ID', help: 'subscription of the vault (AZURE_SUBSCRIPTION_ID)' },
    ...waitOptions,
  },
  about: `The secret is written through Resource Manager, with your "az login": it takes the role Contributor on the vault, and no right on the
secrets in it. The app rotates it as any other. At the end the version is disabled and the tags are taken away, so that
nothing looks after it; the next time it gets another version.`,
  examples: [
    'keyturn selftest',
    'keyturn selftest --by-event --timeout 600',
    'keyturn selftest --vault contoso-kv --subscription 11111111-2222-3333-4444-555555555555',
  ],
  role: 'operator',
  async run(context) {
    const { api, vault, terminal, env } = context;
    const manager = managerOf(env);
    const named = await secretNamed(api, [selftestSecret], vault);
    const hint = `You need the role Contributor on the vault ${named.vault}: az role assignment create --role Contributor --scope VAULT_ID --assignee YOU`;
    const path = await withAzure(hint, async () => {
      const id = context.given.text('vault-id') ?? (await vaultIdOf(manager, named, subscriptionOf(context)));
      return `${id}/secrets/${selftestSecret}?api-version=${apiVersion}`;
    });
    const byEvent = context.given.flag('by-event');
    const before = byEvent ? await rotationsBefore(context, named) : new Set<string>();
    const body = fresh(context.now(), byEvent);
    await withAzure(hint, () => mustBe(manager, { method: 'PUT', path, body }, 200, 201));
    terminal.err(`${named.vault}/${selftestSecret} has a first version`);
    let exit: Exit = 'failed';
    try {
      exit = byEvent
        ? await followEvent(context, named, before)
        : await askAndFollow(context, [{ named, action: 'rotate', body: { reason: 'keyturn selftest' } }]);
    } finally {
      // Also after Ctrl-C or a failure: a secret that nobody wants must not be found due again and again.
      await withAzure(hint, () => mustBe(manager, { method: 'PATCH', path, body: outOfUse }, 200));
    }
    terminal.err(
      `${named.vault}/${selftestSecret} is disabled again. To see it: keyturn history ${selftestSecret} --steps`,
    );
    return exit;
  },
};

// The vault announces the expiry at once, and it is due by its tags.
const nearlyOverSeconds = 10 * 86_400;

function fresh(now: Date, due: boolean) {
  const seconds = due ? nearlyOverSeconds : livesSeconds;
  return {
    tags: { rotator: 'self-issued', ...(due ? { 'valid-for': 'P60D', 'rotate-before': 'P20D' } : {}) },
    properties: {
      value: randomBytes(32).toString('base64url'),
      contentType: 'text/plain',
      attributes: { enabled: true, exp: Math.floor(now.getTime() / 1000) + seconds },
    },
  };
}

const outOfUse = { tags: {}, properties: { attributes: { enabled: false } } };

function subscriptionOf({ given, env }: Context): string {
  const subscription = given.text('subscription') ?? env['AZURE_SUBSCRIPTION_ID']?.trim() ?? '';
  if (subscription !== '') return subscription;
  throw usageStop(
    'the subscription of the vault is not known',
    'Give --vault-id, or --subscription, or set AZURE_SUBSCRIPTION_ID: az account show --query id -o tsv',
  );
}

async function vaultIdOf(manager: Service, { vault }: Named, subscription: string): Promise<string> {
  const path = `/subscriptions/${subscription}/providers/Microsoft.KeyVault/vaults?api-version=${apiVersion}`;
  const found = (await all(manager, path)).find((one) => textAt(one, 'name').toLowerCase() === vault.toLowerCase());
  if (found !== undefined) return textAt(found, 'id');
  throw usageStop(
    `the subscription ${subscription} has no vault ${vault}`,
    'Give its --vault-id: az keyvault show -n NAME --query id -o tsv',
  );
}
