import type { Api } from '../shared/api/serve.ts';
import type { Settings } from '../shared/config/settings.ts';
import type { Schedule } from './schedule.ts';
import type { Tell } from './tell.ts';
import type { Work } from './work.ts';

export interface LoadedApp {
  readonly work: Work;
  readonly tell: Tell;
  /** Loaded when the first request comes: workers have no use for it. */
  readonly api: () => Promise<Api>;
  readonly schedule: () => Promise<Schedule>;
}

/** The app behind the triggers, made when the first work arrives: a function that only enqueues starts without any of it. */
export type LoadApp = () => Promise<LoadedApp>;

export function appLoader(settings: Settings): LoadApp {
  let loading: ReturnType<LoadApp> | undefined;
  return () => {
    loading ??= load(settings);
    return loading;
  };
}

async function load(settings: Settings): Promise<LoadedApp> {
  const modules = [import('./compose.ts'), import('./work.ts'), import('./tell.ts')] as const;
  const [{ compose }, { workOf }, { tellWith }] = await Promise.all(modules);
  const app = await compose(settings);
  let api: Promise<Api> | undefined;
  let schedule: Promise<Schedule> | undefined;
  return {
    work: workOf(app),
    tell: tellWith(app.notifier),
    api: () => {
      api ??= import('./compose-api.ts').then(({ composeApi }) => composeApi(app, settings));
      return api;
    },
    schedule: () => {
      schedule ??= import('./schedule.ts').then(({ scheduleOf }) => scheduleOf(app, settings));
      return schedule;
    },
  };
}
