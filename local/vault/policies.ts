/**
 * Azure Policies that a vault's data can be under, as if assigned with effect Deny.
 *
 * The rules are those of the built-in definitions (Azure/azure-policy, "Key Vault"). They are judged when a version is made: Deny blocks new
 * components and new versions, and what was there before is not affected ("Integrate Azure Key Vault with Azure Policy").
 */
import type { Answer } from './answer.ts';
import { disallowedByPolicy, type PolicyDefinition } from './errors.ts';
import type { VersionInput } from './store.ts';

export interface PolicyOptions {
  /** "Key Vault secrets should have an expiration date". */
  readonly expirationDate: boolean;
  /** "Secrets should have content type set". */
  readonly contentType: boolean;
  /** "Secrets should have the specified maximum validity period", in whole days; null: not assigned. It demands an expiry, too. */
  readonly maximumValidityDays: number | null;
}

interface Policy extends PolicyDefinition {
  readonly denies: (version: VersionInput, createdSeconds: number, options: PolicyOptions) => boolean;
}

const secondsPerDay = 86_400;

const builtIn: readonly Policy[] = [
  {
    id: '98728c90-32c7-4049-8429-847dc0f4fe37',
    displayName: 'Key Vault secrets should have an expiration date',
    denies: ({ expiresSeconds }, _, { expirationDate }) => expirationDate && expiresSeconds === undefined,
  },
  {
    id: '75262d3e-ba4a-4f43-85f8-9f72c090e5e3',
    displayName: 'Secrets should have content type set',
    denies: (version, _, { contentType }) => contentType && version.contentType === undefined,
  },
  {
    id: '342e8053-e12e-4c44-be01-c3c2f318400f',
    displayName: 'Secrets should have the specified maximum validity period',
    denies: ({ expiresSeconds = Number.POSITIVE_INFINITY }, createdSeconds, { maximumValidityDays: days }) =>
      days !== null && expiresSeconds > createdSeconds + days * secondsPerDay,
  },
];

const none: PolicyOptions = { expirationDate: false, contentType: false, maximumValidityDays: null };

export class Policies {
  #options: PolicyOptions;

  /** Throws a RangeError for a validity that is not a whole number of days. */
  constructor(options: Partial<PolicyOptions> = {}) {
    this.#options = checked({ ...none, ...options });
  }

  get options(): PolicyOptions {
    return this.#options;
  }

  /** Changes some of them; in force at once, where the service takes up to an hour. */
  set(options: Partial<PolicyOptions>): void {
    this.#options = checked({ ...this.#options, ...options });
  }

  /** The answer to a version that is not to be made; undefined where nothing stands against it. */
  refusal(name: string, version: VersionInput, createdSeconds: number): Answer | undefined {
    const denying = builtIn.filter(({ denies }) => denies(version, createdSeconds, this.#options));
    return denying.length === 0 ? undefined : disallowedByPolicy(name, denying);
  }
}

function checked(options: PolicyOptions): PolicyOptions {
  const { maximumValidityDays: days } = options;
  if (days !== null && (!Number.isSafeInteger(days) || days < 1))
    throw new RangeError(`\`maximumValidityDays\` must be a whole number of 1 or more, or null, not ${days}.`);
  return options;
}
