/** Secrets as the service writes them in its answers. */
import type { DeletedSecret, StoredSecret, StoredVersion } from './store.ts';

export interface Recovery {
  readonly recoveryLevel: string;
  readonly recoverableDays: number;
}

/** Writes answers for one vault as seen from one address: `base` is scheme, host and port, without a slash at the end. */
export class Wire {
  readonly #base: string;
  readonly #recovery: Recovery;

  constructor(base: string, recovery: Recovery) {
    this.#base = base;
    this.#recovery = recovery;
  }

  get address(): string {
    return this.#base;
  }

  id(secret: StoredSecret, version?: StoredVersion): string {
    const whole = `${this.#base}/secrets/${secret.name}`;
    return version === undefined ? whole : `${whole}/${version.id}`;
  }

  /** Answer of set and get: the only ones that carry the value. */
  withValue(secret: StoredSecret, version: StoredVersion): object {
    return { value: version.value, ...this.version(secret, version) };
  }

  version(secret: StoredSecret, version: StoredVersion): object {
    return { id: this.id(secret, version), ...this.#properties(version) };
  }

  /** An item of the listing of names: its id names no version. */
  listed(secret: StoredSecret): object {
    return { id: this.id(secret), ...this.#properties(secret.newest) };
  }

  deleted(secret: DeletedSecret): object {
    return { ...this.#deletion(secret), ...this.version(secret, secret.newest) };
  }

  deletedListed(secret: DeletedSecret): object {
    return { ...this.#deletion(secret), ...this.listed(secret) };
  }

  #deletion(secret: DeletedSecret): object {
    return {
      recoveryId: `${this.#base}/deletedsecrets/${secret.name}`,
      deletedDate: secret.deletedSeconds,
      scheduledPurgeDate: secret.purgeSeconds,
    };
  }

  #properties(version: StoredVersion): object {
    const { contentType, tags, notBeforeSeconds, expiresSeconds } = version;
    return {
      ...(contentType === undefined ? {} : { contentType }),
      attributes: {
        enabled: version.enabled,
        ...(notBeforeSeconds === undefined ? {} : { nbf: notBeforeSeconds }),
        ...(expiresSeconds === undefined ? {} : { exp: expiresSeconds }),
        created: version.createdSeconds,
        updated: version.updatedSeconds,
        ...this.#recovery,
      },
      ...(tags === undefined ? {} : { tags }),
    };
  }
}
