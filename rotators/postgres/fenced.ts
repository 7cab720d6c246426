import { lateState } from './fault.ts';
import { quoteText } from './quote.ts';

/**
 * One statement that runs the others, all or none, and only until `deadline` (ms since 1970) by the server's own clock.
 *
 * A worker that was frozen (a paused machine, a long collection of garbage) wakes up believing that it holds its lease, and sends a
 * change that its successor has already replaced. Its own clock cannot be asked, for it stood still. So the deadline was fixed by
 * the server's clock when the session began, and the server itself compares: before the change, and again after it, because the
 * change may have waited for a lock. It ends the message it travels in, and the transaction with it, so there is no COMMIT that could
 * come late.
 *
 * The server raises `lateState` when the time was over; nothing was changed then.
 */
export function fenced(deadline: number, statements: readonly string[]): string {
  const fence = `
  IF clock_timestamp() > to_timestamp(${(deadline / 1000).toFixed(3)}) THEN
    RAISE EXCEPTION USING ERRCODE = '${lateState}', MESSAGE = 'the change came after its time and was not made';
  END IF;`;
  const changes = statements.map((statement) => `\n  EXECUTE ${quoteText(statement)};`).join('');
  return `DO ${quoteText(`BEGIN${fence}${changes}${fence}\nEND`)}`;
}
