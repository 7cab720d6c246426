/** What the platform is told of an exception that nobody expected. */
import { expect, test } from 'vitest';
import { guarded } from '../../functions/guard.ts';
import { DeliverAgain } from '../../functions/read-message.ts';
import { Bug } from '../../shared/errors.ts';
import type { LogFields } from '../../shared/telemetry.ts';
import { findSecrets } from '../canary.ts';

const canary = 'kt canary 1';

async function thrownBy(work: () => Promise<unknown>) {
  const lines: LogFields[] = [];
  const write = (event: string, fields: LogFields = {}) => void lines.push({ event, ...fields });
  const thrown: unknown = await guarded('rotate', { info: write, warn: write, error: write }, work).catch(
    (error) => error,
  );
  return { thrown, lines };
}

test.each([
  [
    'an error with a password in its message',
    Object.assign(new Error(`near '${canary}'`), { sql: canary, code: '42601' }),
  ],
  ['an error with a password in its cause', new TypeError('x', { cause: new Error(canary) })],
  ['a message with lines that look like frames', new Error(`x\n    at ${canary} (file.ts:1:1)`)],
  ['a text', canary],
  ['an object', { password: canary }],
])('of %s: where it happened, and nothing that it says', async (_, error) => {
  const { thrown, lines } = await thrownBy(() => Promise.reject(error));
  expect(thrown).toBeInstanceOf(Bug);
  expect(lines).toEqual([expect.objectContaining({ event: 'bug', function: 'rotate' })]);
  expect(findSecrets([thrown, lines], [canary])).toEqual([]);
});

test.each([new DeliverAgain('target-unreachable: orders-db'), new Bug('never')])(
  'of what is thrown on purpose: its own words',
  async (error) => {
    const { thrown, lines } = await thrownBy(() => Promise.reject(error));
    expect(thrown).toBe(error);
    expect(lines).toEqual([]);
  },
);
