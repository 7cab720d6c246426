import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrderedIndex } from '../../local/vault/ordered-index.ts';

test('whatever comes and goes meanwhile, a listing gives each item that stays exactly once, in order', () => {
  const step = fc.record({ add: fc.nat(20), remove: fc.array(fc.nat(500), { maxLength: 20 }) });
  fc.assert(
    fc.property(
      fc.nat(200),
      fc.integer({ min: 1, max: 25 }),
      fc.array(step, { maxLength: 10 }),
      (count, limit, steps) => {
        const index = new OrderedIndex<number>();
        const sequences: number[] = [];
        const add = () => sequences.push(index.add(sequences.length));
        for (let n = 0; n < count; n++) add();
        const removed = new Set<number>();
        const seen: number[] = [];
        let cursor: number | undefined = 0;
        for (let page = 0; cursor !== undefined; page++) {
          const { items, next } = index.page(cursor, limit);
          seen.push(...items);
          cursor = next;
          const { add: added = 0, remove = [] } = steps[page] ?? {};
          for (let n = 0; n < added; n++) add();
          for (const item of remove) {
            const sequence = sequences[item];
            if (sequence === undefined) continue;
            index.remove(sequence);
            removed.add(item);
          }
        }
        expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
        for (let item = 0; item < count; item++) if (!removed.has(item)) expect(seen).toContain(item);
        expect(index.size).toBe(sequences.length - removed.size);
      },
    ),
    { numRuns: 100 },
  );
});
