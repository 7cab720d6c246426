/**
 * What an Azure tenant has around its vaults, for programs that look for secrets: subscriptions, vaults and resources at Resource Manager, app
 * registrations at Microsoft Graph. One server plays both.
 */
import { type Asked, type Reply, type StandInServer, startServer } from './providers/server.ts';

export interface EstateVault {
  readonly name: string;
  readonly url: string;
}

export interface EstateApplication {
  readonly appId: string;
  readonly displayName: string;
  readonly secrets: readonly { readonly keyId: string; readonly displayName: string; readonly endsAt: string }[];
}

export interface EstateResource {
  readonly name: string;
  /** As Resource Manager has it: `Microsoft.Storage/storageAccounts`. */
  readonly type: string;
}

export interface EstateContents {
  readonly vaults: readonly EstateVault[];
  readonly applications?: readonly EstateApplication[];
  readonly resources?: readonly EstateResource[];
}

export interface Estate extends StandInServer {
  /** The only token that is accepted; absent: any. */
  readonly token: string | undefined;
}

export const estateSubscription = '77777777-7777-7777-7777-777777777777';
const group = `/subscriptions/${estateSubscription}/resourceGroups/local`;
/** Lists come in pages of so many, so that whoever reads them has to follow the link. */
const pageSize = 10;

export function resourceIdOf({ type, name }: EstateResource): string {
  return `${group}/providers/${type}/${name}`;
}

/** To be closed by `close`. */
export async function startEstate(contents: EstateContents, token?: string): Promise<Estate> {
  const server = await startServer((asked) => answer(contents, token, asked));
  return { ...server, token };
}

function answer(contents: EstateContents, token: string | undefined, asked: Asked): Reply {
  const given = /^Bearer (\S+)$/.exec(asked.header('authorization') ?? '')?.[1];
  if (given === undefined || (token !== undefined && given !== token))
    return refused(401, 'InvalidAuthenticationToken');
  if (asked.method !== 'GET') return refused(405, 'MethodNotAllowed');
  if (asked.path === '/v1.0/applications')
    return page(asked, (contents.applications ?? []).map(application), '@odata.nextLink');
  if (asked.url.searchParams.get('api-version') === null) return refused(400, 'MissingApiVersionParameter');
  switch (asked.path) {
    case '/subscriptions':
      return page(asked, [{ subscriptionId: estateSubscription, displayName: 'local', state: 'Enabled' }], 'nextLink');
    case `/subscriptions/${estateSubscription}/providers/Microsoft.KeyVault/vaults`:
      return page(asked, contents.vaults.map(vaultEntry), 'nextLink');
    case `/subscriptions/${estateSubscription}/resources`: {
      const entries = (contents.resources ?? []).map((one) => ({
        id: resourceIdOf(one),
        name: one.name,
        type: one.type,
      }));
      return page(asked, entries, 'nextLink');
    }
    default:
      return refused(404, 'ResourceNotFound');
  }
}

function vaultEntry({ name, url }: EstateVault) {
  const type = 'Microsoft.KeyVault/vaults';
  return { id: resourceIdOf({ type, name }), name, type, properties: { vaultUri: `${url}/` } };
}

/** Graph never shows a secret, only how it begins. */
function application({ appId, displayName, secrets }: EstateApplication) {
  const passwordCredentials = secrets.map((one) => ({
    ...{ keyId: one.keyId, displayName: one.displayName, endDateTime: one.endsAt },
    ...{ startDateTime: '2025-01-01T00:00:00Z', hint: 'abc', secretText: null },
  }));
  return { id: appId, appId, displayName, passwordCredentials, keyCredentials: [] };
}

function page(asked: Asked, entries: readonly unknown[], link: string): Reply {
  const start = Number(asked.url.searchParams.get('$skiptoken') ?? '0');
  const next = start + pageSize;
  if (next >= entries.length) return { status: 200, body: { value: entries.slice(start) } };
  const url = new URL(asked.url);
  url.searchParams.set('$skiptoken', String(next));
  return { status: 200, body: { value: entries.slice(start, next), [link]: url.href } };
}

function refused(status: number, code: string): Reply {
  return { status, body: { error: { code, message: `The stand-in answered ${code}.` } } };
}
