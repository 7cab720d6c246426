/**
 * The three events of a vault about secrets, and who listens to them.
 *
 * Source of the shapes: "Azure Key Vault as Event Grid source". Delivery over HTTP, with its retries, is not here but in local/events.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { StoredSecret, StoredVersion } from './store.ts';

export const vaultEventTypes = [
  'Microsoft.KeyVault.SecretNewVersionCreated',
  'Microsoft.KeyVault.SecretNearExpiry',
  'Microsoft.KeyVault.SecretExpired',
] as const;
export type VaultEventType = (typeof vaultEventTypes)[number];

/** What the vault says about one version of a secret. Never its value. */
export interface VaultEventData {
  /** Address of the version at the vault. */
  readonly Id: string;
  readonly VaultName: string;
  readonly ObjectType: 'Secret';
  readonly ObjectName: string;
  readonly Version: string;
  /** Seconds since 1970, or null where the version has none. */
  readonly NBF: number | null;
  readonly EXP: number | null;
}

/** One event in the terms of the Event Grid schema; a CloudEvent is made of the same parts. */
export interface VaultEvent {
  /** A UUID; a repeated delivery carries the same. */
  readonly id: string;
  /** Resource id of the vault. CloudEvents call it `source`. */
  readonly topic: string;
  /** Name of the secret. */
  readonly subject: string;
  readonly eventType: VaultEventType;
  /** ISO 8601, by the vault's clock. */
  readonly eventTime: string;
  readonly dataVersion: '1';
  readonly metadataVersion: '1';
  readonly data: VaultEventData;
}

export type VaultEventListener = (event: VaultEvent) => void;

interface Subscription {
  readonly listener: VaultEventListener;
  readonly types: ReadonlySet<VaultEventType>;
  /** Only versions made after this count of versions are told to it. */
  readonly since: number;
}

/** Who listens. A subscription is told only of versions made after it, as the service does it. */
export class VaultEvents {
  readonly #subscriptions = new Set<Subscription>();
  readonly #clock: Clock;
  readonly #vault: { readonly name: string; readonly address: string };
  #versionsMade = 0;

  constructor(clock: Clock, vault: { readonly name: string; readonly address: string }) {
    this.#clock = clock;
    this.#vault = vault;
  }

  /** The vault as Azure's resource manager names it. */
  get topic(): string {
    return `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.KeyVault/vaults/${this.#vault.name}`;
  }

  /** Ends with the returned function. The listener is called at once when an event happens and must not throw. */
  subscribe(listener: VaultEventListener, types: readonly VaultEventType[] = vaultEventTypes): () => void {
    const subscription = { listener, types: new Set(types), since: this.#versionsMade };
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  /** Numbers a new version; the number decides which subscriptions learn of its expiry. */
  numberVersion(): number {
    return ++this.#versionsMade;
  }

  emit(eventType: VaultEventType, secret: StoredSecret, version: StoredVersion): void {
    const event: VaultEvent = {
      id: randomUUID(),
      topic: this.topic,
      subject: secret.name,
      eventType,
      eventTime: this.#clock.now().toISOString(),
      dataVersion: '1',
      metadataVersion: '1',
      data: {
        Id: `${this.#vault.address}/secrets/${secret.name}/${version.id}`,
        VaultName: this.#vault.name,
        ObjectType: 'Secret',
        ObjectName: secret.name,
        Version: version.id,
        NBF: version.notBeforeSeconds ?? null,
        EXP: version.expiresSeconds ?? null,
      },
    };
    for (const subscription of [...this.#subscriptions])
      if (version.number > subscription.since && subscription.types.has(eventType)) subscription.listener(event);
  }
}
