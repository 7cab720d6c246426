/** The app's entry: settings first, then every function of the table. An app whose settings are wrong does not start. */
import { readSettings, SettingsInvalid } from '../shared/config/settings.ts';
import { logTo } from '../shared/telemetry.ts';
import { appLoader } from './load-app.ts';
import { acceptStreams, register } from './register.ts';
import { allFunctions } from './table.ts';

const outcome = readSettings(process.env);
if (outcome.kind === 'invalid') throw new SettingsInvalid(outcome.problems);
const { settings } = outcome;
const load = appLoader(settings);

const placed = {
  vaults: new Set(settings.vaults.map((vault) => vault.name)),
  schedules: { sweep: settings.sweep.schedule, drift: settings.drift.schedule },
};
acceptStreams();
for (const one of allFunctions(placed)) register(one, load);

const { keys, tenant, platformVouches } = settings.access;
if (keys.length === 0 && tenant === undefined && !platformVouches) {
  const detail = 'Nobody can call the HTTP API: set KEYTURN_API_KEYS, or KEYTURN_TENANT_ID and KEYTURN_API_AUDIENCE.';
  logTo(console).warn('access-not-configured', { detail });
}
