/** Every secret that somebody may see, in lines: written as the vaults are listed, so that a page shows the first of ten thousand at once. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { requestedTag } from '../../engine/policy/requested.ts';
import { stampTag } from '../../engine/policy/stamp.ts';
import { framesOf, isFailure } from '../../errors.ts';
import type { Log } from '../../telemetry.ts';
import type { Place } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { time } from '../fields.ts';
import { knownBeside, viewAll } from '../listing.ts';
import { freezeView, viewFreeze } from '../routes/freeze.ts';
import { type SecretView, secretView } from '../views/secret.ts';
import type { Listings } from './remembered-listing.ts';

const overviewRow = secretView
  .omit({ trouble: true, hints: true, consumers: true, copies: true, updatedAt: true })
  .meta({ id: 'OverviewRow' });
type OverviewRow = z.infer<typeof overviewRow>;

export const overviewLine = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('about'),
    vaults: z.array(z.string()),
    freeze: freezeView.optional().describe('Absent where it cannot be read, which counts as frozen.'),
    version: z.string(),
  }),
  z.object({ kind: z.literal('rows'), at: time.describe('The clock of the vault.'), rows: z.array(overviewRow) }),
  z.object({
    kind: z.literal('vault-failed'),
    vault: z.string(),
    code: z.string(),
    message: z.string(),
    hint: z.string(),
  }),
  z.object({
    kind: z.literal('end'),
    etag: z.string().describe('Send it as If-None-Match: 304 while nothing has changed.'),
    warnings: z.array(z.string()).describe('What is not known, as sentences.'),
  }),
]);
type Line = z.infer<typeof overviewLine>;

export interface Looking {
  readonly deps: ApiDependencies;
  readonly listings: Listings;
  readonly sees: (where: Place) => boolean;
  readonly signal: AbortSignal;
}

/** The lines of one answer; the last one is `end`. Rejects where the work is cut off. */
export async function* overview({ deps, listings, sees, signal }: Looking): AsyncGenerator<Line> {
  const hash = createHash('sha256');
  const counted = (line: Line): Line => {
    hash.update(JSON.stringify(line.kind === 'rows' ? line.rows : line));
    return line;
  };
  const warnings = new Set<string>();
  const freeze = await deps.freeze.read();
  const vaults = [...deps.engine.vaults.values()];
  const frozen = isFailure(freeze) ? {} : { freeze: viewFreeze(freeze) };
  yield counted({ kind: 'about', vaults: vaults.map(({ name }) => name), ...frozen, version: deps.version });
  for (const vault of vaults) {
    const beside = await knownBeside(deps, vault.name);
    for (const warning of beside.warnings) warnings.add(warning);
    for await (const page of listings.pages(vault, signal)) {
      if (isFailure(page)) {
        const { code, message, hint } = page;
        yield counted({ kind: 'vault-failed', vault: vault.name, code, message, hint });
        break;
      }
      const views = viewAll(deps, vault.name, page.secrets, beside, page.now);
      yield counted({ kind: 'rows', at: page.now.toISOString(), rows: views.filter(sees).map(rowOf) });
    }
  }
  hash.update(JSON.stringify([...warnings]));
  yield { kind: 'end', etag: `"${hash.digest('base64url').slice(0, 27)}"`, warnings: [...warnings] };
}

/** What a list shows; the rest is asked for when one secret is opened. What the engine writes into tags is said by other fields. */
function rowOf(view: SecretView): OverviewRow {
  const { trouble, hints, consumers, copies, updatedAt, tags, ...row } = view;
  const { [stampTag]: _stamp, [requestedTag]: _requested, ...own } = tags;
  return { ...row, tags: own };
}

/** As text, a line each. `known`: what the caller has; undefined as result: it is what there is still. */
export async function changedSince(known: string, looking: Looking): Promise<string | undefined> {
  const lines: string[] = [];
  for await (const line of overview(looking)) {
    if (line.kind === 'end' && known.includes(line.etag)) return undefined;
    lines.push(`${JSON.stringify(line)}\n`);
  }
  return lines.join('');
}

/** A mistake of ours leaves it without its end, and whoever reads it asks again. */
export async function* asText(lines: AsyncIterable<Line>, log: Log): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${JSON.stringify(line)}\n`;
  } catch (error) {
    const detail = error instanceof Error ? error.name : 'unknown';
    log.error('bug', { route: '/overview', detail, stack: framesOf(error) });
  }
}
