import type { TableClient } from '@azure/data-tables';
import type { StorageClients } from './connect.ts';

/** The rows that fit a filter, a page of the service at a time: each page is a call with its own deadline. Throws what the client throws. */
export async function* entitiesOf(
  table: TableClient,
  filter: string,
  within: StorageClients['within'],
): AsyncGenerator<object> {
  for (let continuationToken: string | undefined; ; ) {
    const pages = table.listEntities({ queryOptions: { filter }, ...within() });
    const { value, done } = await pages.byPage(continuationToken === undefined ? {} : { continuationToken }).next();
    if (done === true) return;
    yield* value;
    continuationToken = value.continuationToken;
    if (continuationToken === undefined) return;
  }
}
