import { lateState } from './fault.ts';
import { quoteText } from './quote.ts';
import type { Session } from './session.ts';

/**
 * Runs the statements as one, all or none, and only while the time of the call lasts by the server's own clock.
 *
 * A worker that was frozen (a paused machine, a long collection of garbage) wakes up believing that it holds its lease, and sends a
 * change that its successor has already replaced. Its own clock cannot be asked, for it stood still. So the deadline was fixed by
 * the server's clock when the session began, and the server itself compares: before the change, and again after it, because the
 * change may have waited for a lock. It is one statement outside a transaction block, so there is no COMMIT that could come late.
 *
 * Throws a `PostgresFault`, of kind `late` when the time was over; nothing was changed then.
 */
export async function runFenced(session: Session, statements: readonly string[]): Promise<void> {
  const fence = `
  IF clock_timestamp() > to_timestamp(${(session.deadline / 1000).toFixed(3)}) THEN
    RAISE EXCEPTION USING ERRCODE = '${lateState}', MESSAGE = 'the change came after its time and was not made';
  END IF;`;
  const changes = statements.map((statement) => `\n  EXECUTE ${quoteText(statement)};`).join('');
  await session.run(`DO ${quoteText(`BEGIN${fence}${changes}${fence}\nEND`)}`);
}
