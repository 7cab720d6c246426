/** Many vaults, a few at a time. */
import { expect, test } from 'vitest';
import { atOnce } from '../../shared/operations/at-once.ts';

test.each([0, 0.4, 0.999])(
  'all are worked on, never more than so many at once, and given in their order: from %d',
  async (from) => {
    const items = Array.from({ length: 12 }, (_, at) => at);
    const begun: number[] = [];
    let [running, most] = [0, 0];
    const results = await atOnce(
      items,
      5,
      async (item) => {
        begun.push(item);
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return item * 2;
      },
      from,
    );
    expect(results).toEqual(items.map((item) => item * 2));
    expect(most).toBe(5);
    expect(begun[0]).toBe(Math.floor(from * 12));
  },
);

test('of nothing nothing is made', async () => {
  expect(await atOnce([], 5, async () => 1, 0.5)).toEqual([]);
});
