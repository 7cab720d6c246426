/** NCRONTAB expressions, and what the host remembers of a timer between its starts. Times are UTC or WEBSITE_TIME_ZONE. */
import { Cron } from 'croner';
import * as z from 'zod';

export interface Schedule {
  /** First time after `from`. */
  next(from: Date): Date;
}

// NCRONTAB knows no L, W, # or ?, and its weekdays go from 0 to 6, where croner takes 7 for Sunday too.
const element = String.raw`(\*|\w+(-\w+)?)(\/\d+)?`;
const aField = new RegExp(`^${element}(,${element})*$`);
const special = /\d[LW]|(?:^|,)(?:L|W|LW)(?:,|$)/i;
const sundayAsSeven = /(?:^|[,-])7(?:$|[,/-])/;

/** Throws when the expression is not one the host takes: six fields, or five without seconds. */
export function parseSchedule(expression: string, timeZone: string): Schedule {
  const fields = expression.trim().split(/\s+/);
  const refuse = (cause?: unknown) =>
    new Error(
      `The schedule expression '${expression}' was not recognized as a valid cron expression or timespan string.`,
      { cause },
    );
  if (fields.length !== 5 && fields.length !== 6) throw refuse();
  if (fields.some((field) => !aField.test(field) || special.test(field))) throw refuse();
  if (sundayAsSeven.test(fields.at(-1) ?? '')) throw refuse();
  const six = fields.length === 6 ? fields : ['0', ...fields];
  try {
    // Day of month and day of week must both fit, as in NCRONTAB; classic cron takes either. And 0/5 means from 0 on every 5.
    const options = { mode: '6-part', domAndDow: true, sloppyRanges: true, timezone: timeZone, paused: true } as const;
    const cron = new Cron(six.join(' '), options);
    return {
      next: (from) => {
        const next = cron.nextRun(from);
        if (next === null) throw refuse();
        return next;
      },
    };
  } catch (cause) {
    throw refuse(cause);
  }
}

const date = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
export const timerStatusSchema = z.object({ Last: date, Next: date, LastUpdated: date });
export type TimerStatus = z.infer<typeof timerStatusSchema>;

/** Whether a run was missed while no instance ran. A schedule changed meanwhile has missed nothing. */
export function missedRun(schedule: Schedule, status: TimerStatus | undefined, now: Date): boolean {
  if (status === undefined) return false;
  const expected = schedule.next(status.LastUpdated);
  return expected.getTime() === status.Next.getTime() && now > expected;
}

/** The host keeps no status for schedules of less than a minute. */
export function isMonitored(schedule: Schedule, now: Date): boolean {
  const first = schedule.next(now);
  return schedule.next(first).getTime() - first.getTime() >= 60_000;
}
