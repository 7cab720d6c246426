import { ConsumerError, type OnError } from './errors.ts';
import { wordsOf } from './scrub.ts';
import type { SecretText } from './secret-text.ts';

interface Version {
  readonly value: SecretText;
  readonly version: string;
}

/** A new version took the place of the one before. */
export interface Change<Of extends Version = Version> {
  readonly previous: Of;
  readonly current: Of;
}

export type ChangeListener = (change: Change) => void | Promise<void>;

/** Tells listeners of new versions. One that throws or rejects is reported and keeps nobody else from hearing of it. */
export class SecretChange {
  /** Where problems of the background are told. */
  readonly report: OnError;
  readonly #listeners = new Set<ChangeListener>();

  constructor(report: OnError) {
    this.report = report;
  }

  /** Calls the listener for each new version from now on. Gives back what takes it away again. */
  on(_event: 'change', listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  protected changed(change: Change): void {
    for (const listener of [...this.#listeners]) void this.#tell(listener, change);
  }

  async #tell(listener: ChangeListener, change: Change): Promise<void> {
    try {
      await listener(change);
    } catch (error) {
      const words = wordsOf(error, [change.previous.value, change.current.value]);
      this.report(new ConsumerError('listener-failed', `A listener of "change" failed: ${words}`));
    }
  }
}
