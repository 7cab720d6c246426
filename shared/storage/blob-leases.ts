/** The exclusive right to work on a secret: a lease on an empty blob, which the service takes back by itself after a crash. */
import type { BlobLeaseClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { type Lease, type Leases, type LeasesHeld, leaseMs } from '../contract/ports.ts';
import type { Failure } from '../errors.ts';
import type { StorageClients } from './connect.ts';
import { storageFailure, storageFault } from './fault.ts';

export const leaseContainer = 'keyturn-leases';
/** Short, because a secret whose worker died waits for its end; renewed three times in it, so that one lost renewal costs nothing. */
const leaseSeconds = leaseMs / 1000;

/** For tests: time may be moved, and renewing made quick. */
export interface LeaseTiming {
  /** Monotonic, in ms. */
  readonly elapsedMs: () => number;
  /** The machine's clock, in ms. */
  readonly wallMs: () => number;
  readonly renewEveryMs: number;
}

const realTiming: LeaseTiming = {
  elapsedMs: () => performance.now(),
  wallMs: () => Date.now(),
  renewEveryMs: (leaseSeconds * 1000) / 3,
};

export class BlobLeases implements Leases, LeasesHeld {
  readonly #container: ContainerClient;
  readonly #within: StorageClients['within'];
  readonly #timing: LeaseTiming;

  constructor(clients: Pick<StorageClients, 'blobs' | 'within'>, timing: LeaseTiming = realTiming) {
    this.#container = clients.blobs.getContainerClient(leaseContainer);
    this.#within = clients.within;
    this.#timing = timing;
  }

  async acquire(
    vault: string,
    secret: string,
  ): Promise<{ readonly kind: 'held'; readonly lease: Lease } | { readonly kind: 'busy' } | Failure> {
    // The vault takes names in any case for the same secret, so the lease must too.
    const blob = this.#container.getBlockBlobClient(`${vault}/${secret}`.toLowerCase());
    const client = blob.getBlobLeaseClient();
    // Two rounds: the second one after the blob was made.
    for (let missing = false; ; missing = true) {
      const asked = moment(this.#timing);
      try {
        await client.acquireLease(leaseSeconds, this.#within());
        return { kind: 'held', lease: new BlobLease(client, this.#within, this.#timing, asked) };
      } catch (error) {
        const fault = storageFault(error);
        if (fault.status === 409 && fault.code !== 'ContainerBeingDeleted') return { kind: 'busy' };
        if (fault.status !== 404 || missing) return storageFailure(fault, 'blob', secret);
      }
      const failed = await this.#makeBlob(blob, secret);
      if (failed !== undefined) return failed;
    }
  }

  /** By one listing, 5,000 blobs a page. */
  async held(vault: string): ReturnType<LeasesHeld['held']> {
    const prefix = `${vault}/`.toLowerCase();
    const secrets = new Set<string>();
    try {
      for await (const { name, properties } of this.#container.listBlobsFlat({ prefix }))
        if (properties.leaseState === 'leased') secrets.add(name.slice(prefix.length));
    } catch (error) {
      const fault = storageFault(error);
      // No container yet: nobody has ever worked on anything.
      if (fault.status !== 404) return storageFailure(fault, 'blob', vault);
    }
    return { kind: 'held', secrets };
  }

  async #makeBlob(blob: BlockBlobClient, secret: string): Promise<Failure | undefined> {
    const upload = () => blob.upload('', 0, { conditions: { ifNoneMatch: '*' }, ...this.#within() });
    try {
      await upload().catch(async (error: unknown) => {
        // The container is made when it is missing, rather than asked for with each new secret.
        if (storageFault(error).status !== 404) throw error;
        await this.#container.createIfNotExists(this.#within());
        await upload();
      });
      return undefined;
    } catch (error) {
      const fault = storageFault(error);
      // Somebody else made it a moment ago, and may even hold its lease already.
      if (fault.status === 409 || fault.status === 412) return undefined;
      return storageFailure(fault, 'blob', secret);
    }
  }
}

interface Moment {
  readonly elapsedMs: number;
  readonly wallMs: number;
}

const moment = (timing: LeaseTiming): Moment => ({ elapsedMs: timing.elapsedMs(), wallMs: timing.wallMs() });

class BlobLease implements Lease {
  readonly #client: BlobLeaseClient;
  readonly #within: StorageClients['within'];
  readonly #timing: LeaseTiming;
  /** When the request that gave or renewed it was sent. The service began to count later than that, so it can only end later. */
  #since: Moment | undefined;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> = Promise.resolve();
  #released = false;
  #bug: unknown;

  constructor(client: BlobLeaseClient, within: StorageClients['within'], timing: LeaseTiming, since: Moment) {
    this.#client = client;
    this.#within = within;
    this.#timing = timing;
    this.#since = since;
    this.#renewLater();
  }

  remainingMs(): number {
    if (this.#since === undefined) return 0;
    const now = moment(this.#timing);
    // A frozen machine may stop its monotonic clock, and its other clock may be set back: whichever saw more time pass is believed.
    const passed = Math.max(now.elapsedMs - this.#since.elapsedMs, now.wallMs - this.#since.wallMs);
    return leaseSeconds * 1000 - passed;
  }

  async release(): Promise<void> {
    this.#released = true;
    clearTimeout(this.#timer);
    await this.#renewal;
    const held = this.#since !== undefined;
    this.#since = undefined;
    // Lost or unreachable, it runs out by itself; nobody waits longer than that for it.
    if (held) await this.#client.releaseLease(this.#within()).catch(storageFault);
    if (this.#bug !== undefined) throw this.#bug;
  }

  #renewLater(): void {
    if (this.#released || this.remainingMs() <= 0) return;
    this.#timer = setTimeout(() => {
      this.#renewal = this.#renew();
    }, this.#timing.renewEveryMs);
    // The work keeps the process alive, not the lease of it.
    this.#timer.unref();
  }

  async #renew(): Promise<void> {
    const asked = moment(this.#timing);
    try {
      await this.#client.renewLease(this.#within());
      this.#since = asked;
    } catch (error) {
      const status = this.#statusOf(error);
      // The service said that it is not ours any more. Without an answer it is ours still, for the time that was left.
      if (status !== undefined && status >= 400 && status < 500 && status !== 429) this.#since = undefined;
    }
    if (this.#bug === undefined) this.#renewLater();
  }

  /** Nobody waits for a renewal, so a mistake in it is kept until somebody does. */
  #statusOf(error: unknown): number | undefined {
    try {
      return storageFault(error).status;
    } catch (bug) {
      this.#bug = bug;
      return undefined;
    }
  }
}

/** Remembers the answer for a moment: a list asks for it with each page. What could not be read is asked for again. */
export function rememberedLeases(leases: LeasesHeld, forMs: number, elapsedMs: () => number): LeasesHeld {
  const latest = new Map<string, { readonly at: number; readonly held: ReturnType<LeasesHeld['held']> }>();
  return {
    async held(vault) {
      const now = elapsedMs();
      const known = latest.get(vault);
      if (known !== undefined && now - known.at < forMs) return known.held;
      const held = leases.held(vault);
      latest.set(vault, { at: now, held });
      const answer = await held;
      if (answer.kind === 'failed') latest.delete(vault);
      return answer;
    },
  };
}
