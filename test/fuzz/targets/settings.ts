/** The app's settings: whatever they hold, every problem is named and no value is quoted. */
import fc from 'fast-check';
import { settingTable } from '../../../shared/config/setting-table.ts';
import { readSettings, SettingsInvalid } from '../../../shared/config/settings.ts';
import { hostile, type Json, spoiled } from '../inputs.ts';
import { canary, holdsNoSecret, must, target } from '../target.ts';

const names = [...Object.keys(settingTable), 'KEYTURN_ODD', 'NODE_DEBUG', 'DEBUG'];

const channels: readonly Json[] = [
  { ops: { kind: 'webhook', url: 'https://hooks.contoso.test/x', signingSecret: 'contoso-kv/hook' }, more: canary },
  { chat: { kind: 'slack', url: 'contoso-kv/slack' } },
];

const fitting = [
  ...['https://contoso-kv.vault.azure.net', 'P90D', 'PT1M', '5', 'public', 'default', '0 */15 * * * *', '/tmp', ''],
  ...[`AccountName=keyturn;AccountKey=${canary}`, 'keyturnstore', 'login@db.contoso.test', '*.contoso.test', 'ops'],
];

/** An environment holds no NUL. */
const value: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom(...fitting) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom(...fitting), hostile).map(([text, more]) => `${text}${more}${canary}`),
    },
    { weight: 1, arbitrary: spoiled(...channels).map((one) => JSON.stringify(one)) },
  )
  .map((text) => text.replaceAll('\0', ''));

const environment = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
const inputs = fc
  .tuple(environment, fc.subarray(names, { maxLength: 8 }))
  .map(([all, kept]) => Object.fromEntries(Object.entries(all).filter(([name]) => kept.includes(name))));

export const settings = target('settings', 5, inputs, (given) => {
  const outcome = readSettings(given);
  if (outcome.kind === 'settings') return;
  must(outcome.problems.length > 0, 'settings that are refused have a problem');
  holdsNoSecret('the error at start', new SettingsInvalid(outcome.problems).message);
});
