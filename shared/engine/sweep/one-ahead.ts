/**
 * The same items, with the next one asked for before the one at hand is given out: what the source waits for and what is done with an
 * item go on at once. Never more than one item ahead. An error of the source is thrown where its item would have been; whoever stops
 * early waits for the item that was asked for already.
 */
export async function* oneAhead<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
  const items = source[Symbol.asyncIterator]();
  try {
    let next = items.next();
    for (;;) {
      const result = await next;
      if (result.done === true) return;
      next = items.next();
      // Thrown again where it is awaited; until then it must not count as an error that nobody looks at.
      next.catch(() => undefined);
      // Lets the request out before the item is worked on, which may take the thread for a while.
      await new Promise((resolve) => setImmediate(resolve));
      yield result.value;
    }
  } finally {
    await items.return?.();
  }
}
