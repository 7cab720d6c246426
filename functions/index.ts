/** The app's entry: settings first, then one registration for each trigger. An app whose settings are wrong does not start. */
import { readSettings, SettingsInvalid } from '../shared/config/settings.ts';
import { logTo } from '../shared/telemetry.ts';
import { registerHttp } from './http.ts';
import { appLoader } from './load-app.ts';
import { registerNotify } from './notify.ts';
import { registerOnSecretEvent } from './on-secret-event.ts';
import { registerPoison } from './poison.ts';
import { registerRetire } from './retire.ts';
import { registerRotate } from './rotate.ts';
import { registerTimers } from './timers.ts';

const outcome = readSettings(process.env);
if (outcome.kind === 'invalid') throw new SettingsInvalid(outcome.problems);
const { settings } = outcome;
const load = appLoader(settings);

registerOnSecretEvent(new Set(settings.vaults.map((vault) => vault.name)));
registerRotate(load);
registerRetire(load);
registerNotify(load);
registerPoison(load);
registerHttp(load);
registerTimers(load, { sweep: settings.sweep.schedule, drift: settings.drift.schedule });

const { keys, tenant, platformVouches } = settings.access;
if (keys.length === 0 && tenant === undefined && !platformVouches) {
  const detail = 'Nobody can call the HTTP API: set KEYTURN_API_KEYS, or KEYTURN_TENANT_ID and KEYTURN_API_AUDIENCE.';
  logTo(console).warn('access-not-configured', { detail });
}
