/** `npm run demo`: real databases, clients that never stop calling, secrets near their expiry, and what Keyturn makes of it. */
import { parseArgs } from 'node:util';
import { paint, wrapped } from '../lines.ts';

const usage = `npm run demo [-- OPTIONS]

  --steps   every step of each rotation, with its time
  --stay    keeps all of it up until Ctrl-C, to be looked at in the dashboard
  --json    one JSON document for machines instead of the story`;

const opening =
  'Keyturn: secrets come near their expiry and are rotated, while their clients call real databases without a pause. ' +
  'About a minute; no account, no network, nothing stays behind.';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      steps: { type: 'boolean', default: false },
      stay: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  // Before anything else is loaded, which takes seconds on a small machine.
  if (!values.json)
    console.log(`${wrapped(opening).join('\n')}\n\n${paint('bold', 'Starting servers on this machine')}`);
  const { runDemo } = await import('./run.ts');
  process.exitCode = (await runDemo(values)) ? 0 : 1;
}

await main();
