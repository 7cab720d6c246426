/** Which instance runs the timers. In Azure a lease on a blob decides; here the host knows who lives. */
import type { InstanceProcess } from './instance-process.ts';

export class Leader {
  readonly #instances: readonly InstanceProcess[];
  #leading: InstanceProcess | undefined;
  #ended = false;

  /** `instances` may grow afterwards. */
  constructor(instances: readonly InstanceProcess[]) {
    this.#instances = instances;
  }

  /** Call for each instance that has started: it leads if nobody does, and another follows when it is gone. */
  follow(instance: InstanceProcess): void {
    this.#elect();
    instance.ended.then(
      () => this.#elect(),
      () => this.#elect(),
    );
  }

  /** Nobody is appointed any more. */
  end(): void {
    this.#ended = true;
  }

  #elect(): void {
    if (this.#ended || this.#leading?.alive()) return;
    this.#leading = this.#instances.find((instance) => instance.alive());
    this.#leading?.lead();
  }
}
