import type { Api } from '../shared/api/serve.ts';
import type { Settings } from '../shared/config/settings.ts';
import type { Log } from '../shared/telemetry.ts';
import { doSecretEvent, type EventWork } from './on-secret-event.ts';
import { once } from './once.ts';
import type { Schedule } from './schedule.ts';
import type { Tell } from './tell.ts';
import type { Work } from './work.ts';

export interface LoadedApp {
  readonly work: Work;
  readonly tell: Tell;
  /** An event of a vault, out of the queue that Event Grid puts it into. */
  readonly secretEvent: (event: unknown, log: Log) => Promise<void>;
  /** Loaded when the first request comes: workers have no use for it. */
  readonly api: () => Promise<Api>;
  readonly schedule: () => Promise<Schedule>;
}

/** The app behind the triggers, made when the first work arrives: a function that only enqueues starts without any of it. */
export type LoadApp = () => Promise<LoadedApp>;

/** A load that failed is tried again with the next work. */
export function appLoader(settings: Settings, load: (settings: Settings) => Promise<LoadedApp> = loadAll): LoadApp {
  return once(() => load(settings));
}

async function loadAll(settings: Settings): Promise<LoadedApp> {
  const modules = [import('./compose.ts'), import('./work.ts'), import('./tell.ts')] as const;
  const [{ compose }, { workOf }, { tellWith }] = await Promise.all(modules);
  const app = await compose(settings);
  const work = workOf(app);
  const schedule = once(async () => (await import('./schedule.ts')).scheduleOf(app, settings));
  const vaults = new Set(app.engine.vaults.keys());
  const events: EventWork = {
    rotate: work.rotate,
    check: async (...given) => (await schedule()).check(...given),
    refuse: async (...given) => (await import('./name-poison.ts')).namePoison(app, ...given),
  };
  return {
    work,
    tell: tellWith(app.notifier),
    secretEvent: (event, log) => doSecretEvent(vaults, events, event, log),
    api: once(async () => (await import('./compose-api.ts')).composeApi(app, settings)),
    schedule,
  };
}
