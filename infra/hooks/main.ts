/**
 * `node infra/hooks/main.ts preflight | preprovision | postprovision | left-behind`: what azd calls around `azd up`, and what you may call
 * yourself. Needs Node 22.18, az signed in, and for the two in the middle azd; no package.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AzureRefused, serviceAt } from './azure.ts';
import { parsed, textAt } from './json.ts';
import { preflight } from './preflight.ts';
import { afterProvision, beforeProvision, leftBehind, tellProblems, type World } from './steps.ts';
import { wantedOf } from './wanted.ts';

const run = promisify(execFile);
const usage = 'node infra/hooks/main.ts preflight | preprovision | postprovision | left-behind';

/** Tokens of whoever is signed in with az, each asked for once: a hook is over before it runs out. */
function tokens(resource: string): () => Promise<string> {
  let known: Promise<string> | undefined;
  const ask = async (): Promise<string> => {
    const { stdout } = await run('az', ['account', 'get-access-token', '--resource', resource, '-o', 'json'], {
      shell: process.platform === 'win32',
    });
    return textAt(parsed(stdout), 'accessToken');
  };
  return () => {
    known ??= ask();
    return known;
  };
}

// Another cloud, and in tests a stand-in: the address is a matter of the environment, as it is for az.
const managerUrl = process.env['AZURE_RESOURCE_MANAGER_URL'] ?? 'https://management.azure.com';
const graphUrl = process.env['AZURE_GRAPH_URL'] ?? 'https://graph.microsoft.com';

const world: World = {
  azure: { manager: serviceAt(managerUrl, tokens(managerUrl)), graph: serviceAt(graphUrl, tokens(graphUrl)) },
  env: process.env,
  say: (line) => console.log(line),
  keep: async (name, value) => {
    await run('azd', ['env', 'set', name, value], { shell: false });
  },
  readRunbook: () => readFile(new URL('../../runbooks/rotate_secret.py', import.meta.url), 'utf8'),
};

async function main(step: string | undefined): Promise<number> {
  switch (step) {
    case 'preflight': {
      const problems = await preflight(world.azure, wantedOf(world.env));
      if (problems.length > 0) tellProblems(problems, world.say);
      else world.say('Preflight: rights, region, names and vaults are as they must be.');
      return problems.length === 0 ? 0 : 1;
    }
    case 'preprovision':
      return (await beforeProvision(world)) ? 0 : 1;
    case 'postprovision':
      await afterProvision(world);
      return 0;
    case 'left-behind':
      await leftBehind(world);
      return 0;
    default:
      console.error(usage);
      return 2;
  }
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  // What az prints may be long; its own words say most, and hold no token where it failed.
  const said =
    error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').slice(-3).join('\n') : '';
  console.error(
    error instanceof Error ? `${error.message.split('\n')[0]}${said === '' ? '' : `\n${said}`}` : String(error),
  );
  if (!(error instanceof AzureRefused)) console.error('Is az signed in? Run: az login');
  process.exitCode = 1;
}
