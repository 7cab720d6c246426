/** Where the parts of the local Azure are, for programs and for people. */
import { join } from 'node:path';
import { localApiKeys } from './api-keys.ts';
import type { LocalAzure } from './azure.ts';
import type { Estate } from './estate.ts';
import { samples } from './samples.ts';

/** Of the folder that the stack is started in: npm starts it in the project's. `keyturn --local` looks there and in those above. */
export const localFolder = join(process.cwd(), '.local');
const folder = (name: string): string => join(localFolder, name);

/** Where `keyturn --local` finds this stack. With keys in it, so for this user alone. */
export const addressFile = folder('azure.json');

/** The authority that signed the certificate of the vault's https address. */
export const authorityFile = folder('vault-authority.pem');

/** Sets `VAULT`, `POSTGRES` and the authority in a shell that sources it. With passwords in it, so for this user alone. */
export const environmentFile = folder('env.sh');

export interface Addresses {
  readonly vault: {
    readonly name: string;
    readonly url: string;
    readonly httpsUrl: string;
    /** File of the authority to trust for the https address. */
    readonly authority: string;
    readonly control: string;
    readonly token: string;
  };
  readonly api: { readonly url: string; readonly keys: typeof localApiKeys };
  /** Resource Manager and Graph, as far as a look around needs them. */
  readonly estate: { readonly url: string; readonly token: string };
  readonly host: { readonly url: string; readonly keys: LocalAzure['host']['keys']; readonly events: string };
  readonly postgres: { readonly url: string | undefined };
  readonly storage: {
    readonly connectionString: string;
    readonly blob: string;
    readonly queue: string;
    readonly table: string;
  };
  readonly settings: Readonly<Record<string, string>>;
  readonly samples: readonly string[];
}

export function addressesOf({ vault, host, postgres, storage, settings }: LocalAzure, estate: Estate): Addresses {
  const { name, url, httpsUrl } = vault;
  return {
    vault: { name, url, httpsUrl, authority: authorityFile, control: `${url}/_emulator/`, token: 'any' },
    api: { url: `${host.url}/api/v1`, keys: localApiKeys },
    estate: { url: estate.url, token: 'any' },
    host: { url: host.url, keys: host.keys, events: host.eventGridUrl('onSecretEvent') },
    postgres: { url: postgres?.adminUrl },
    storage: {
      connectionString: storage.connectionString,
      blob: storage.blobUrl,
      queue: storage.queueUrl,
      table: storage.tableUrl,
    },
    settings,
    samples: samples.map(({ secret }) => secret),
  };
}

/** Lines for a POSIX shell. */
export function environmentText({ vault, postgres }: Pick<Addresses, 'vault' | 'postgres'>): string {
  const lines = { VAULT: vault.url, POSTGRES: postgres.url ?? '', NODE_EXTRA_CA_CERTS: vault.authority };
  return Object.entries(lines)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
}
