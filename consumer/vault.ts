import * as z from 'zod/mini';
import { ConsumerError } from './errors.ts';
import { overlapOf } from './overlap.ts';
import { wordsOf } from './scrub.ts';
import { SecretText } from './secret-text.ts';
import { within } from './timer.ts';

/** What of `SecretClient` of `@azure/keyvault-secrets` is used. It brings its own credential and its own retries. */
export interface SecretReader {
  getSecret(name: string, options?: { abortSignal?: AbortSignal }): Promise<unknown>;
}

/** One version of a secret as the vault gave it. */
export interface SecretReading {
  readonly value: SecretText;
  readonly version: string;
  /** Name of the vault, when its address tells it. */
  readonly vault?: string;
  readonly createdAt?: Date;
  readonly expiresAt?: Date;
  /** How long the version before lives on, as the tags tell it. In ms. */
  readonly overlapMs?: number;
}

const filled = z.string().check(z.minLength(1));

const answer = z.object({
  value: filled,
  properties: z.object({
    version: filled,
    vaultUrl: z.optional(z.string()),
    createdOn: z.optional(z.date()),
    expiresOn: z.optional(z.date()),
    tags: z.optional(z.record(z.string(), z.string())),
  }),
});

/** Reads the newest version. Throws `ConsumerError` only. */
export async function readSecret(
  client: SecretReader,
  name: string,
  timeoutMs: number,
  closing: AbortSignal,
): Promise<SecretReading> {
  const signal = AbortSignal.any([closing, AbortSignal.timeout(Math.ceil(timeoutMs))]);
  let given: unknown;
  try {
    given = await within(signal, client.getSecret(name, { abortSignal: signal }));
  } catch (error) {
    throw vaultError(name, error, signal, timeoutMs);
  }
  const parsed = answer.safeParse(given);
  if (!parsed.success) {
    // What zod says is left out: it could quote the value.
    throw new ConsumerError('vault-refused', `The vault's answer for ${name} holds no value or no version.`);
  }
  const { value, properties } = parsed.data;
  const vault = vaultName(properties.vaultUrl);
  const overlapMs = overlapOf(properties.tags ?? {}, properties.createdOn);
  return {
    value: new SecretText(value),
    version: properties.version,
    ...(vault === undefined ? {} : { vault }),
    ...(properties.createdOn === undefined ? {} : { createdAt: properties.createdOn }),
    ...(properties.expiresOn === undefined ? {} : { expiresAt: properties.expiresOn }),
    ...(overlapMs === undefined ? {} : { overlapMs }),
  };
}

function vaultError(name: string, error: unknown, signal: AbortSignal, timeoutMs: number): ConsumerError {
  if (signal.aborted) {
    return new ConsumerError(
      'vault-unavailable',
      `The vault gave no answer for ${name} within ${Math.ceil(timeoutMs)} ms.`,
    );
  }
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  const words = wordsOf(error, []);
  if (status === 401 || status === 403) {
    return new ConsumerError(
      'vault-refused',
      `The vault refused to give ${name}: ${words} Let this consumer's identity get secrets, and see that the newest version is enabled.`,
    );
  }
  if (status === 404) {
    return new ConsumerError('vault-refused', `The vault has no secret ${name}: ${words}`);
  }
  return new ConsumerError('vault-unavailable', `The vault could not be read for ${name}: ${words}`);
}

// `https://NAME.vault.azure.net` and its sisters in the other clouds; any other address does not tell a name.
function vaultName(address: string | undefined): string | undefined {
  const host = URL.parse(address ?? '')?.hostname ?? '';
  return /^([a-z0-9-]+)\.(?:vault\.|managedhsm\.)/i.exec(host)?.[1];
}
