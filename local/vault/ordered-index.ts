/**
 * Items in the order they came, read page by page.
 *
 * A cursor is the sequence number of the first item of the next page. Sequence numbers are never used again, so a cursor stays right
 * while items come and go: an item that is there during the whole listing is listed exactly once, as the service does it.
 * Adding is O(1), removing and finding a cursor O(log n), a page O(page), all amortised.
 */
export class OrderedIndex<Item> {
  #slots: { readonly sequence: number; item: Item | undefined }[] = [];
  #live = 0;
  #nextSequence = 0;

  get size(): number {
    return this.#live;
  }

  /** Returns the sequence number by which the item can be removed. */
  add(item: Item): number {
    const sequence = this.#nextSequence++;
    this.#slots.push({ sequence, item });
    this.#live++;
    return sequence;
  }

  remove(sequence: number): void {
    const slot = this.#slots[this.#position(sequence)];
    if (slot?.sequence !== sequence || slot.item === undefined) return;
    slot.item = undefined;
    this.#live--;
    // Holes are swept out before they outnumber the items, so that no page walks over many of them.
    if (this.#slots.length > 2 * this.#live + 32) this.#slots = this.#slots.filter(({ item }) => item !== undefined);
  }

  /** `next` is absent after the last page. */
  page(cursor: number, limit: number): { readonly items: Item[]; readonly next?: number } {
    const items: Item[] = [];
    for (let position = this.#position(cursor); position < this.#slots.length; position++) {
      const slot = this.#slots[position];
      if (slot?.item === undefined) continue;
      if (items.length === limit) return { items, next: slot.sequence };
      items.push(slot.item);
    }
    return { items };
  }

  clear(): void {
    this.#slots = [];
    this.#live = 0;
  }

  /** The position of the first slot at or after a sequence number. */
  #position(sequence: number): number {
    let low = 0;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slots[middle]?.sequence ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
