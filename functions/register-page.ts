import { app, type InvocationContext } from '@azure/functions';
import { logTo } from '../shared/telemetry.ts';
import { guarded } from './guard.ts';
import type { AppFunction } from './table.ts';

/** Tells the platform of the function that serves the dashboard. It needs no settings, and costs the start nothing: all of it is loaded when asked for. */
export function registerPage({ name, route, methods }: Extract<AppFunction, { kind: 'page' }>): void {
  app.http(name, {
    ...{ authLevel: 'anonymous', methods: [...methods], route },
    handler: ({ method, url, headers }, context: InvocationContext) =>
      guarded(name, logTo(context), async () => {
        const { answerPage } = await import('./page.ts');
        const header = (wanted: string) => headers.get(wanted) ?? undefined;
        return answerPage({ method, path: new URL(url).pathname, header });
      }),
  });
}
