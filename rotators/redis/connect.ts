/** From a step to connections: whose credentials, which hosts, TLS or not. */
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { authorities } from '../../shared/authorities.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import { ownToken } from '../common/token.ts';
import { usesTls } from '../common/transport.ts';
import { type Address, nodeName } from './connection.ts';
import { type Fault, fault } from './fault.ts';
import type { FleetOptions, Transport } from './fleet.ts';
import type { RedisTags } from './tags.ts';

/** Scope of Entra tokens for Azure Cache for Redis and Azure Managed Redis. */
const entraScope = 'https://redis.azure.com/.default';
const defaultPort = 6379;

export type RedisStep = Step<RedisTags>;

export function addressOf(endpoint: Endpoint): Address {
  return { host: endpoint.host, port: endpoint.port ?? defaultPort };
}

/** What to log in with to make changes. `own` are the login's own credentials, for a self-rotation, tried in this order. */
export async function adminLogins(
  step: RedisStep,
  own: readonly Credential[],
): Promise<{ readonly kind: 'logins'; readonly logins: readonly Credential[] } | Failure> {
  switch (step.admin.kind) {
    case 'self':
      return { kind: 'logins', logins: own };
    case 'connection':
      return { kind: 'logins', logins: [step.admin.credential] };
    case 'identity': {
      const { username, getToken } = step.admin;
      const given = await ownToken(step, getToken, entraScope);
      if (given.kind === 'token') return { kind: 'logins', logins: [{ username, password: given.token }] };
      const at = { secret: step.secret, target: step.adminEndpoint.host, detail: given.detail };
      if (given.unreachable) return failure('target-unreachable', at, given.cause);
      return failure('admin-refused', { ...at, admin: adminName(step) }, given.cause);
    }
  }
}

/** How to reach all nodes of the step's target. */
export function fleetOptions(
  step: RedisStep,
  environment: RotatorEnvironment,
  logins: readonly Credential[],
  about: FleetOptions['about'],
): FleetOptions {
  const sentinelName = step.adminEndpoint.options['servicename'];
  const seeds = [...listed(step.adminEndpoint), addressOf(step.endpoint)];
  return {
    seeds,
    logins: withoutTwins(logins),
    transportFor: (address) => transportFor(step, environment, address),
    connectTimeoutMs: environment.connectTimeoutMs,
    signal: step.signal,
    remainingMs: step.remainingMs,
    about,
    ...(sentinelName === undefined ? {} : { sentinelName }),
  };
}

/** All hosts that the connection names. */
function listed(endpoint: Endpoint): readonly Address[] {
  const hosts = endpoint.hosts ?? [endpoint];
  return hosts.map(({ host, port }) => ({ host, port: port ?? endpoint.port ?? defaultPort }));
}

// A credential that was refused once need not be tried again under another of its roles.
function withoutTwins(logins: readonly Credential[]): readonly Credential[] {
  const same = (one: Credential, other: Credential) =>
    one.username === other.username && one.password.equals(other.password);
  return logins.filter((login, index) => logins.findIndex((other) => same(other, login)) === index);
}

/**
 * How to connect to a node. Nodes announce themselves, and so may anybody who is let in as a replica; an announced address is no reason to
 * send a password there. Over TLS the certificate has to be valid for a host that a person wrote, whatever the address: only that host's
 * owner can have it. A host that the app's settings list may also have a certificate of its own name. A plain connection goes to loopback
 * only, and there to no other host than those written.
 */
export function transportFor(step: RedisStep, environment: RotatorEnvironment, address: Address): Transport | Fault {
  const wish = asksForTls(step.adminEndpoint) || asksForTls(step.endpoint) ? 'required' : 'unsaid';
  const named = [...listed(step.adminEndpoint), ...listed(step.endpoint)].map(({ host }) => host);
  const written = [...new Set(named)];
  if (!usesTls({ ...address, options: {} }, wish)) {
    if (written.includes(address.host)) return { kind: 'plain' };
    const detail = `another node announced this address, and the admin connection does not name ${address.host}. Keyturn sends no password there without TLS`;
    return fault('rejected', nodeName(address), detail);
  }
  const names = environment.listsHost?.(address.host) === true ? [...written, address.host] : written;
  const trusted = authorities(environment.trustedCertificates);
  const serverName = [address.host, ...written].find((name) => isIP(name) === 0);
  const tls: ConnectionOptions = {
    ...(trusted === undefined ? {} : { ca: [...trusted] }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(serverName === undefined ? {} : { servername: serverName }),
    checkServerIdentity: (_host, certificate) => {
      const errors = names.map((name) => checkServerIdentity(name, certificate));
      return errors.includes(undefined) ? undefined : errors[0];
    },
  };
  return { kind: 'tls', tls };
}

function asksForTls(endpoint: Endpoint): boolean {
  const { ssl = '', tls = '', scheme = '' } = endpoint.options;
  const yes = /^(true|1|yes|on|required?)$/i;
  return yes.test(ssl) || yes.test(tls) || scheme.toLowerCase() === 'rediss';
}
