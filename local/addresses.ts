/** Where the parts of the local Azure are, for programs and for people. */
import { fileURLToPath } from 'node:url';
import { localApiKeys } from './api-keys.ts';
import type { LocalAzure } from './azure.ts';
import type { Estate } from './estate.ts';
import { samples } from './samples.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../.local/${name}`, import.meta.url));

/** Where `keyturn --local` finds this stack. With keys in it, so for this user alone. */
export const addressFile = folder('azure.json');

/** The authority that signed the certificate of the vault's https address. */
export const authorityFile = folder('vault-authority.pem');

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

/** What a person reads at the start. */
export function describeAddresses(
  { vault, host, api, estate, postgres, storage, samples }: Addresses,
  empty: boolean,
): string {
  const lines = [
    ['vault', `${vault.url}  (any bearer token; clock and faults under /_emulator/)`],
    ['', `${vault.httpsUrl}  (authority ${vault.authority})`],
    ['functions', `${host.url}  (master key ${host.keys.master})`],
    ['api', `${api.url}  (x-keyturn-key: ${api.keys.operator})`],
    ['azure', `${estate.url}  (Resource Manager and Graph, for "keyturn discover --local")`],
    ['postgres', postgres.url ?? ''],
    ['storage', `${storage.blob}, ${storage.queue}, ${storage.table}`],
    ['samples', empty ? 'none' : samples.join(', ')],
  ] as const;
  return `${lines.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}

Trust the vault's https address (Node.js; for Python REQUESTS_CA_BUNDLE, for curl --cacert):
  export NODE_EXTRA_CA_CERTS='${vault.authority}'

Move the vault's clock to see its secrets rotated:
  curl -X POST ${vault.control}clock -H 'content-type: application/json' -d '{"advanceDays": 61}'

ready`;
}
