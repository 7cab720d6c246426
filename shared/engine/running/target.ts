import type { Credential } from '../../contract/credential.ts';
import { bothRules } from '../../contract/password-rules.ts';
import type { SecretVersion, Vault } from '../../contract/ports.ts';
import type { Admin, Endpoint, Rotator, Step } from '../../contract/rotator.ts';
import type { SecretText } from '../../contract/secret-text.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { isLoopback } from '../../loopback.ts';
import { parseSecretValue, type SecretValue } from '../../secret-value/index.ts';
import type { Current } from '../policy/current.ts';
import { listsHost } from '../policy/glob.ts';
import { labelOf, labelPrefixOf } from '../policy/identifiers.ts';
import type { Policy } from '../policy/policy.ts';
import { readStamp } from '../policy/stamp.ts';
import { lineToAdd, namesTag, readAdminTags } from './admin-tags.ts';
import type { StepTime } from './attempt.ts';
import type { EngineDependencies } from './dependencies.ts';
import { allowHosts, hostsNamed } from './hosts.ts';
import { refusalToServe } from './serves.ts';

/** What a rotation works on: the rotator, and how the current value is written. */
export interface Target {
  readonly kind: 'target';
  readonly rotator: Rotator;
  readonly value: SecretValue;
  readonly credential: Credential;
  /** What the rotator may know, for a call that lasts no longer than `time`. */
  readonly stepFor: (time: StepTime) => Step;
}

type Deps = Pick<
  EngineDependencies,
  'loadRotator' | 'localTargets' | 'targetHosts' | 'identityLogin' | 'getToken' | 'newPassword'
>;

/** Finds credential, admin and endpoint. Reads the vault, touches no target. */
export async function prepare(
  deps: Deps,
  vault: Vault,
  current: Current,
  request: { readonly rotationId: string; readonly emergency: boolean },
  signal: AbortSignal,
): Promise<Target | Failure> {
  const { secret, policy } = current;
  const read = readValue(secret, policy);
  if (isFailure(read)) return read;
  const { value } = read;
  const outside = outsideTargets(deps, secret.name, value, { policy, named: 'its value' });
  if (outside !== undefined) return outside;
  const connection = await findAdmin(deps, vault, current, value, signal);
  if (isFailure(connection)) return connection;
  const credential = credentialOf(secret, value, policy);
  return {
    kind: 'target',
    rotator: await deps.loadRotator(policy.rotator),
    value,
    credential,
    stepFor: (time) => ({
      rotationId: request.rotationId,
      label: labelOf(vault.name, secret.name, secret.version),
      labelPrefix: labelPrefixOf(vault.name, secret.name),
      secret: secret.name,
      strategy: policy.strategy,
      current: credential,
      endpoint: connection.endpoint,
      adminEndpoint: connection.adminEndpoint,
      admin: connection.admin,
      options: policy.options,
      emergency: request.emergency,
      validForMs: policy.validForMs,
      signal: time.signal,
      remainingMs: time.remainingMs,
      ...(policy.password === undefined ? {} : { passwordRules: policy.password }),
      newPassword: (rules) => deps.newPassword(bothRules(policy.password ?? {}, rules ?? {})),
    }),
  };
}

/** How much depends on what the value says: a secret without a target is only replaced, and a provider's address is known without it. */
export function leadsOf({ rotator, strategy }: Policy): 'host' | 'provider' | 'nowhere' {
  if (!strategyTraits[strategy].hasTarget) return 'nowhere';
  return rotator.hostless === true ? 'provider' : 'host';
}

/** The value of one version, read by the policy's format. */
export function readValue(
  secret: SecretVersion,
  policy: Policy,
): { readonly kind: 'parsed'; readonly value: SecretValue } | Failure {
  const parsed = parseSecretValue(secret.value, {
    leads: leadsOf(policy),
    ...(policy.format === undefined ? {} : { format: policy.format }),
    ...(policy.field === undefined ? {} : { field: policy.field }),
    ...(secret.contentType === undefined ? {} : { contentType: secret.contentType }),
  });
  return parsed.kind === 'parsed'
    ? parsed
    : failure('value-unreadable', { secret: secret.name, detail: parsed.detail });
}

/** The credential of one version: the value's, with what only the tags and the stamp know. */
export function credentialOf(secret: SecretVersion, value: SecretValue, policy: Policy): Credential {
  const stamp = readStamp(secret.tags);
  const username = value.credential.username ?? policy.users[0];
  return {
    ...value.credential,
    ...(username === undefined ? {} : { username }),
    ...(stamp?.keyId === undefined ? {} : { keyId: stamp.keyId }),
    ...(stamp?.slot === undefined ? {} : { slot: stamp.slot }),
  };
}

/** The value with another credential. A login that only a tag names has no place in the value and is not written there. */
export function valueWith(
  current: Current,
  target: Target,
  credential: Credential,
): { readonly kind: 'replaced'; readonly value: SecretText } | Failure {
  const { username, ...rest } = credential;
  const tagged = target.value.credential.username === undefined && username === target.credential.username;
  const replaced = target.value.replace(tagged || username === undefined ? rest : { ...rest, username });
  if (replaced.kind === 'replaced') return replaced;
  return failure('value-unreadable', { secret: current.secret.name, detail: replaced.detail });
}

/** Every host that a value names has to fit the app's setting: one of a list that does not would be connected to when the others are down. */
function outsideTargets(
  { targetHosts, localTargets }: Deps,
  secret: string,
  { endpoint }: SecretValue,
  { policy, named }: { readonly policy: Policy; readonly named: string },
): Failure | undefined {
  if (endpoint === undefined || !strategyTraits[policy.strategy].hasTarget) return undefined;
  // On Azure loopback is the app's own machine, where nothing is that anybody's secret is for, and connections to it may be plain.
  const isUnbounded = (host: string): boolean => targetHosts.length === 0 && (localTargets || !isLoopback(host));
  const host = hostsNamed(endpoint).find((one) => one !== '' && !isUnbounded(one) && !listsHost(targetHosts, one));
  return host === undefined ? undefined : failure('target-not-allowed', { secret, host, named });
}

interface Connection {
  readonly kind: 'connection';
  readonly admin: Admin;
  readonly endpoint: Endpoint;
  readonly adminEndpoint: Endpoint;
}

const nowhere: Endpoint = { host: '', options: {} };

async function findAdmin(
  deps: Deps,
  vault: Vault,
  current: Current,
  value: SecretValue,
  signal: AbortSignal,
): Promise<Connection | Failure> {
  const { policy, secret } = current;
  switch (policy.admin.kind) {
    case 'self':
      return selfConnection(current, value);
    case 'identity':
      return identityConnection(deps, current, value);
    case 'secret': {
      const admin = policy.admin.name;
      const read = await vault.read(admin, { signal });
      if (isFailure(read)) return read;
      if (read.kind !== 'found')
        return failure('admin-invalid', { secret: secret.name, admin, detail: `it is ${read.kind}` });
      const refused = refusalToServe(vault, read.secret, secret.name);
      if (refused !== undefined) return refused;
      return adminConnection(deps, vault, current, value, read.secret);
    }
  }
}

function selfConnection(current: Current, value: SecretValue): Connection | Failure {
  const endpoint = value.endpoint ?? (current.policy.rotator.hostless === true ? nowhere : undefined);
  if (endpoint === undefined) {
    const detail = 'it names no host, and there is no tag "admin" that would';
    return failure('value-unreadable', { secret: current.secret.name, detail });
  }
  return { kind: 'connection', admin: { kind: 'self' }, endpoint, adminEndpoint: endpoint };
}

/** The app's token goes only to hosts that the app's settings name: whoever may edit a secret must not be able to collect one. */
function identityConnection(deps: Deps, current: Current, value: SecretValue): Connection | Failure {
  const { getToken } = deps;
  if (current.policy.rotator.hostless === true) {
    return {
      kind: 'connection',
      admin: { kind: 'identity', username: '', getToken },
      endpoint: nowhere,
      adminEndpoint: nowhere,
    };
  }
  const refused = (detail: string): Failure =>
    failure('admin-invalid', { secret: current.secret.name, admin: 'managed-identity', detail });
  if (value.endpoint === undefined) return refused('the value names no host');
  const allowed = allowHosts(value.endpoint, (host) => deps.identityLogin(host) !== undefined);
  const username = allowed.kind === 'allowed' ? deps.identityLogin(allowed.endpoint.host) : undefined;
  if (allowed.kind === 'not-allowed' || username === undefined) {
    const { host } = allowed.kind === 'allowed' ? allowed.endpoint : allowed;
    return refused(`${host} is not in KEYTURN_IDENTITY_TARGETS`);
  }
  const { endpoint } = allowed;
  return { kind: 'connection', admin: { kind: 'identity', username, getToken }, endpoint, adminEndpoint: endpoint };
}

/** The admin connects to the host that its own secret names; the value may name that one, or another that the admin's tag `names` lists. */
function adminConnection(
  deps: Deps,
  vault: Vault,
  current: Current,
  value: SecretValue,
  adminSecret: SecretVersion,
): Connection | Failure {
  const secret = current.secret.name;
  const hostless = current.policy.rotator.hostless === true;
  const read = readAdmin(deps, current, adminSecret, hostless);
  if (isFailure(read)) return read;
  const { endpoint: adminEndpoint, credential, names } = read;
  const known = new Set([...hostsNamed(adminEndpoint), ...names]);
  const allowed = allowHosts(value.endpoint ?? adminEndpoint, (host) => hostless || known.has(host));
  if (allowed.kind === 'not-allowed') {
    const { host } = allowed;
    const line = lineToAdd(vault.name, adminSecret, namesTag, host);
    const detail = `${host} and ${adminEndpoint.host}`;
    return failure('host-mismatch', { secret, admin: adminSecret.name, detail, allow: { host, line } });
  }
  const own = { ...allowed.endpoint, ...portOf(allowed.endpoint, adminEndpoint) };
  const endpoint = hostless ? { ...own, host: adminEndpoint.host } : own;
  const admin = { kind: 'connection', secret: adminSecret.name, credential } as const;
  return { kind: 'connection', admin, endpoint, adminEndpoint };
}

function readAdmin(
  deps: Deps,
  { policy, secret: { name: secret } }: Current,
  adminSecret: SecretVersion,
  hostless: boolean,
):
  | {
      readonly kind: 'admin';
      readonly endpoint: Endpoint;
      readonly credential: Credential;
      readonly names: readonly string[];
    }
  | Failure {
  const invalid = (detail: string): Failure => failure('admin-invalid', { secret, admin: adminSecret.name, detail });
  const parsed = parseSecretValue(adminSecret.value, {
    leads: hostless ? 'provider' : 'host',
    ...(adminSecret.contentType === undefined ? {} : { contentType: adminSecret.contentType }),
  });
  if (parsed.kind === 'unreadable') return invalid(parsed.detail);
  const outside = outsideTargets(deps, secret, parsed.value, { policy, named: adminSecret.name });
  if (outside !== undefined) return outside;
  const { credential } = parsed.value;
  const endpoint = parsed.value.endpoint ?? (hostless ? nowhere : undefined);
  if (endpoint === undefined || (credential.username === undefined && !hostless))
    return invalid(`its value names no ${endpoint === undefined ? 'host' : 'login'}`);
  const { names, noHosts } = readAdminTags(adminSecret.tags);
  const [wrong] = noHosts;
  if (wrong !== undefined)
    return invalid(`its tag "${namesTag}" lists "${wrong}"; write each host in full, without a port or "*"`);
  return { kind: 'admin', endpoint, credential, names };
}

function portOf(own: Endpoint, admin: Endpoint): { readonly port?: number } {
  const port = own.port ?? admin.port;
  return port === undefined ? {} : { port };
}
