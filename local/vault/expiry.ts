/**
 * Says when versions come near their expiry and when they expire.
 *
 * The rule, as documented for Key Vault: near-expiry comes 30 days before expiry and for a shorter lifetime soon after the version was
 * made; expired comes at expiry; both for the current version only, whether enabled or not, and once per version.
 */
import type { VaultEventType } from './events.ts';
import type { StoredSecret, StoredVersion } from './store.ts';

export const nearExpirySeconds = 30 * 86_400;

interface Due {
  readonly atSeconds: number;
  readonly type: VaultEventType;
  readonly name: string;
  readonly versionId: string;
  /** The expiry this was reckoned from. Another one now means that a newer entry counts. */
  readonly expiresSeconds: number;
}

export interface ExpiryOptions {
  readonly nowSeconds: () => number;
  readonly find: (name: string) => StoredSecret | undefined;
  readonly emit: (type: VaultEventType, secret: StoredSecret, version: StoredVersion) => void;
}

export class ExpirySchedule {
  readonly #options: ExpiryOptions;
  /** A binary heap, earliest first: a vault of 100,000 secrets is looked at in O(1) when nothing is due. */
  readonly #heap: Due[] = [];
  readonly #told = new Set<string>();

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** To be called when a version is made, its expiry changes or its secret is recovered; again and again is fine. */
  watch(secret: StoredSecret, version: StoredVersion): void {
    const { expiresSeconds } = version;
    if (expiresSeconds === undefined) return;
    const common = { name: secret.name, versionId: version.id, expiresSeconds };
    this.#push({
      ...common,
      type: 'Microsoft.KeyVault.SecretNearExpiry',
      atSeconds: expiresSeconds - nearExpirySeconds,
    });
    this.#push({ ...common, type: 'Microsoft.KeyVault.SecretExpired', atSeconds: expiresSeconds });
  }

  /** Emits all that is due, earliest first. May be called at any time. */
  evaluate(): void {
    const nowSeconds = this.#options.nowSeconds();
    for (let due = this.#heap[0]; due !== undefined && due.atSeconds <= nowSeconds; due = this.#heap[0]) {
      this.#pop();
      this.#tell(due);
    }
  }

  clear(): void {
    this.#heap.length = 0;
    this.#told.clear();
  }

  #tell(due: Due): void {
    // A deleted secret is not found and says nothing; when it is recovered it is watched again.
    const secret = this.#options.find(due.name);
    if (secret?.newest.id !== due.versionId || secret.newest.expiresSeconds !== due.expiresSeconds) return;
    const once = `${due.type} ${due.versionId}`;
    if (this.#told.has(once)) return;
    this.#told.add(once);
    this.#options.emit(due.type, secret, secret.newest);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || above.atSeconds <= due.atSeconds) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      let smaller = left;
      if (right !== undefined && right.atSeconds < left.atSeconds) {
        smaller = right;
        child++;
      }
      if (smaller.atSeconds >= last.atSeconds) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}
