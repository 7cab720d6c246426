/** The clock of the local stack's vault, which may have been moved: what is shown as "in 3 d" counts from there. */
import * as z from 'zod';

const clock = z.object({ offsetMs: z.number() });
const patienceMs = 2_000;

/** Distance from this machine's clock in ms. Of a stack that does not answer it is none: the command itself says what is wrong. */
export async function localOffsetMs(control: string | undefined): Promise<number> {
  if (control === undefined) return 0;
  const answer = await asked(`${control}clock`);
  const read = clock.safeParse(answer);
  return read.success ? read.data.offsetMs : 0;
}

async function asked(url: string): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
    return await answer.json();
  } catch (error) {
    return error;
  }
}
