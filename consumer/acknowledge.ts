import { ConsumerError, type OnError } from './errors.ts';
import { backOffMs } from './pace.ts';
import { wordsOf } from './scrub.ts';
import { SecretText } from './secret-text.ts';
import { pause } from './timer.ts';

/** A version of a secret in a vault. */
export interface SecretVersion {
  readonly vault: string;
  readonly secret: string;
  readonly version: string;
}

export interface AcknowledgeOptions {
  /** Where Keyturn's API is: `https://keyturn-prod.azurewebsites.net/api`. https, unless it is this machine. */
  readonly api: string;
  /** This consumer's own key of Keyturn's API, sent as `x-functions-key`. Give `key` or `token`. */
  readonly key?: string | (() => string | Promise<string>);
  /** Gives an Entra token for Keyturn, as `getBearerTokenProvider` of `@azure/identity` makes it. Give `key` or `token`. */
  readonly token?: () => Promise<string>;
  /** Name to acknowledge under, for a key or identity that has several. Default: its own. */
  readonly consumer?: string;
  /** The route below `api`. Default: `acknowledgementPath`. */
  readonly path?: (of: SecretVersion) => string;
}

/** Keyturn's route for acknowledgements, below the address of its API. The only place that knows it. */
export function acknowledgementPath({ vault, secret, version }: SecretVersion): string {
  const [v, s, n] = [vault, secret, version].map(encodeURIComponent);
  return `/v1/vaults/${v}/secrets/${s}/versions/${n}/acknowledgements`;
}

const requestTimeoutMs = 10_000;
const firstRetryMs = 500;
const longestRetryMs = 300_000;

/** How an acknowledgement ended: Keyturn has it; or it is of no use any more, as a newer version is in use or this was closed. */
export type Acknowledged = 'acknowledged' | 'given-up';

/**
 * Tells Keyturn which version is in use. It tries until Keyturn answers with success, until a newer version is acknowledged or until
 * it is closed; a version that Keyturn has taken is never sent again.
 */
export class Acknowledger {
  readonly #options: AcknowledgeOptions;
  readonly #report: OnError;
  #latest:
    | { readonly version: string; readonly stop: AbortController; readonly done: Promise<Acknowledged> }
    | undefined;

  /** Throws a `ConsumerError` when the options cannot work. */
  constructor(options: AcknowledgeOptions, report: OnError) {
    checkApi(options);
    this.#options = options;
    this.#report = report;
  }

  /** May be called again for one version: the calls share one answer. Never rejects. */
  acknowledge(of: SecretVersion): Promise<Acknowledged> {
    if (this.#latest?.version === of.version) return this.#latest.done;
    this.#latest?.stop.abort();
    const stop = new AbortController();
    this.#latest = { version: of.version, stop, done: this.#tryUntilTaken(of, stop.signal) };
    return this.#latest.done;
  }

  close(): void {
    this.#latest?.stop.abort();
  }

  async #tryUntilTaken(of: SecretVersion, stop: AbortSignal): Promise<Acknowledged> {
    for (let failures = 1; !stop.aborted; failures += 1) {
      const problem = await this.#send(of, stop);
      if (problem === undefined) return 'acknowledged';
      if (stop.aborted) break;
      const message = `Version ${of.version} of ${of.secret} could not be acknowledged (try ${failures}): ${problem.words}`;
      this.#report(new ConsumerError('acknowledgement-failed', message));
      await pause(problem.waitMs ?? backOffMs(failures, firstRetryMs, longestRetryMs, Math.random), stop);
    }
    return 'given-up';
  }

  async #send(of: SecretVersion, stop: AbortSignal): Promise<Problem | undefined> {
    const path = this.#options.path ?? acknowledgementPath;
    const secrets: SecretText[] = [];
    try {
      const response = await fetch(`${this.#options.api.replace(/\/+$/, '')}${path(of)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(await this.#proof(secrets)) },
        body: JSON.stringify({ consumer: this.#options.consumer }),
        // A redirect would carry the key to wherever it points.
        redirect: 'error',
        signal: AbortSignal.any([stop, AbortSignal.timeout(requestTimeoutMs)]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : { words: hintFor(response.status), ...retryAfter(response) };
    } catch (error) {
      const inner = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
      return { words: wordsOf(inner, secrets) };
    }
  }

  async #proof(secrets: SecretText[]): Promise<Record<string, string>> {
    const { key, token } = this.#options;
    const value = token === undefined ? await (typeof key === 'function' ? key() : key) : await token();
    if (value === undefined || value === '') throw new Error('no key or token was given');
    secrets.push(new SecretText(value));
    return token === undefined ? { 'x-functions-key': value } : { authorization: `Bearer ${value}` };
  }
}

interface Problem {
  readonly words: string;
  readonly waitMs?: number;
}

function hintFor(status: number): string {
  const hints: Readonly<Record<number, string>> = {
    401: 'Keyturn does not know the key or token: give this consumer its own.',
    403: 'Keyturn does not let this identity acknowledge for the secret: name it in the tag "consumers".',
    404: 'Keyturn does not know the vault, the secret or the version, or "api" is not the address of its API.',
  };
  return `Keyturn answered ${status}. ${hints[status] ?? ''}`.trim();
}

function retryAfter(response: Response): { waitMs?: number } {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? { waitMs: Math.min(seconds * 1000, longestRetryMs) } : {};
}

function checkApi({ api, key, token }: AcknowledgeOptions): void {
  const url = URL.parse(api);
  if (url === null) throw new ConsumerError('options', 'acknowledge.api is no address: give https://HOST/api.');
  const local = ['localhost', '[::1]'].includes(url.hostname) || /^127(\.\d+){3}$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) {
    throw new ConsumerError('options', 'acknowledge.api must be https: a key or token goes along with every call.');
  }
  if ((key === undefined) === (token === undefined)) {
    throw new ConsumerError('options', 'acknowledge needs either "key" or "token", and not both.');
  }
}
