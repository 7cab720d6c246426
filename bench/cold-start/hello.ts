/** The smallest function app there is: what every app of the Node.js model pays before it does anything of its own. */
import { app } from '@azure/functions';

app.http('hello', { handler: () => ({ body: 'hello' }) });
