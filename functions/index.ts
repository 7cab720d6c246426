/** The app's entry: settings first, then one registration for each trigger. An app whose settings are wrong does not start. */
import { readSettings, SettingsInvalid } from '../shared/config/settings.ts';
import { appLoader } from './load-app.ts';
import { registerOnSecretEvent } from './on-secret-event.ts';
import { registerPoison } from './poison.ts';
import { registerRetire } from './retire.ts';
import { registerRotate } from './rotate.ts';

const outcome = readSettings(process.env);
if (outcome.kind === 'invalid') throw new SettingsInvalid(outcome.problems);
const { settings } = outcome;
const load = appLoader(settings);

registerOnSecretEvent(new Set(settings.vaults.map((vault) => vault.name)));
registerRotate(load);
registerRetire(load);
registerPoison(load);
