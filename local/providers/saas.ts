/**
 * The providers whose descriptions come with Keyturn, on one loopback port: their paths do not overlap. Keeps state: a revoked key is
 * refused. Written from the providers' documentation, apart from the descriptions.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { builtIn } from '../../rotators/http-keys/descriptions/index.ts';
import { routes } from './saas-routes.ts';
import { type StandInServer, startServer } from './server.ts';

/** A key that a provider has issued. */
export interface SaasKey {
  readonly id: string;
  readonly label: string;
  readonly secret: string;
  /** What it may do, where the provider knows such a thing. */
  readonly rights: unknown;
}

export interface SaasProvider {
  /** The admin's key as the vault's value holds it. */
  readonly admin: string;
  /** The tag `resource`, where the provider needs one. */
  readonly resource: string | undefined;
  readonly keys: ReadonlyMap<string, SaasKey>;
  /** Issues a key as a person would, and gives back its value as the vault holds it, and its id. */
  issue(label: string, rights?: unknown): { readonly id: string; readonly value: string };
  /** Whether the provider takes the value now. */
  login(value: string): boolean;
  /** New keys are refused for so many logins after they are issued. */
  lag(logins: number): void;
}

export interface SaasStandIn extends StandInServer {
  readonly providers: Readonly<Record<SaasName, SaasProvider>>;
  /** The description that comes with Keyturn, with this server's address in place of the provider's. */
  description(name: SaasName): unknown;
}

export const saasNames = [
  'sendgrid',
  'twilio',
  'datadog',
  'cloudflare',
  'openai',
  'mongodb-atlas',
  'confluent',
  'new-relic',
] as const;
export type SaasName = (typeof saasNames)[number];

/** How ids, keys and admin keys of a provider look. `pair`: the value is `id:secret`. */
const shapes: Readonly<
  Record<
    SaasName,
    { id: () => string; secret: (id: string) => string; resource?: string; pair?: true; adminPair?: true }
  >
> = {
  sendgrid: {
    id: () => randomBytes(16).toString('base64url'),
    secret: (id) => `SG.${id}.${randomBytes(32).toString('base64url')}`,
  },
  twilio: {
    id: () => `SK${randomBytes(16).toString('hex')}`,
    secret: text,
    resource: `AC${'0a'.repeat(16)}`,
    pair: true,
    adminPair: true,
  },
  datadog: { id: randomUUID, secret: () => randomBytes(16).toString('hex'), resource: 'datadoghq.eu', adminPair: true },
  cloudflare: { id: () => randomBytes(16).toString('hex'), secret: text },
  openai: {
    id: () => `user-${randomBytes(12).toString('hex')}`,
    secret: () => `sk-svcacct-${text()}`,
    resource: 'proj_abc123',
  },
  'mongodb-atlas': {
    id: () => randomBytes(12).toString('hex'),
    secret: () => `mdb_sa_sk_${text()}`,
    resource: `${'0b'.repeat(12)}/mdb_sa_id_${'0c'.repeat(12)}`,
    adminPair: true,
  },
  confluent: {
    id: () => randomBytes(8).toString('hex').toUpperCase(),
    secret: text,
    resource: 'sa-abc123',
    pair: true,
    adminPair: true,
  },
  'new-relic': {
    id: () => randomBytes(32).toString('hex').toUpperCase(),
    secret: () => `NRAK-${text()}`,
    resource: 'api.newrelic.com/1234567/7654321',
  },
};

function text(): string {
  return randomBytes(30).toString('base64url');
}

/** One provider's state, as its routes see it. */
export class SaasState implements SaasProvider {
  readonly admin: string;
  readonly resource: string | undefined;
  readonly keys = new Map<string, SaasKey>();
  readonly #shape: (typeof shapes)[SaasName];
  #lagNext = 0;
  readonly #lagging = new Map<string, number>();

  constructor(name: SaasName) {
    this.#shape = shapes[name];
    this.resource = this.#shape.resource;
    this.admin = this.#shape.adminPair === true ? `admin${randomBytes(8).toString('hex')}:${text()}` : text();
  }

  make(label: string, rights: unknown): SaasKey {
    const id = this.#shape.id();
    const key = { id, label, secret: this.#shape.secret(id), rights };
    this.keys.set(id, key);
    if (this.#lagNext > 0) this.#lagging.set(key.secret, this.#lagNext);
    this.#lagNext = 0;
    return key;
  }

  issue(label: string, rights: unknown = undefined): { readonly id: string; readonly value: string } {
    const key = this.make(label, rights);
    return { id: key.id, value: this.#shape.pair === true ? `${key.id}:${key.secret}` : key.secret };
  }

  /** The key with this secret, if it is let in by now. */
  find(secret: string): SaasKey | undefined {
    const left = this.#lagging.get(secret) ?? 0;
    if (left > 0) {
      this.#lagging.set(secret, left - 1);
      return undefined;
    }
    return [...this.keys.values()].find((key) => key.secret === secret);
  }

  login(value: string): boolean {
    return [...this.keys.values()].some(
      (key) => value === (this.#shape.pair === true ? `${key.id}:${key.secret}` : key.secret),
    );
  }

  lag(logins: number): void {
    this.#lagNext = logins;
  }
}

export async function startSaas(): Promise<SaasStandIn> {
  const providers = {
    sendgrid: new SaasState('sendgrid'),
    twilio: new SaasState('twilio'),
    datadog: new SaasState('datadog'),
    cloudflare: new SaasState('cloudflare'),
    openai: new SaasState('openai'),
    'mongodb-atlas': new SaasState('mongodb-atlas'),
    confluent: new SaasState('confluent'),
    'new-relic': new SaasState('new-relic'),
  };
  const handlers = saasNames.map((name) => routes[name](providers[name]));
  const server = await startServer((asked) => {
    for (const handle of handlers) {
      const reply = handle(asked);
      if (reply !== undefined) return reply;
    }
    return { status: 404, body: { message: 'no such path' } };
  });
  return { ...server, providers, description: (name) => moved(name, server.url) };
}

function moved(name: SaasName, url: string): unknown {
  const found = builtIn.find((one) => typeof one === 'object' && one !== null && 'name' in one && one.name === name);
  const local = rewrite(found, url);
  return typeof local === 'object' && local !== null ? { ...local, hosts: [new URL(url).host] } : local;
}

function rewrite(value: unknown, url: string, key = ''): unknown {
  if (typeof value === 'string') return key === 'url' ? value.replace(/^https:\/\/[^/]+/, url) : value;
  if (Array.isArray(value)) return value.map((item) => rewrite(item, url));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rewrite(item, url, name)]));
}
