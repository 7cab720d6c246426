import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../local/functions-host/instance/schedule.ts';
import { timerSchedule } from '../../shared/config/schedule.ts';
import { settingTable } from '../../shared/config/setting-table.ts';
import { readSettings } from '../../shared/config/settings.ts';

describe('the schedule of a timer', () => {
  it.each([
    '*/15 * * * * *',
    '0 */15 * * * *',
    '0 0/5 * * * *',
    '0 30 3 * * *',
    '0 0 9-17 * * MON-FRI',
    '0 0 0 1 jan,JUL *',
    '0,30 5-59/10 */2 1,15 * 0-6',
    '0 0 0 29 2 *',
    '  0  0 12  * * 6 ',
  ])('%j is taken, as the host takes it', (text) => {
    const pattern = text.trim().split(/ +/).join(' ');
    expect(timerSchedule(text)).toEqual({ kind: 'read', value: pattern });
    expect(() => parseSchedule(pattern, 'UTC').next(new Date())).not.toThrow();
  });

  it.each([
    ['99 99 99 * * *', /outside its range/],
    ['60 * * * * *', /outside its range/],
    ['0 60 * * * *', /outside its range/],
    ['0 0 24 * * *', /outside its range/],
    ['0 0 0 0 * *', /outside its range/],
    ['0 0 0 32 * *', /outside its range/],
    ['0 0 0 * 13 *', /outside its range/],
    ['0 0 0 * * 8', /outside its range/],
    ['0 0 0 * * fri-mon', /outside its range/],
    ['0 50-10 * * * *', /outside its range/],
    ['0 */0 * * * *', /step of none/],
    ['0 0 0 * foo *', /unknown name/],
    ['0 0 0 * * jan', /unknown name/],
    ['0 0 0 * * 7', /0 \(Sunday\) to 6/],
    ['0 0 0 * * 1-7', /0 \(Sunday\) to 6/],
    ['0 0 0 31 2 *', /no day fits/],
    ['0 0 0 31 4,6,9,11 *', /no day fits/],
    ['*/5 * * * *', /six fields/],
    ['0 0 0 * * * 2026', /six fields/],
    ['0 0 0 L * *', /six fields/],
    ['0 0 0 * * 5#2', /six fields/],
    ['0 0 0 ? * *', /six fields/],
    ['@daily', /six fields/],
    ['0 /5 * * * *', /six fields/],
    ['0 0 0 * * 1,,2', /six fields/],
  ])('%j is refused with a reason that does not quote it', (text, reason) => {
    const outcome = timerSchedule(text);
    expect(outcome).toEqual({ kind: 'wrong', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(outcome)).not.toContain(text);
  });

  it('that is the standard is right, although it is not looked at again at each start', () => {
    for (const name of ['KEYTURN_SWEEP_SCHEDULE', 'KEYTURN_DRIFT_SCHEDULE'] as const) {
      // The leading zero makes another text of the same times.
      const standard = settingTable[name].standard;
      expect(timerSchedule(standard)).toEqual({ kind: 'read', value: standard });
      expect(timerSchedule(`0${standard}`)).toEqual({ kind: 'read', value: `0${standard}` });
    }
  });

  it('that is wrong keeps the app from starting, and names the setting', () => {
    const outcome = readSettings({ KEYTURN_SWEEP_SCHEDULE: '99 99 99 * * *', KEYTURN_DRIFT_SCHEDULE: '0 0 0 30 2 *' });
    if (outcome.kind !== 'invalid') throw new Error('accepted');
    const names = outcome.problems.map((one) => one.setting);
    expect(names).toEqual(expect.arrayContaining(['KEYTURN_SWEEP_SCHEDULE', 'KEYTURN_DRIFT_SCHEDULE']));
  });
});
