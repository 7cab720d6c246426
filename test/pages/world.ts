/** The world in which the pages are typed: a local Azure with the built app, a vault called contoso-kv, servers behind its secrets. */
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { localApiKeys } from '../../local/api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import { type Certificates, makeCertificates } from '../../local/certificates.ts';
import { child, launcher, type Outcome } from '../cli/harness.ts';
import { builtApp } from '../paths/built-app.ts';
import { root } from '../tidy/files.ts';
import { type Front, startFront } from './front.ts';
import { type Shell, startShell } from './shell.ts';
import { startTarget, type Target, type TargetKind } from './targets.ts';

const never = '0 0 0 1 1 *';
const program = (name: string): string => fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));

/** Ids that the pages leave to the reader: named in docs/on-call/README.md and docs/errors/README.md. */
const ids = {
  VAULT_ID: '/subscriptions/s/resourceGroups/keyturn-rg/providers/Microsoft.KeyVault/vaults/contoso-kv',
  STORAGE_ID: '/subscriptions/s/resourceGroups/keyturn-rg/providers/Microsoft.Storage/storageAccounts/keyturnstore',
  RESOURCE_ID: '/subscriptions/s/resourceGroups/data-rg/providers/Microsoft.Storage/storageAccounts/contosodata',
  SITE_ID: '/subscriptions/s/resourceGroups/shop-rg/providers/Microsoft.Web/sites/shop',
  CONTAINER_APP_ID: '/subscriptions/s/resourceGroups/shop-rg/providers/Microsoft.App/containerApps/shop-job',
  WORKSPACE_ID: '/subscriptions/s/resourceGroups/ops-rg/providers/Microsoft.OperationalInsights/workspaces/ops',
  ACTION_GROUP_ID:
    '/subscriptions/s/resourceGroups/keyturn-rg/providers/Microsoft.Insights/actionGroups/keyturn-rotate',
  WORKSPACE: '00000000-0000-4000-8000-00000000000a',
  APP_PRINCIPAL_ID: '00000000-0000-4000-8000-00000000000b',
  APP_OBJECT_ID: '00000000-0000-4000-8000-00000000000c',
  TENANT_ID: '00000000-0000-4000-8000-00000000000d',
  CLIENT_ID: '00000000-0000-4000-8000-00000000000e',
  KEY_ID: '00000000-0000-4000-8000-00000000000f',
  REVISION: 'shop--0000001',
};

/** What orders-db starts as, where it is not what is usual for its target. */
export interface Reset {
  readonly value?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface World {
  readonly azure: LocalAzure;
  readonly folder: string;
  /** PEM of the authority that every certificate here is signed by. */
  readonly authority: string;
  target(kind: TargetKind): Promise<Target>;
  /** Secrets, logins and what Keyturn keeps of orders-db, as on the first day. */
  reset(target: Target, how?: Reset): Promise<void>;
  /** The same once more, as the page began. */
  again(target: Target): Promise<void>;
  keyturn(...words: readonly string[]): Promise<Outcome>;
  /** Rejects when the exit code is not 0. */
  must(...words: readonly string[]): Promise<Outcome>;
  vaultCall(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Disables the newest version. */
  disable(name: string): Promise<unknown>;
  shell(kinds: readonly TargetKind[]): Promise<Shell>;
  close(): Promise<void>;
}

const hosts = [
  ...['127.0.0.1', 'orders-pg.postgres.database.azure.com', 'orders-pg.example.com', 'keyturn-app.azurewebsites.net'],
  ...['contoso-kv.vault.azure.net', 'hooks.contoso.com'],
];

const bsdDate = `case "$*" in *-d*) echo "date: illegal option -- d" >&2; exit 1 ;; esac
if [ "$1 $2" = '-u -v' ]; then days=\${3#+}; exec /usr/bin/date -u -d "+\${days%d} days" "$4"; fi
exec /usr/bin/date "$@"`;

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-pages-'));
  const certificates = await makeCertificates({ hosts });
  const azure = await startLocalAzure({
    vaultName: 'contoso-kv',
    app: await builtApp(),
    postgres: false,
    settings: {
      ...{ KEYTURN_SWEEP_SCHEDULE: never, KEYTURN_DRIFT_SCHEDULE: never },
      KEYTURN_TRUSTED_CERTIFICATES: certificates.ca,
    },
    // As long as in paths/stage.ts, and for the same reason.
    queues: { maxPollingMs: 100, retrySeconds: 1, lockSeconds: 30 },
  });
  const front = await startFront(certificates, azure.host.url);
  const env = await environment(folder, azure, certificates, front);
  const targets = new Map<TargetKind, Promise<Target>>();
  const target = (kind: TargetKind): Promise<Target> => {
    const started = targets.get(kind) ?? startTarget(kind, certificates, folder);
    targets.set(kind, started);
    return started;
  };
  const keyturn = (...words: readonly string[]) => child(process.execPath, [launcher, ...words], { env });
  const must = async (...words: readonly string[]): Promise<Outcome> => {
    const outcome = await keyturn(...words);
    if (outcome.exit !== 0) throw new Error(`keyturn ${words.join(' ')}: ${outcome.err}`);
    return outcome;
  };
  let latest: Reset = {};
  const again = async (of: Target): Promise<void> => {
    await of.reset();
    await plant(azure, of, latest);
    await keyturn('resume', 'orders-db', '--reason', 'a new page');
  };
  const vaultCall = (method: string, path: string, body?: unknown) => callVault(azure, method, path, body);
  return {
    ...{ azure, folder, target, keyturn, must, again, vaultCall },
    authority: certificates.ca,
    reset: async (of, how = {}) => {
      latest = how;
      await again(of);
    },
    disable: (name) => {
      const newest = azure.vault.versions(name).at(-1)?.id ?? '';
      return vaultCall('PATCH', `/secrets/${name}/${newest}`, { attributes: { enabled: false } });
    },
    shell: async (kinds) => {
      const all = await Promise.all(kinds.map(target));
      for (const one of all) await one.reset();
      const own = Object.assign({}, ...all.map((one) => one.env));
      const options: string | undefined = own.PAGES_ADMIN_CNF;
      if (options !== undefined) await copyFile(options, join(folder, 'admin.cnf'));
      return startShell(await mkdtemp(join(folder, 'shell-')), { ...env, ...own }, folder);
    },
    close: async () => {
      for (const one of targets.values()) await (await one).close();
      await front.close();
      await azure.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function environment(folder: string, azure: LocalAzure, certificates: Certificates, front: Front) {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const words: Readonly<Record<string, string>> = {
    az: `exec '${process.execPath}' '${program('az')}' "$@"`,
    sqlcmd: `exec '${process.execPath}' '${program('sqlcmd')}' "$@"`,
    keyturn: `exec '${process.execPath}' '${launcher}' "$@"`,
    // As on macOS: no -d, and -v in its place.
    date: bsdDate,
    kubectl:
      'case "$*" in "rollout restart deployment/"*) echo "$3 restarted" ;; *) echo "error: unknown command" >&2; exit 1 ;; esac',
  };
  for (const [name, line] of Object.entries(words)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(bin, name), 0o755);
  }
  await symlink(join(root, 'runbooks'), join(folder, 'runbooks'));
  const authority = join(folder, 'our-ca.pem');
  await writeFile(authority, certificates.ca);
  await writeFile(join(folder, '.curlrc'), `connect-to = "::127.0.0.1:${front.port}"\ncacert = "${authority}"\n`);
  for (const name of ['channels.json', 'slack-url.txt', 'admin-key.txt', 'keyturn-previous.zip'])
    await writeFile(join(folder, name), '{}');
  return {
    ...ids,
    ...{ PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: folder, TMPDIR: folder, LC_ALL: 'C.UTF-8' },
    ...{ KEYTURN_URL: azure.host.url, KEYTURN_KEY: localApiKeys.emergency, PAGES_VAULT: azure.vault.url },
    // What OpenSSL, libpq and curl trust besides the system.
    ...{ SSL_CERT_FILE: authority, PGSSLROOTCERT: authority },
  };
}

/** Names of every secret that a page makes. */
const ofPages = [
  'orders-db',
  'orders-admin',
  'keyturn-pending-orders-db',
  'billing-key',
  'mail-key',
  'webhook-key',
  'storage-key',
  'partner-app',
];

async function callVault({ vault }: LocalAzure, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${vault.url}${path}?api-version=7.5`, {
    method,
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.text();
}

/** The secrets of the pages go, and come as they were on the first day. */
async function plant(azure: LocalAzure, of: Target, { value = of.value, tags = {} }: Reset): Promise<void> {
  const { vault } = azure;
  for (const name of ofPages) {
    await callVault(azure, 'DELETE', `/secrets/${name}`);
    await callVault(azure, 'DELETE', `/deletedsecrets/${name}`);
  }
  vault.put('orders-admin', { value: of.admin, tags: { serves: 'orders-db' } });
  vault.put('orders-db', {
    value,
    contentType: 'text/plain',
    tags:
      tags['rotator'] === undefined
        ? { rotator: of.rotator, strategy: of.strategy, admin: 'orders-admin', overlap: 'P2D', ...tags }
        : tags,
    expiresSeconds: vault.clock.nowSeconds() + 90 * 86_400,
  });
  vault.put('billing-key', { value: 'a-key-of-billing', tags: { rotator: 'manual', owner: 'Billing team' } });
  for (const name of ['mail-key', 'storage-key', 'partner-app', 'wildcard-cert', 'storage-connection'])
    vault.put(name, { value: `the-first-value-of-${name}` });
}
