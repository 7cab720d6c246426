/** The app's entry: settings first, then every function of the table. An app whose settings are wrong refuses with all its functions. */
import { removeLoud } from '../shared/config/loud.ts';
import { settingTable } from '../shared/config/setting-table.ts';
import { readSettings, type Settings } from '../shared/config/settings.ts';
import { logTo } from '../shared/telemetry.ts';
import { appLoader } from './load-app.ts';
import { acceptStreams, afterStart, register } from './register.ts';
import { registerRefusing } from './register-refusing.ts';
import { allFunctions } from './table.ts';

const silenced = removeLoud(process.env);
acceptStreams();
const outcome = readSettings(process.env);
if (outcome.kind === 'settings') start(outcome.settings);
else {
  const schedules = {
    sweep: settingTable.KEYTURN_SWEEP_SCHEDULE.standard,
    drift: settingTable.KEYTURN_DRIFT_SCHEDULE.standard,
  };
  for (const one of allFunctions({ vaults: new Set(), schedules })) registerRefusing(one, outcome.problems);
}

function start(settings: Settings): void {
  const load = appLoader(settings);
  const placed = {
    vaults: new Set(settings.vaults.map((vault) => vault.name)),
    schedules: { sweep: settings.sweep.schedule, drift: settings.drift.schedule },
  };
  for (const one of allFunctions(placed)) register(one, load);
  afterStart(async () => (await import('./make-queues.ts')).makeQueues(settings, logTo(console)));
  const { keys, tenant, platformVouches } = settings.access;
  if (keys.length > 0 || tenant !== undefined || platformVouches) return;
  const detail = 'Nobody can call the HTTP API: set KEYTURN_API_KEYS, or KEYTURN_TENANT_ID and KEYTURN_API_AUDIENCE.';
  logTo(console).warn('access-not-configured', { detail });
}

if (silenced.length > 0) {
  const detail = `${silenced.join(', ')} was removed: it would have libraries print passwords. Take it out of the app's settings.`;
  logTo(console).warn('loud-setting-removed', { detail });
}
