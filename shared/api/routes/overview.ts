/** What an open dashboard asks again and again. */
import type { ApiDependencies } from '../dependencies.ts';
import { fields } from '../fields.ts';
import { asText, changedSince, overview, overviewLine } from '../overview/overview.ts';
import { rememberedListings } from '../overview/remembered-listing.ts';
import { type Route, route } from '../route.ts';

export function overviewRoutes(deps: ApiDependencies): readonly Route[] {
  const listings = rememberedListings(() => deps.engine.elapsedMs());
  return [
    route(
      {
        id: 'getOverview',
        method: 'GET',
        path: '/overview',
        needs: 'reader',
        covers: 'each',
        summary: 'Every secret at once, for a page that stays open',
        description:
          'Lines of JSON (`application/x-ndjson`), written as the vaults are listed; the last one is `end`. A listing is remembered for 10 s, and for longer in a large vault: 250 ms for each 25 secrets. Send `If-None-Match` with the `etag` of `end`: the answer is 304 while nothing has changed.',
        answers: { 200: { description: 'One of these in each line.', schema: overviewLine } },
        params: fields({}),
        query: fields({}),
      },
      async ({ sees, signal, ifNoneMatch, log }) => {
        const looking = { deps, listings, sees, signal };
        if (ifNoneMatch === undefined) return { status: 200, lines: asText(overview(looking), log) };
        const text = await changedSince(ifNoneMatch, looking);
        return text === undefined ? { status: 304 } : { status: 200, lines: one(text) };
      },
    ),
  ];
}

async function* one(text: string): AsyncGenerator<string> {
  yield text;
}
