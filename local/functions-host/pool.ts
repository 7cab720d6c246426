/** The instances of one app, and which of them runs the timers. In Azure a lease on a blob decides that; here the host knows who lives. */
import type { InstanceProcess } from './instance-process.ts';

export class InstancePool {
  readonly all: InstanceProcess[] = [];
  readonly #launch: (index: number) => Promise<InstanceProcess>;
  #launched = 0;
  #leading: InstanceProcess | undefined;
  #closed = false;

  constructor(launch: (index: number) => Promise<InstanceProcess>) {
    this.#launch = launch;
  }

  /** Starts that many at once. When one of them does not start, the others are stopped and its error is thrown. */
  async start(count: number): Promise<void> {
    const started = await Promise.allSettled(Array.from({ length: count }, () => this.add()));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed === undefined) return;
    await this.close();
    throw failed.reason;
  }

  async add(): Promise<InstanceProcess> {
    const instance = await this.#launch(this.#launched++);
    this.all.push(instance);
    this.#elect();
    const elect = () => this.#elect();
    instance.ended.then(elect, elect);
    return instance;
  }

  alive(): readonly InstanceProcess[] {
    return this.all.filter((instance) => instance.alive());
  }

  /** SIGKILL for the instance of that number. */
  async kill(index: number): Promise<void> {
    await this.all.find((instance) => instance.index === index)?.kill();
  }

  /** Stops all of them. May be called again. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.all.map((instance) => instance.stop()));
  }

  #elect(): void {
    if (this.#closed || this.#leading?.alive()) return;
    this.#leading = this.alive()[0];
    this.#leading?.lead();
  }
}
