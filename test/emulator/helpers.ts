import { SecretClient } from '@azure/keyvault-secrets';
import { afterEach } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { startVaultEmulator, type VaultEmulator, type VaultEmulatorOptions } from '../../local/vault/index.ts';

const running: VaultEmulator[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((vault) => vault.close()));
});

// Made once: most tests care about anything but certificates.
const certificates = makeCertificates({ hosts: ['127.0.0.1', 'localhost'] });

/** An emulator that is closed after the test. */
export async function vaultFor(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
  const vault = await startVaultEmulator({ certificates: await certificates, ...options });
  running.push(vault);
  return vault;
}

const credential = {
  getToken: async () => ({ token: 'any-token', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/** Microsoft's client over http; it retries nothing, so that a test sees what the vault said. */
export function clientFor(vault: VaultEmulator, maxRetries = 0): SecretClient {
  return new SecretClient(vault.url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries },
  });
}

/** Microsoft's client over https, trusting the emulator's authority and nothing else. */
export function httpsClientFor(vault: VaultEmulator, ca: string = vault.certificate): SecretClient {
  return new SecretClient(vault.httpsUrl, credential, {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca },
    retryOptions: { maxRetries: 0 },
  });
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A call without any client: api-version and a token are added unless the path or the headers have their own. */
export async function raw(
  vault: VaultEmulator,
  method: string,
  path: string,
  options: { readonly body?: unknown; readonly text?: string; readonly headers?: Record<string, string> } = {},
): Promise<RawAnswer> {
  const url = new URL(path, vault.url);
  if (!path.includes('api-version')) url.searchParams.set('api-version', '7.5');
  const text = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const response = await fetch(url, {
    method,
    headers: { Authorization: 'Bearer any', 'Content-Type': 'application/json', ...options.headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, body: answer === '' ? undefined : JSON.parse(answer) };
}

/** What a call threw, as status, code and message. */
export async function failure(call: Promise<unknown>): Promise<{ status: unknown; code: unknown; message: string }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const status = 'statusCode' in error ? error.statusCode : undefined;
    const code = 'code' in error ? error.code : undefined;
    return { status, code, message: error.message };
  }
  throw new Error('the call was expected to fail');
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
