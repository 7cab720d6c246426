import type { Settings } from '../shared/config/settings.ts';
import type { Work } from './work.ts';

/** The app behind the triggers, made when the first work arrives: a function that only enqueues starts without any of it. */
export type LoadApp = () => Promise<{ readonly work: Work }>;

export function appLoader(settings: Settings): LoadApp {
  let loading: ReturnType<LoadApp> | undefined;
  return () => {
    loading ??= load(settings);
    return loading;
  };
}

async function load(settings: Settings): Promise<{ readonly work: Work }> {
  const [{ compose }, { workOf }] = await Promise.all([import('./compose.ts'), import('./work.ts')]);
  const app = await compose(settings);
  return { work: workOf(app) };
}
