import { setTimeout as sleep } from 'node:timers/promises';
import type { SecretClient } from '@azure/keyvault-secrets';
import type { Follower, Scene } from './scene.ts';

/** How long a consumer keeps a value before it looks at the vault again, in ms. */
const keptMs = 500;
/** Pause between two calls, in ms. */
const pauseMs = 15;

export interface Calls {
  made: number;
  failed: number;
  /** Of the first call that failed. */
  firstError?: string;
}

/** A consumer that calls its target all the time. An ordinary one keeps what the vault gave it for a while; another one follows by itself. */
export class Consumer {
  readonly calls: Calls = { made: 0, failed: 0 };
  readonly #scene: Scene;
  readonly #vault: SecretClient;
  readonly #follower: Follower | undefined;
  #running = true;
  #done: Promise<void> | undefined;

  constructor(scene: Scene, vault: SecretClient, follower?: Follower) {
    this.#scene = scene;
    this.#vault = vault;
    this.#follower = follower;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<Calls> {
    this.#running = false;
    await this.#done;
    await this.#follower?.close();
    return this.calls;
  }

  async #run(): Promise<void> {
    const { use, secret } = this.#scene;
    const follower = this.#follower;
    if (use === undefined) return;
    let value = '';
    let readAt = 0;
    while (this.#running) {
      if (follower === undefined && performance.now() - readAt > keptMs) {
        value = (await this.#vault.getSecret(secret)).value ?? '';
        readAt = performance.now();
      }
      this.calls.made++;
      await (follower?.call() ?? use(value)).catch((error: unknown) => {
        this.calls.failed++;
        this.calls.firstError ??= error instanceof Error ? error.message : String(error);
        // What a consumer does that is refused: it looks whether there is a new credential.
        readAt = 0;
      });
      await sleep(pauseMs);
    }
  }
}
