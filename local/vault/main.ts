/** `npm run emulator`: one vault until Ctrl-C. */
import { parseArgs } from 'node:util';
import { adminPrefix } from './admin.ts';
import { type PolicyOptions, startVaultEmulator, type VaultEmulator } from './index.ts';

const usage = `A local Azure Key Vault: the secrets API, over http and https on one port.

  npm run emulator -- [options]

  --port N          port to listen on (default 8443; 0: any free one)
  --name NAME       name of the vault, as events carry it (default local)
  --limits on|off   the service's limits on calls per 10 s (default on)
  --deny LIST       Azure Policies of effect Deny, with commas between: expiration-date, content-type, maximum-validity=DAYS
  --empty           start without the two sample secrets
  --json            print one line of JSON instead of text
  --help            this text

What can be done to it while it runs (clock, faults, events): docs/emulator.md
`;

interface Settings {
  readonly port: number;
  readonly name: string;
  readonly limitsOn: boolean;
  readonly policies: Partial<PolicyOptions>;
  readonly empty: boolean;
  readonly json: boolean;
}

type Read =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problem: string };

const dayMs = 86_400_000;

/** Reads the command line. Never throws: what is wrong is a sentence. */
export function readCommandLine(args: readonly string[]): Read {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return { kind: 'wrong', problem: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: 'help' };
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    return { kind: 'wrong', problem: `--port must be a number from 0 to 65535, not "${values.port}".` };
  if (values.limits !== 'on' && values.limits !== 'off')
    return { kind: 'wrong', problem: `--limits must be on or off, not "${values.limits}".` };
  const policies = readPolicies(values.deny);
  if (policies === undefined) {
    const problem = `--deny takes expiration-date, content-type, maximum-validity=DAYS, with commas between, not "${values.deny}".`;
    return { kind: 'wrong', problem };
  }
  const { name, empty, json } = values;
  return { kind: 'settings', settings: { port, name, limitsOn: values.limits === 'on', policies, empty, json } };
}

/** Undefined where a word is none of the three. */
function readPolicies(list: string | undefined): Partial<PolicyOptions> | undefined {
  const all = (list?.split(',') ?? []).map((word) => readPolicy(word.trim()));
  return all.includes(undefined) ? undefined : Object.assign({}, ...all);
}

function readPolicy(word: string): Partial<PolicyOptions> | undefined {
  if (word === 'expiration-date') return { expirationDate: true };
  if (word === 'content-type') return { contentType: true };
  const days = /^maximum-validity=([1-9]\d{0,4})$/.exec(word)?.[1];
  return days === undefined ? undefined : { maximumValidityDays: Number(days) };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '8443' },
      name: { type: 'string', default: 'local' },
      limits: { type: 'string', default: 'on' },
      deny: { type: 'string' },
      empty: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;
}

async function start(settings: Settings): Promise<VaultEmulator | string> {
  const { port, name, limitsOn, policies } = settings;
  try {
    return await startVaultEmulator({ port, name, limits: { on: limitsOn }, policies });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      return `Port ${port} is taken by another program. End it, or choose another port: npm run emulator -- --port ${port + 1}`;
    if (error instanceof Error && 'code' in error && error.code === 'EACCES')
      return `Port ${port} may not be opened by you. Choose one above 1023: npm run emulator -- --port 8443`;
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function putSamples(vault: VaultEmulator): void {
  const day = Math.floor(dayMs / 1000);
  const nowSeconds = vault.clock.nowSeconds();
  vault.put('sample-password', { value: 'not-a-real-password', expiresSeconds: nowSeconds + 90 * day });
  vault.put('sample-note', { value: 'no expiry, no rotation', contentType: 'text/plain' });
}

function describe(vault: VaultEmulator, json: boolean): string {
  const { name, url, httpsUrl, certificate } = vault;
  const admin = `${url}${adminPrefix}/`;
  if (json) return `${JSON.stringify({ name, url, httpsUrl, admin, certificate })}\n`;
  return `Vault "${name}" is ready.

  http    ${url}
  https   ${httpsUrl}
  admin   ${admin}

Try it (any bearer token is accepted):

  curl -X PUT '${url}/secrets/hello?api-version=7.5' -H 'Authorization: Bearer any' -H 'Content-Type: application/json' -d '{"value":"world"}'
  curl '${url}/secrets/hello?api-version=7.5' -H 'Authorization: Bearer any'
  curl -X POST '${admin}clock' -H 'Content-Type: application/json' -d '{"advanceDays":60}'

Ctrl-C ends it; nothing is kept.
`;
}

async function main(): Promise<void> {
  const read = readCommandLine(process.argv.slice(2));
  if (read.kind === 'help') {
    process.stdout.write(usage);
    return;
  }
  const started = read.kind === 'wrong' ? `${read.problem}\n\n${usage}` : await start(read.settings);
  if (read.kind === 'wrong' || typeof started === 'string') {
    process.stderr.write(`${started}\n`);
    process.exitCode = 2;
    return;
  }
  if (!read.settings.empty) putSamples(started);
  process.stdout.write(describe(started, read.settings.json));
  // Whichever signal comes, the port is given back and the process ends by itself.
  const end = () => void started.close();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}

if (import.meta.main) await main();
