import type { Exit } from './exit-codes.ts';

/** Why a command cannot go on, as a person is told. Holds nothing secret. */
export interface Trouble {
  readonly kind: 'trouble';
  readonly exit: Exit;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** Page of the documentation. */
  readonly page?: string;
  /** Further lines, such as the fields of a request that cannot be used. */
  readonly more?: readonly string[];
  readonly rotationId?: string;
  /** How many secrets a selector matches, where that is what stands in the way. */
  readonly matched?: number;
}

/** Ends the command. Thrown wherever it cannot go on, and caught in one place, run.ts. */
export class Stop extends Error {
  override readonly name = 'Stop';
  readonly trouble: Trouble;

  constructor(trouble: Omit<Trouble, 'kind'>) {
    super(trouble.message);
    this.trouble = { ...trouble, kind: 'trouble' };
  }
}

/** The command line cannot be used as it is. */
export function usageStop(message: string, hint: string): Stop {
  return new Stop({ exit: 'usage', code: 'usage', message, hint });
}

export function isTrouble(outcome: { readonly kind: string }): outcome is Trouble {
  return outcome.kind === 'trouble';
}
