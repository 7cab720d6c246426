/** A vault of Azure Key Vault, through Microsoft's own client. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCredential } from '@azure/core-auth';
import { SecretClient } from '@azure/keyvault-secrets';
import { authorities } from '../authorities.ts';
import type {
  NewVersion,
  ReadOutcome,
  SecretProperties,
  SecretsPage,
  Vault,
  VersionChange,
  WriteOutcome,
} from '../contract/ports.ts';
import { SecretText } from '../contract/secret-text.ts';
import type { Failure } from '../errors.ts';
import { isLoopback } from '../loopback.ts';
import { CallPolicy, type CallPolicyOptions, VaultCall } from './call-policy.ts';
import { failureOf, faultOf, type VaultFault } from './fault.ts';
import { listingAt } from './listing.ts';
import { changeProperties, readProperties, readVersionProperties, writeProperties } from './properties.ts';

export interface KeyVaultOptions {
  /** `https://NAME.vault.azure.net`; plain http to loopback only. */
  readonly url: string;
  /** As events name the vault. Default: the first label of its host. */
  readonly name?: string;
  readonly credential: TokenCredential;
  /** PEM of further authorities to trust, beside those of the system. */
  readonly trustedCertificates?: readonly string[];
  /** For tests that must not wait. */
  readonly waiting?: CallPolicyOptions;
}

type Listed = SecretProperties & { readonly version: string };
type CallOutcome<T> =
  | { readonly kind: 'done'; readonly value: T; readonly readAt: Date | undefined; readonly next: string | undefined }
  | { readonly kind: 'fault'; readonly fault: VaultFault };
interface CallOptions {
  readonly signal: AbortSignal;
  readonly hide?: (text: string) => string;
  readonly wantsNext?: boolean;
}

const pageSize = 25;
// A recovery ends within seconds; the wait in between is the policy's, and the signal ends it all.
const recoveryPollMs = 1000;
const writeTries = 6;

const waitReally: CallPolicyOptions = {
  // A pause cut short is no error: the caller looks at the signal.
  pause: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  random: Math.random,
};

// Without the vault's clock nobody could say what is due; the worker's own is never taken for it.
const noClock: VaultFault = {
  reason: 'no-answer',
  detail: 'its answer carried no Date',
  cause: new Error('no Date in the answer'),
};

const keepAll = (text: string) => text;

/** Leaves out what the other side says where it holds the value, also as it would stand in JSON or a URL. */
function hiding(value: SecretText): (text: string) => string {
  const plain = value.reveal();
  if (plain === '') return keepAll;
  const forms = [plain, JSON.stringify(plain).slice(1, -1), encodeURIComponent(plain.toWellFormed())];
  return (text) => (forms.some((form) => text.includes(form)) ? '(left out, because it held the value)' : text);
}

/** The first label of the host, as events name a vault. */
export function vaultName(url: string): string {
  return new URL(url).hostname.split('.')[0] ?? '';
}

export class KeyVault implements Vault {
  readonly name: string;
  readonly #client: SecretClient;
  readonly #origin: string;
  readonly #policy: CallPolicy;
  readonly #waiting: CallPolicyOptions;
  /** Whether an answer was given to a token already. */
  #welcome = false;
  #warmUp: Promise<unknown> | undefined;

  /** Opens no connection. Throws a TypeError when the URL is not one a secret may be sent to. */
  constructor(options: KeyVaultOptions) {
    const url = new URL(options.url);
    const local = isLoopback(url.hostname);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) {
      throw new TypeError(`${url.host}: a vault is reached over https; plain http goes to loopback only`);
    }
    this.name = options.name ?? vaultName(options.url);
    this.#waiting = options.waiting ?? waitReally;
    this.#policy = new CallPolicy(this.#waiting);
    this.#origin = url.origin;
    const ca = authorities(options.trustedCertificates ?? []);
    this.#client = new SecretClient(url.origin, options.credential, {
      // All trying again is the policy's. The client's own would multiply it, and would send a PUT twice.
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
      additionalPolicies: [{ policy: this.#policy, position: 'perRetry' }],
      // Off Azure the challenge names a host that is not the one being talked to.
      ...(local ? { allowInsecureConnection: true, disableChallengeResourceVerification: true } : {}),
      ...(ca === undefined ? {} : { tlsOptions: { ca } }),
    });
  }

  async read(name: string, options: { version?: string; signal: AbortSignal }): Promise<ReadOutcome> {
    const version = options.version === undefined ? {} : { version: options.version };
    const outcome = await this.#call(options, () => this.#client.getSecret(name, version));
    if (outcome.kind === 'fault') {
      if (outcome.fault.status === 404) return { kind: 'not-found' };
      if (outcome.fault.status === 403 && outcome.fault.code === 'SecretDisabled') return { kind: 'disabled' };
      return failureOf(outcome.fault, name, this.name);
    }
    if (outcome.readAt === undefined) return failureOf(noClock, name, this.name);
    const { properties, value } = outcome.value;
    const secret = { ...readVersionProperties(properties), value: new SecretText(value ?? ''), readAt: outcome.readAt };
    return { kind: 'found', secret };
  }

  async write(name: string, version: NewVersion, { signal }: { signal: AbortSignal }): Promise<WriteOutcome> {
    const call = { signal, hide: hiding(version.value) };
    await this.#authenticated(name, signal);
    for (let tries = 1; ; tries++) {
      const outcome = await this.#call(call, () =>
        this.#client.setSecret(name, version.value.reveal(), writeProperties(version)),
      );
      if (outcome.kind === 'done') return { kind: 'written', secret: readVersionProperties(outcome.value.properties) };
      // Nothing was made when the name is held by a deleted secret, so it may be sent again.
      const cleared =
        outcome.fault.status === 409 && tries < writeTries
          ? await this.#clearName(name, outcome.fault, signal)
          : undefined;
      if (cleared === undefined) return failureOf(outcome.fault, name, this.name);
      if (cleared !== 'again') return cleared;
    }
  }

  async change(
    name: string,
    version: string,
    change: VersionChange,
    { signal }: { signal: AbortSignal },
  ): Promise<WriteOutcome> {
    await this.#authenticated(name, signal);
    const outcome = await this.#call({ signal }, () =>
      this.#client.updateSecretProperties(name, version, changeProperties(change)),
    );
    if (outcome.kind === 'fault') return failureOf(outcome.fault, name, this.name);
    return { kind: 'written', secret: readVersionProperties(outcome.value) };
  }

  async versions(
    name: string,
    options: { signal: AbortSignal },
  ): Promise<{ readonly kind: 'listed'; readonly versions: readonly Listed[] } | Failure> {
    const outcome = await this.#call(options, async () => {
      const versions: Listed[] = [];
      for await (const page of this.#client.listPropertiesOfSecretVersions(name).byPage({ maxPageSize: pageSize })) {
        versions.push(...page.map(readVersionProperties));
      }
      return versions;
    });
    if (outcome.kind === 'fault') return failureOf(outcome.fault, name, this.name);
    const versions = outcome.value.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
    return { kind: 'listed', versions: await this.#settleTie(name, versions, options.signal) };
  }

  async *list({ signal, after }: { signal: AbortSignal; after?: string }): AsyncIterable<SecretsPage | Failure> {
    const about = `all secrets of ${this.name}`;
    const from = after === undefined || after === '' ? {} : { continuationToken: listingAt(this.#origin, after) };
    const pages = this.#client
      .listPropertiesOfSecrets()
      .byPage({ maxPageSize: pageSize, ...from })
      [Symbol.asyncIterator]();
    for (;;) {
      const outcome = await this.#call({ signal, wantsNext: after !== undefined }, () => pages.next());
      if (outcome.kind === 'fault') {
        yield failureOf(outcome.fault, about, this.name);
        return;
      }
      if (outcome.value.done === true) return;
      if (outcome.readAt === undefined) {
        yield failureOf(noClock, about, this.name);
        return;
      }
      const secrets = outcome.value.value.map(readProperties);
      const next = outcome.next === undefined ? {} : { next: outcome.next };
      yield { kind: 'page', secrets, readAt: outcome.readAt, ...next };
    }
  }

  async #call<T>(
    { signal, hide = keepAll, wantsNext = false }: CallOptions,
    work: () => Promise<T>,
  ): Promise<CallOutcome<T>> {
    const call = new VaultCall(signal, wantsNext);
    try {
      const value = await this.#policy.run(call, work);
      this.#welcome = true;
      return { kind: 'done', value, readAt: call.readAt, next: call.next };
    } catch (error) {
      // Any answer but 401 was given to a token.
      if (call.last !== undefined && call.last.status !== 401) this.#welcome = true;
      return { kind: 'fault', fault: faultOf(error, call.last, hide) };
    }
  }

  /**
   * Sees to it that the client has been through its challenge before anything with a body is sent. The client sends the first request
   * without its body, and mixes the bodies up when two are first at once: one of them would make an empty version.
   */
  async #authenticated(name: string, signal: AbortSignal): Promise<void> {
    if (this.#welcome) return;
    this.#warmUp ??= this.#call({ signal }, () => this.#client.getSecret(name));
    try {
      await this.#warmUp;
    } finally {
      // If even this was refused, the write itself says what is wrong, and the next one begins anew.
      this.#warmUp = undefined;
    }
  }

  async #clearName(name: string, fault: VaultFault, signal: AbortSignal): Promise<'again' | Failure | undefined> {
    if (fault.code === 'ObjectIsBeingDeleted' || fault.code === 'ObjectIsBeingRecovered') {
      await this.#waiting.pause(recoveryPollMs, signal);
      return signal.aborted ? undefined : 'again';
    }
    if (fault.code !== 'ObjectIsDeletedButRecoverable') return undefined;
    const recovery = await this.#call({ signal }, async () => {
      const poller = await this.#client.beginRecoverDeletedSecret(name, { intervalInMs: recoveryPollMs });
      await poller.pollUntilDone({ abortSignal: signal });
    });
    if (recovery.kind === 'done' || recovery.fault.status === 404) return 'again';
    const failed = failureOf(recovery.fault, name, this.name);
    return failed.code === 'vault-forbidden'
      ? failureOf({ ...fault, cause: recovery.fault.cause }, name, this.name)
      : failed;
  }

  /** Creation times are whole seconds. When the two newest share one, the vault is asked which of them is current. */
  async #settleTie(name: string, versions: readonly Listed[], signal: AbortSignal): Promise<readonly Listed[]> {
    const [first, second] = versions;
    if (first === undefined || second === undefined || first.createdAt.getTime() !== second.createdAt.getTime()) {
      return versions;
    }
    const newest = await this.read(name, { signal });
    if (newest.kind !== 'found') return versions;
    const isNewest = (one: Listed) => one.version === newest.secret.version;
    return [...versions.filter(isNewest), ...versions.filter((one) => !isNewest(one))];
  }
}
