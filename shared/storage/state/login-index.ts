import * as z from 'zod';
import type { LoginIndex, SecretPlace } from '../../contract/state.ts';
import { isFailure } from '../../errors.ts';
import type { Records } from './records.ts';

const seenFields = z.object({ secret: z.string(), mark: z.string(), prints: z.string() });
const placeFields = z.object({ vault: z.string(), secret: z.string() });
const completeFields = z.object({ at: z.date(), vault: z.string().optional() });

const split = (prints: string): readonly string[] => prints.split(' ').filter((print) => print !== '');
const read = ({ secret, mark, prints }: z.infer<typeof seenFields>) => ({ secret, mark, prints: split(prints) });

/** One record for each secret, and one for each fingerprint and secret. */
export function tableLoginIndex(records: Records): LoginIndex {
  const seenGroup = (vault: string) => ['seen', vault];
  const printGroup = (print: string) => ['login', print];
  const key = ({ vault, secret }: SecretPlace) => [vault, secret];

  async function of(place: SecretPlace) {
    const got = await records.get(seenGroup(place.vault), [place.secret]);
    if (isFailure(got)) return got;
    const seen = got.fields === undefined ? undefined : read(seenFields.parse(got.fields));
    return { kind: 'known' as const, seen };
  }

  /** Rows of fingerprints that no longer hold. */
  async function drop(place: SecretPlace, prints: readonly string[]) {
    for (const print of prints) {
      const removed = await records.remove(printGroup(print), key(place));
      if (isFailure(removed)) return removed;
    }
    return { kind: 'kept' as const };
  }

  return {
    async *all(vault) {
      for await (const record of records.all(seenGroup(vault))) {
        if (isFailure(record)) yield record;
        else yield { kind: 'seen', ...read(seenFields.parse(record.fields)) };
      }
    },
    of,
    async keep(place, { mark, prints }) {
      const before = await of(place);
      if (isFailure(before)) return before;
      const { secret, vault } = place;
      const had = before.seen?.prints ?? [];
      if (before.seen?.mark === mark && had.join() === prints.join()) return { kind: 'kept' };
      // The new rows stand before the record says so: a crash in between is put right by whoever keeps it again.
      for (const print of prints.filter((one) => !had.includes(one))) {
        const put = await records.put(printGroup(print), key(place), { vault, secret });
        if (isFailure(put)) return put;
      }
      const put = await records.put(seenGroup(vault), [secret], { secret, mark, prints: prints.join(' ') });
      if (isFailure(put)) return put;
      return drop(
        place,
        had.filter((print) => !prints.includes(print)),
      );
    },
    async forget(place) {
      const before = await of(place);
      if (isFailure(before)) return before;
      const dropped = await drop(place, before.seen?.prints ?? []);
      if (isFailure(dropped)) return dropped;
      const removed = await records.remove(seenGroup(place.vault), [place.secret]);
      return isFailure(removed) ? removed : { kind: 'kept' };
    },
    async holders(print) {
      const holders: SecretPlace[] = [];
      for await (const record of records.all(printGroup(print))) {
        if (isFailure(record)) return record;
        holders.push(placeFields.parse(record.fields));
      }
      return { kind: 'holders', holders };
    },
    ...tableCompleteness(records),
  };
}

function tableCompleteness(records: Records): Pick<LoginIndex, 'completeAt' | 'completeVaults' | 'markComplete'> {
  return {
    async completeAt(vault) {
      const got = await records.get(['seen-all'], [vault]);
      if (isFailure(got)) return got;
      return { kind: 'known', at: got.fields === undefined ? undefined : completeFields.parse(got.fields).at };
    },
    async completeVaults() {
      const vaults = new Set<string>();
      for await (const record of records.all(['seen-all'])) {
        if (isFailure(record)) return record;
        const { vault } = completeFields.parse(record.fields);
        // A row may be older than its name in it: their vaults are asked one by one until a sweep writes the row again.
        if (vault !== undefined) vaults.add(vault);
      }
      return { kind: 'known', vaults };
    },
    async markComplete(vault, at) {
      const put = await records.put(['seen-all'], [vault], { at, vault });
      return isFailure(put) ? put : { kind: 'kept' };
    },
  };
}
