/** When timers fire: NCRONTAB, as the functions host reads it. */
import { Cron } from 'croner';
import { parser, wrong } from './parsers.ts';
import { settingTable } from './setting-table.ts';

// croner also takes L, W, # and ?, which the host refuses; and 7 for Sunday, where NCRONTAB ends at 6.
const element = (value: string) => String.raw`(\*|${value}(-${value})?)(\/\d+)?`;
const field = (value: string) => `${element(value)}(,${element(value)})*`;
const [number, orName] = [field(String.raw`\d{1,2}`), field(String.raw`(\d{1,2}|[A-Za-z]{3})`)];
const sixFields = new RegExp(`^${[number, number, number, number, orName, orName].join(' ')}$`);
const sundayAsSeven = /(?:^|[,-])7(?:$|[,/-])/;

// Known to be right, and by a test. Asking for their next time would cost the start of the app more than all its other settings.
const standards: ReadonlySet<string> = new Set([
  settingTable.KEYTURN_SWEEP_SCHEDULE.standard,
  settingTable.KEYTURN_DRIFT_SCHEDULE.standard,
]);

/**
 * Six fields of NCRONTAB, beginning with the seconds, that some time fits: with the 31st of February the app would start and its timer
 * never fire. Reads the text again with single blanks.
 */
export const timerSchedule = parser((text): string => {
  const fields = text.trim().split(/\s+/);
  const pattern = fields.join(' ');
  if (standards.has(pattern)) return pattern;
  if (!sixFields.test(pattern)) wrong('is not a schedule of six fields: second, minute, hour, day, month, weekday');
  if (sundayAsSeven.test(fields.at(-1) ?? '')) wrong('has a weekday of 7; they go from 0 (Sunday) to 6');
  if (nextRun(pattern) === null) wrong('is a schedule that no day fits');
  return pattern;
});

function nextRun(pattern: string): Date | null {
  try {
    // Day of month and weekday must both fit, as in NCRONTAB, and 0/5 means from 0 on every 5.
    return new Cron(pattern, { mode: '6-part', domAndDow: true, sloppyRanges: true, paused: true }).nextRun();
  } catch {
    // croner's own message quotes the value.
    return wrong('is not a schedule: a field has a number outside its range, a step of none, or an unknown name');
  }
}
