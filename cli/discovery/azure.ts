/** Resource Manager, Graph and the vaults, in the name of whoever is signed in with `az login`; or those of the local stack. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Asked, AzureRefused, all, type Service, serviceAt } from '../../infra/hooks/azure.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { azTokens } from '../az-login.ts';
import type { Context } from '../command.ts';
import { readLocalEstate } from '../local-stack.ts';
import { managerOf } from '../manager.ts';
import { usageStop } from '../trouble.ts';
import type { Blind } from './finding.ts';

export interface AzureServices {
  readonly manager: Service;
  readonly graph: Service;
  /** Stops where the address is not one of a vault: the token goes to vaults alone. */
  vault(name: string, uri: string): Service;
}

const publicGraph = 'https://graph.microsoft.com';

export async function servicesFor({ given, env }: Context): Promise<AzureServices> {
  if (given.flag('local')) {
    const { url, token } = await readLocalEstate();
    const local = (base: string): Service => patient(serviceAt(base, async () => token));
    return { manager: local(url), graph: local(url), vault: (_name, uri) => local(loopbackOnly(uri)) };
  }
  const graph = env['AZURE_GRAPH_URL']?.trim() || publicGraph;
  const url = URL.parse(graph);
  if (url === null || (url.protocol !== 'https:' && !isLoopback(url.hostname)))
    throw usageStop('AZURE_GRAPH_URL cannot be used', `Leave it out, or set it like ${publicGraph}.`);
  const tokens: VaultTokens = new Map();
  return {
    manager: patient(managerOf(env)),
    graph: patient(serviceAt(url.origin, tokenOf(url.origin))),
    vault: (name, uri) => vaultService(tokens, name, uri),
  };
}

function tokenOf(audience: string): () => Promise<string> {
  const headers = azTokens(audience);
  return async () => ((await headers())['authorization'] ?? '').replace(/^Bearer /, '');
}

/** One token serves all vaults of a cloud: its audience is their domain. */
type VaultTokens = Map<string, () => Promise<string>>;

function vaultService(tokens: VaultTokens, name: string, uri: string): Service {
  const url = URL.parse(uri);
  const host = url?.hostname ?? '';
  if (url !== null && isLoopback(host)) return patient(serviceAt(url.origin, tokenOf(url.origin)));
  const prefix = `${name.toLowerCase()}.vault.`;
  if (url === null || url.protocol !== 'https:' || !host.toLowerCase().startsWith(prefix))
    throw new AzureRefused(`the vault ${name} has an address that is not one of a vault`);
  const audience = `https://${host.slice(name.length + 1)}`;
  const token = tokens.get(audience) ?? tokenOf(audience);
  tokens.set(audience, token);
  return patient(serviceAt(url.origin, token));
}

function loopbackOnly(uri: string): string {
  const url = URL.parse(uri);
  if (url === null || !isLoopback(url.hostname))
    throw new AzureRefused('the local stack named a vault of somewhere else');
  return url.origin;
}

/** Waits where the service asks for it, and reads again what got no answer: every request here only looks. */
const pausesMs = [1_000, 3_000, 9_000];

function patient(service: Service): Service {
  return {
    async ask(asked: Asked) {
      for (const pauseMs of pausesMs) {
        const answer = await service.ask(asked);
        if (answer.status !== 429 && answer.status !== 503) return answer;
        await sleep(pauseMs);
      }
      return service.ask(asked);
    },
  };
}

export type Looked<Value> =
  | { readonly kind: 'looked'; readonly value: Value }
  | { readonly kind: 'blind'; readonly blind: Blind };

/** Every entry of a list; what is refused, or gets no answer, is named and nothing else stops. */
export async function listed(
  service: Service,
  path: string,
  blind: Omit<Blind, 'why'>,
): Promise<Looked<readonly unknown[]>> {
  return look(() => all(service, path), blind);
}

export async function look<Value>(work: () => Promise<Value>, blind: Omit<Blind, 'why'>): Promise<Looked<Value>> {
  try {
    return { kind: 'looked', value: await work() };
  } catch (error) {
    // A fetch that fails is a TypeError, one that takes too long a TimeoutError.
    const isWire = error instanceof AzureRefused || error instanceof TypeError || error instanceof DOMException;
    if (!isWire) throw error;
    const why = error instanceof AzureRefused ? firstLine(error.message) : 'it gave no answer';
    return { kind: 'blind', blind: { ...blind, why } };
  }
}

/** What a vault says goes on for lines, with ids of the caller. */
function firstLine(text: string): string {
  return (text.split(/[\r\n]/)[0] ?? '').slice(0, 300);
}
