/** Vaults full of secrets that nobody looks after, discovered, onboarded and rehearsed by the commands alone. */
import { exitCodes } from '../../cli/exit-codes.ts';
import { run as runCli } from '../../cli/run.ts';
import { localApiKeys } from '../../local/api-keys.ts';
import { type LocalAzure, type LocalAzureOptions, startLocalAzure } from '../../local/azure.ts';
import { type Estate, startEstate } from '../../local/estate.ts';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { type Generated, generateEstate } from './generate.ts';

export interface Played {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

export interface Theatre {
  readonly azure: LocalAzure;
  readonly vaults: readonly VaultEmulator[];
  readonly generated: readonly Generated[];
  /** One command, as a script runs it. */
  keyturn(...words: readonly string[]): Promise<Played>;
  /** Calls of the vaults that were refused because they came too fast. */
  throttled(): number;
  close(): Promise<void>;
}

/** Documented limits are on. To be closed by `close`. */
export async function startTheatre(
  { vaults: vaultCount, secrets }: { readonly vaults: number; readonly secrets: number },
  options: LocalAzureOptions = {},
): Promise<Theatre> {
  const names = Array.from({ length: vaultCount }, (_, at) => `team-${String(at).padStart(2, '0')}`);
  const vaults = await Promise.all(names.map((name) => startVaultEmulator({ name })));
  const opened: { close(): unknown }[] = [...vaults];
  const close = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  };
  try {
    const settings = { ...options.settings, KEYTURN_VAULTS: vaults.map(({ name, url }) => `${name}=${url}`).join(',') };
    const azure = await startLocalAzure({ ...options, settings });
    opened.push(azure);
    const estate = await startEstate({ vaults });
    opened.push(estate);
    if (azure.postgres === undefined) throw new Error('the logins are of a Postgres');
    const generated = await generateEstate(vaults, azure.postgres, secrets);
    const throttled = () =>
      vaults.reduce((sum, { calls }) => sum + calls.latest.filter(({ status }) => status === 429).length, 0);
    return { azure, vaults, generated, throttled, close, keyturn: (...words) => play(azure, estate, words) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function play(azure: LocalAzure, estate: Estate, words: readonly string[]): Promise<Played> {
  const [out, err]: [string[], string[]] = [[], []];
  const started = performance.now();
  const exit = await runCli([...words, '--json'], {
    terminal: {
      out: (line) => out.push(line),
      write: (text) => out.push(text),
      err: (line) => err.push(line),
      live: () => undefined,
      columns: undefined,
      colour: { out: false, err: false },
      ask: async () => undefined,
      input: async () => undefined,
    },
    env: {
      ...{ KEYTURN_URL: azure.host.url, KEYTURN_KEY: localApiKeys.emergency },
      ...{ AZURE_RESOURCE_MANAGER_URL: estate.url, AZURE_GRAPH_URL: estate.url },
    },
    signal: new AbortController().signal,
    version: async () => '0.0.0',
  });
  return { exit: exitCodes[exit].code, out: out.join('\n'), err: err.join('\n'), ms: performance.now() - started };
}
