/** Where the page begins. */
import { render } from 'preact';
import { makeClient } from './state/client.ts';
import { watchFleet } from './state/fleet-watch.ts';
import { startRouter } from './state/router.ts';
import { keepSession } from './state/session.ts';
import { startTheme } from './state/theme.ts';
import { App } from './views/app.tsx';

const keeper = keepSession(() => client);
const client = makeClient((how) => keeper.lost(how));
const watch = watchFleet(client);
const router = startRouter();
const theme = startTheme();
const root = document.getElementById('app');
if (root !== null) render(<App client={client} keeper={keeper} router={router} theme={theme} watch={watch} />, root);
void keeper.begin();
