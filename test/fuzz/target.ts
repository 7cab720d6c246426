/** One target of the fuzzers: what is thrown at it, and what must hold whatever it is. */
import fc from 'fast-check';

export interface Failed {
  readonly seed: number;
  /** Leads back to the shrunk input, with the same seed. */
  readonly path: string;
  /** The shrunk input, as text that can be pasted into a test. */
  readonly input: string;
  readonly why: string;
}

export interface Fuzzed {
  readonly inputs: number;
  readonly failed?: Failed;
}

export interface Target {
  readonly name: string;
  /** How many of a hundred inputs are its own. */
  readonly share: number;
  fuzz(given: { readonly runs: number; readonly seed: number; readonly path?: string }): Promise<Fuzzed>;
}

/** What is secret in the inputs: it must be in no answer, log line, error or message. */
export const canary = 'Qj7canaryVx0Wz4u';

/**
 * Longest time of one input, in ms: of the processor, so that a busy machine is no failure, and on the clock, so that one that hangs is
 * seen. Most inputs take a thousandth of it.
 */
const longest = { processorMs: 2_000, clockMs: 60_000 };

/** How a text stands in a log, an address or a header: plain, or encoded at any of the places that base64 has. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const encoded = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64'));
  return [
    ...[secret, encodeURIComponent(secret.toWellFormed()), bytes.toString('hex')],
    ...encoded.map((text, shift) => text.slice(shift === 0 ? 0 : shift + 1, -4)),
  ];
}

const canaryForms = formsOf(canary);

/** Throws where a text holds the secret, plain or encoded; the canary where none is named. */
export function holdsNoSecret(where: string, what: unknown, secret = canary): void {
  const text = typeof what === 'string' ? what : (JSON.stringify(what) ?? '');
  const forms = secret === canary ? canaryForms : formsOf(secret);
  if (forms.some((form) => text.includes(form))) throw new Error(`${where} holds the secret: ${text.slice(0, 500)}`);
}

export function must(holds: boolean, claim: string): void {
  if (!holds) throw new Error(`not so: ${claim}`);
}

export function target<Input>(
  name: string,
  share: number,
  inputs: fc.Arbitrary<Input>,
  claim: (input: Input) => Promise<void> | void,
): Target {
  const timed = async (input: Input): Promise<void> => {
    const begun = process.cpuUsage();
    await claim(input);
    const { user, system } = process.cpuUsage(begun);
    const ms = (user + system) / 1_000;
    must(ms < longest.processorMs, `an input takes less than ${longest.processorMs} ms, and not ${Math.round(ms)}`);
    must(Object.keys(Object.prototype).length === 0, 'no input reaches the prototype of all objects');
  };
  return {
    name,
    share,
    async fuzz({ runs, seed, path }) {
      const details = await fc.check(fc.asyncProperty(inputs, timed), {
        timeout: longest.clockMs,
        ...{ numRuns: runs, seed },
        ...(path === undefined ? {} : { path }),
      });
      if (!details.failed) return { inputs: details.numRuns };
      const { counterexample, counterexamplePath, errorInstance } = details;
      const why =
        errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance);
      const failed = {
        seed: details.seed,
        path: counterexamplePath ?? '',
        input: fc.stringify(counterexample?.[0]),
        why,
      };
      return { inputs: details.numRuns, failed };
    },
  };
}
