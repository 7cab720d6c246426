import type { History, RotationRecord } from '../contract/ports.ts';
import type { Progress } from '../engine/running/dependencies.ts';

/** Writes how far an attempt is, one row at a time and only the newest state, without holding up the attempt. */
export class Reporter implements Progress {
  readonly #history: History;
  readonly #about: Pick<RotationRecord, 'requestedBy' | 'reason' | 'startedAt'>;
  #made: Pick<RotationRecord, 'from' | 'to' | 'warnings'> = {};
  #next: RotationRecord | undefined;
  #writing: Promise<void> | undefined;

  constructor(history: History, about: Pick<RotationRecord, 'requestedBy' | 'reason' | 'startedAt'>) {
    this.#history = history;
    this.#about = about;
  }

  step(about: Parameters<Progress['step']>[0], steps: Parameters<Progress['step']>[1]): void {
    if (about.rotationId === '') return;
    this.#next = {
      ...this.#about,
      ...this.#made,
      ...about,
      activity: 'rotation',
      steps: [...steps],
      outcome: 'running',
    };
    this.#writing ??= this.#write();
  }

  /** The version is there; the rows to come say so. */
  published({ from, to, warnings }: Pick<RotationRecord, 'from' | 'to' | 'warnings'>): void {
    this.#made = {
      ...(from === undefined || from === '' ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(warnings === undefined || warnings.length === 0 ? {} : { warnings }),
    };
  }

  /** Resolves once nothing is being written any more, so that the final row is the last one. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#next !== undefined) {
      const record = this.#next;
      this.#next = undefined;
      // A row that cannot be kept now is followed by the next one, and the final one is complete.
      await this.#history.record(record);
    }
    this.#writing = undefined;
  }
}
