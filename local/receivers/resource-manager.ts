/**
 * Azure Resource Manager as far as sites and container apps go: references to a vault that are read again when that is asked for, and
 * restarts. As strict as the service: bearer token, exact api-version, 404 for everything unknown.
 */
import { type Asked, type Reply, type StandInServer, startServer } from '../providers/server.ts';

export interface SiteReference {
  readonly setting: string;
  /** As written in the setting: `@Microsoft.KeyVault(…)`. */
  readonly reference: string;
  readonly vault: string;
  readonly secret: string;
  /** The version the site holds. */
  activeVersion: string;
  status: string;
}

export interface Site {
  readonly id: string;
  readonly references: SiteReference[];
  restarts: number;
  refreshes: number;
  /** How often the site says "not yet" after a refresh. */
  lag: number;
}

export interface ContainerApp {
  readonly id: string;
  readonly revisions: readonly { readonly name: string; readonly active: boolean }[];
  /** Names of revisions, in the order of their restarts. */
  readonly restarts: string[];
}

export interface ResourceManager extends StandInServer {
  readonly token: string;
  site(id: string, references?: readonly SiteReference[]): Site;
  containerApp(id: string, revisions: ContainerApp['revisions']): ContainerApp;
}

/** A site, and how often it still says "not yet". */
type HeldSite = Site & { waiting: number };
type Newest = (vault: string, secret: string) => string | undefined;

const siteVersion = '2022-03-01';
const appVersion = '2025-07-01';

/** `newest`: the vault's newest version of a secret, which a refreshed reference takes. */
export async function startResourceManager(token: string, newest: Newest): Promise<ResourceManager> {
  const sites: HeldSite[] = [];
  const apps: ContainerApp[] = [];

  const server = await startServer((asked) => {
    if (asked.header('authorization') !== `Bearer ${token}`) return problem(401, 'InvalidAuthenticationToken');
    const path = asked.path.toLowerCase();
    const owns = ({ id }: { readonly id: string }) => path.startsWith(`${id.toLowerCase()}/`);
    const site = sites.find(owns);
    if (site !== undefined) return onSite(site, asked, asked.path.slice(site.id.length), newest);
    const app = apps.find(owns);
    return app === undefined ? problem(404, 'ResourceNotFound') : onApp(app, asked, asked.path.slice(app.id.length));
  });

  return {
    ...server,
    token,
    site(id, references = []) {
      const site = { id, references: [...references], restarts: 0, refreshes: 0, lag: 0, waiting: 0 };
      sites.push(site);
      return site;
    },
    containerApp(id, revisions) {
      const app = { id, revisions, restarts: [] };
      apps.push(app);
      return app;
    },
  };
}

function problem(status: number, code: string): Reply {
  return { status, body: { error: { code, message: code } } };
}

function onSite(site: HeldSite, asked: Asked, rest: string, newest: Newest): Reply {
  if (asked.url.searchParams.get('api-version') !== siteVersion) return problem(400, 'InvalidApiVersionParameter');
  if (asked.method === 'POST' && rest === '/restart') {
    site.restarts += 1;
    return { status: 200 };
  }
  if (asked.method === 'POST' && rest === '/config/configreferences/appsettings/refresh') {
    site.refreshes += 1;
    site.waiting = site.lag;
    return { status: 200, body: { value: [] } };
  }
  if (asked.method !== 'GET' || rest !== '/config/configreferences/appsettings') return problem(404, 'NotFound');
  if (site.refreshes > 0) readAgain(site, newest);
  const value = site.references.map((one) => ({
    name: one.setting,
    type: 'Microsoft.Web/sites/config/configreferences',
    properties: {
      ...{ reference: one.reference, status: one.status, activeVersion: one.activeVersion, source: 'KeyVault' },
      ...{ vaultName: one.vault, secretName: one.secret, details: '' },
    },
  }));
  return { status: 200, body: { value, nextLink: null } };
}

function readAgain(site: HeldSite, newest: Newest): void {
  if (site.waiting > 0) {
    site.waiting -= 1;
    return;
  }
  for (const one of site.references) {
    if (one.status !== 'Resolved' || /SecretVersion=/.test(one.reference)) continue;
    one.activeVersion = newest(one.vault, one.secret) ?? one.activeVersion;
  }
}

function onApp(app: ContainerApp, asked: Asked, rest: string): Reply {
  if (asked.url.searchParams.get('api-version') !== appVersion) return problem(400, 'InvalidApiVersionParameter');
  if (asked.method === 'GET' && rest === '/revisions') {
    const value = app.revisions.map(({ name, active }) => ({ name, properties: { active } }));
    return { status: 200, body: { value } };
  }
  const name = /^\/revisions\/([^/]+)\/restart$/.exec(rest)?.[1];
  if (asked.method !== 'POST' || !app.revisions.some((one) => one.name === name)) return problem(404, 'NotFound');
  app.restarts.push(name ?? '');
  return { status: 200 };
}
