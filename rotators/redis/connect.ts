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
import type { Address } from './connection.ts';
import type { FleetOptions } from './fleet.ts';
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
): FleetOptions {
  const sentinelName = step.adminEndpoint.options['servicename'];
  return {
    seeds: [addressOf(step.adminEndpoint), addressOf(step.endpoint)],
    logins,
    tlsFor: (address) => tlsFor(step, environment, address),
    connectTimeoutMs: environment.connectTimeoutMs,
    signal: step.signal,
    remainingMs: step.remainingMs,
    ...(sentinelName === undefined ? {} : { sentinelName }),
  };
}

/** Plain connections go to loopback only, and only where TLS was not asked for. */
export function tlsFor(
  step: RedisStep,
  environment: RotatorEnvironment,
  address: Address,
): ConnectionOptions | undefined {
  const wish = asksForTls(step.adminEndpoint) || asksForTls(step.endpoint) ? 'required' : 'unsaid';
  if (!usesTls({ ...address, options: {} }, wish)) return undefined;
  const trusted = authorities(environment.trustedCertificates);
  const seed = step.adminEndpoint.host;
  const names = [address.host, seed];
  const serverName = names.find((name) => isIP(name) === 0);
  return {
    ...(trusted === undefined ? {} : { ca: [...trusted] }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(serverName === undefined ? {} : { servername: serverName }),
    // Nodes announce themselves by an address that is rarely in a certificate. One that is valid for the host a person wrote is
    // proof enough, because only that host's owner can have it.
    checkServerIdentity: (_host, certificate) => {
      const errors = names.map((name) => checkServerIdentity(name, certificate));
      return errors.includes(undefined) ? undefined : errors[0];
    },
  };
}

function asksForTls(endpoint: Endpoint): boolean {
  const { ssl = '', tls = '', scheme = '' } = endpoint.options;
  const yes = /^(true|1|yes|on|required?)$/i;
  return yes.test(ssl) || yes.test(tls) || scheme.toLowerCase() === 'rediss';
}
