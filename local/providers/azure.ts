/**
 * Azure Resource Manager for resources with keys, and the services themselves as far as a login goes. Keeps state: a regenerated key is
 * gone. As strict as the services: bearer token, exact api-version, exact body, 404 for everything unknown.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type DataPlane, startDataPlane } from './azure-data-plane.ts';
import { type Service, services } from './azure-services.ts';
import { type Asked, type Reply, readJson, type StandInServer, startServer } from './server.ts';

export interface NewResource {
  /** ARM id. The resources that it is part of come with it. */
  readonly id: string;
  readonly kind?: string;
  /** Besides the addresses, which the stand-in fills in where it plays the service. */
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly ownerProperties?: Readonly<Record<string, unknown>>;
}

export interface AzureResource {
  readonly id: string;
  /** Current keys by slot. */
  readonly keys: ReadonlyMap<string, string>;
  /** Ids of keys by slot, where the service has them. */
  readonly ids: ReadonlyMap<string, string>;
  readonly properties: Record<string, unknown>;
  readonly ownerProperties: Record<string, unknown>;
  /** Asks the service itself, where the stand-in plays it; otherwise whether it is a key of the resource. */
  login(key: string): boolean;
  /** The service goes on taking old keys and refusing new ones for so many logins after a regeneration. */
  lag(logins: number): void;
  readonly dataPlane: StandInServer | undefined;
}

export interface AzureStandIn extends StandInServer {
  /** The token that is let in; every other one is 401. */
  readonly token: string;
  add(resource: NewResource): Promise<AzureResource>;
  /** Rights of the caller, as `…/action` or with `*`; everything by default. */
  grant(actions: readonly string[]): void;
}

interface Held {
  readonly resource: AzureResource;
  readonly service: Service;
  readonly plane: DataPlane | undefined;
  readonly keys: Map<string, string>;
  readonly ids: Map<string, string>;
  readonly kind: string | undefined;
}

const apiVersionOfPermissions = '2022-04-01';

interface Operation {
  left: number;
  readonly finish: () => void;
  readonly style: 'operation' | 'location';
}

/** What Resource Manager knows, and how it answers. */
class Subscription {
  readonly held: Held[] = [];
  readonly owners = new Map<string, { readonly apiVersion: string; readonly properties: Record<string, unknown> }>();
  rights: readonly string[] = ['*'];
  readonly token: string;
  readonly #operations = new Map<string, Operation>();

  constructor(token: string) {
    this.token = token;
  }

  answer(asked: Asked): Reply {
    if (asked.header('authorization') !== `Bearer ${this.token}`) return problem(401, 'InvalidAuthenticationToken');
    const operation = /^\/subscriptions\/[^/]+\/providers\/operations\/([^/]+)$/.exec(asked.path)?.[1];
    if (operation !== undefined) return this.#poll(operation, asked.url.origin);
    const id = asked.path.toLowerCase();
    const permissions = id.replace(/\/providers\/microsoft\.authorization\/permissions$/, '');
    if (permissions !== id) return this.#permissions(asked, permissions);
    const found = this.held.find(({ resource }) => `${id}/`.startsWith(`${resource.id.toLowerCase()}/`));
    if (found !== undefined) return this.#onResource(asked, found);
    const owner = this.owners.get(id);
    if (owner === undefined) return problem(404, 'ResourceNotFound');
    if (asked.url.searchParams.get('api-version') !== owner.apiVersion)
      return problem(400, 'InvalidApiVersionParameter');
    return { status: 200, body: { id: asked.path, properties: owner.properties } };
  }

  #onResource(asked: Asked, one: Held): Reply {
    const { service, resource, kind } = one;
    if (asked.url.searchParams.get('api-version') !== service.apiVersion)
      return problem(400, 'InvalidApiVersionParameter');
    const action = asked.path.slice(resource.id.length + 1);
    if (action === '') {
      if (asked.method !== 'GET') return problem(405, 'MethodNotAllowed');
      return {
        status: 200,
        body: { id: resource.id, ...(kind === undefined ? {} : { kind }), properties: resource.properties },
      };
    }
    if (asked.method !== 'POST') return problem(404, 'NotFound');
    const right = action.split('/')[0] ?? '';
    if (!this.rights.some((granted) => granted === '*' || granted === right))
      return problem(403, 'AuthorizationFailed');
    if (action === service.list) return { status: 200, body: service.listing(one.keys, one.ids) };
    const json = asked.header('content-type')?.startsWith('application/json') === true;
    if (asked.body !== '' && !json) return problem(415, 'UnsupportedMediaType');
    const slot = service.regenerates(action, asked.body === '' ? undefined : readJson(asked.body), one.ids);
    return slot === undefined ? problem(400, 'InvalidRequestContent') : this.#regenerate(one, slot, asked.url.origin);
  }

  #regenerate(one: Held, slot: string, origin: string): Reply {
    const finish = (): void => {
      one.plane?.regenerated();
      one.keys.set(slot, newKey(one.resource.id));
      // Whether the id changes is not documented: the harder case is played.
      if (one.ids.has(slot)) one.ids.set(slot, newKeyId());
    };
    const { answer: style } = one.service;
    if (style === 'operation' || style === 'location') {
      const id = randomUUID();
      this.#operations.set(id, { left: 1, finish, style });
      const name = style === 'operation' ? 'azure-asyncoperation' : 'location';
      return { status: 202, headers: { [name]: addressOf(origin, id), 'retry-after': '0' } };
    }
    finish();
    if (style === 'none') return { status: 204 };
    return style === 'empty' ? { status: 202 } : { status: 200, body: one.service.listing(one.keys, one.ids) };
  }

  #poll(id: string, origin: string): Reply {
    const operation = this.#operations.get(id);
    if (operation === undefined) return problem(404, 'OperationNotFound');
    const wait = { 'retry-after': '0' };
    if (operation.left > 0) {
      operation.left -= 1;
      if (operation.style === 'location') return { status: 202, headers: { location: addressOf(origin, id), ...wait } };
      return { status: 200, headers: wait, body: { status: 'InProgress' } };
    }
    operation.finish();
    this.#operations.delete(id);
    return { status: 200, body: operation.style === 'location' ? {} : { status: 'Succeeded' } };
  }

  #permissions(asked: Asked, id: string): Reply {
    const one = this.held.find((known) => known.resource.id.toLowerCase() === id);
    if (one === undefined || asked.url.searchParams.get('api-version') !== apiVersionOfPermissions) {
      return problem(404, 'NotFound');
    }
    const type = typeOf(one.resource.id);
    const actions = this.rights.map((right) => (right === '*' ? '*' : `${type}/${right}/action`));
    return { status: 200, body: { value: [{ actions, notActions: [] }] } };
  }
}

/** Starts Resource Manager without a resource. `token`: the one that is let in; a random one when absent. */
export async function startAzureResourceManager(token = randomBytes(32).toString('base64url')): Promise<AzureStandIn> {
  const subscription = new Subscription(token);
  const server = await startServer((asked) => subscription.answer(asked));
  return {
    ...server,
    token: subscription.token,
    grant: (actions) => {
      subscription.rights = actions;
    },
    add: async (wanted) => {
      const held = await hold(wanted);
      const { resource, service } = held;
      subscription.held.push(held);
      subscription.owners.set(ownerOf(resource.id).toLowerCase(), {
        apiVersion: service.apiVersion,
        properties: resource.ownerProperties,
      });
      return resource;
    },
    async close() {
      await Promise.all([server.close(), ...subscription.held.map(({ plane }) => plane?.close())]);
    },
  };
}

async function hold({ id, kind, properties = {}, ownerProperties = {} }: NewResource): Promise<Held> {
  const type = typeOf(id).toLowerCase();
  const service = services[type];
  if (service === undefined) throw new Error(`the stand-in has no ${type}`);
  const keys = new Map(service.slots.map((slot) => [slot, newKey(id)]));
  const hasIds = type.includes('appconfiguration');
  const ids = new Map(hasIds ? service.slots.map((slot) => [slot, newKeyId()]) : []);
  const plane = await startDataPlane(type, { id, keys, ids });
  const resource: AzureResource = {
    id,
    keys,
    ids,
    properties: { provisioningState: 'Succeeded', ...plane?.properties, ...properties },
    ownerProperties: { ...plane?.ownerProperties, ...ownerProperties },
    login: (key) => [...keys.values()].includes(key),
    lag: (logins) => plane?.lag(logins),
    dataPlane: plane?.server,
  };
  return { resource, service, plane, keys, ids, kind };
}

function addressOf(origin: string, operation: string): string {
  return `${origin}/subscriptions/s/providers/operations/${operation}`;
}

function newKeyId(): string {
  return `x-l0-s0:${randomUUID()}`;
}

function newKey(id: string): string {
  // Storage and Cosmos DB list 64 bytes in base64; the others shorter ones.
  return randomBytes(/storage|documentdb|batch/i.test(id) ? 64 : 32).toString('base64');
}

function typeOf(id: string): string {
  const [provider = '', ...path] = (id.split('/providers/')[1] ?? '').split('/');
  return [provider, ...path.filter((_, index) => index % 2 === 0)].join('/');
}

function ownerOf(id: string): string {
  const [scope = '', rest = ''] = id.split('/providers/');
  return `${scope}/providers/${rest.split('/').slice(0, 3).join('/')}`;
}

function problem(status: number, code: string): Reply {
  return { status, body: { error: { code, message: `The stand-in answered ${code}.` } } };
}
