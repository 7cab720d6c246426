import type { Log } from '../shared/telemetry.ts';

/** What is thrown on purpose, with a message of ours. */
const ours = new Set(['DeliverAgain', 'TryAgain']);

/**
 * Does the work of one function. What it throws goes to the platform, which logs it whole and shows it to people; a driver's exception that
 * nobody expected may quote a statement or a password. So of such a one only its kind and its frames are kept. Throws as the work does, so
 * that the platform delivers again.
 */
export async function guarded<Result>(name: string, log: Log, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // Loaded only here: the table of all failures is no part of what starts the app.
    const { Bug, framesOf } = await import('../shared/errors.ts');
    if (error instanceof Bug || (error instanceof Error && ours.has(error.name))) throw error;
    const kind = error instanceof Error ? error.name : typeof error;
    log.error('bug', { function: name, detail: kind, stack: framesOf(error) });
    const told = new Bug(`${kind} in ${name}, which nobody expected; the line "bug" of the log says where`);
    told.stack = `Bug: ${told.message}\n${framesOf(error)}`;
    throw told;
  }
}
