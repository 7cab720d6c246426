/** `npm run describe`: writes docs/openapi.json, the description that the app serves. A test fails when the two differ. */
import { writeFile } from 'node:fs/promises';
import { compose } from '../functions/compose.ts';
import { openApiDocument } from '../shared/api/openapi.ts';
import type { Route } from '../shared/api/route.ts';
import { allRoutes } from '../shared/api/routes.ts';
import { readSettings, SettingsInvalid } from '../shared/config/settings.ts';

export const documentPath = new URL('../docs/openapi.json', import.meta.url);

/** The routes of an app that is never used: nothing is connected. */
export async function describedRoutes(): Promise<{ readonly routes: readonly Route[]; readonly version: string }> {
  const outcome = readSettings({
    KEYTURN_VAULTS: 'local=http://127.0.0.1:1',
    KEYTURN_CREDENTIAL: 'local',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  });
  if (outcome.kind === 'invalid') throw new SettingsInvalid(outcome.problems);
  const app = await compose(outcome.settings);
  return { routes: allRoutes(app), version: app.version };
}

export async function documentText(): Promise<string> {
  const { routes, version } = await describedRoutes();
  return `${JSON.stringify(openApiDocument(routes, version), null, 2)}\n`;
}

if (import.meta.main) {
  await writeFile(documentPath, await documentText());
  const { routes } = await describedRoutes();
  for (const { method, path, needs, summary } of routes)
    console.log(`| \`${method} ${path}\` | ${needs} | ${summary} |`);
}
