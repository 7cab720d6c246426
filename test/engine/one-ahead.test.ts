import { describe, expect, it } from 'vitest';
import { oneAhead } from '../../shared/engine/sweep/one-ahead.ts';

/** Counts to `last`; `asked` says how far it was asked, `ended` whether it was told to stop. */
function source(last: number, failAt = Number.POSITIVE_INFINITY) {
  const seen = { asked: 0, ended: false };
  async function* items() {
    try {
      for (let item = 1; item <= last; item++) {
        seen.asked = item;
        if (item === failAt) throw new Error(`no item ${item}`);
        yield item;
      }
    } finally {
      seen.ended = true;
    }
  }
  return { seen, items: items() };
}

async function all(items: AsyncIterable<number>): Promise<number[]> {
  const got: number[] = [];
  for await (const item of oneAhead(items)) got.push(item);
  return got;
}

describe('items one ahead', () => {
  it('are the same items in the same order', async () => {
    expect(await all(source(4).items)).toEqual([1, 2, 3, 4]);
    expect(await all(source(0).items)).toEqual([]);
  });

  it('are asked for while the one before is worked on, and never further', async () => {
    const { items, seen } = source(4);
    const asked: number[] = [];
    for await (const item of oneAhead(items)) asked.push(seen.asked - item);
    expect(asked).toEqual([1, 1, 1, 0]);
  });

  it('end with the error of the source, after the items before it', async () => {
    const got: number[] = [];
    const read = async () => {
      for await (const item of oneAhead(source(4, 3).items)) got.push(item);
    };
    await expect(read()).rejects.toThrow('no item 3');
    expect(got).toEqual([1, 2]);
  });

  it('end the source when nobody wants more', async () => {
    const { items, seen } = source(4);
    for await (const item of oneAhead(items)) if (item === 2) break;
    expect(seen).toEqual({ asked: 3, ended: true });
  });
});
