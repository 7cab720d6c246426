/** Descriptions of providers, as a folder of the app may hold them. */
import * as z from 'zod';
import { readDescription } from '../../../rotators/http-keys/catalog.ts';
import { builtIn } from '../../../rotators/http-keys/descriptions/index.ts';
import { type Json, spoiled } from '../inputs.ts';
import { must, target } from '../target.ts';

const json: z.ZodType<Json> = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(json), z.record(z.string(), json)]),
);

export const descriptions = target('descriptions', 5, spoiled(...builtIn.map((one) => json.parse(one))), (given) => {
  const outcome = readDescription(given);
  if (outcome.kind === 'wrong') {
    must(outcome.problems.length > 0, 'a description that is refused has a problem');
    return;
  }
  for (const pattern of patternsIn(outcome.description)) new RegExp(pattern);
});

/** What is used as a pattern once the description is believed. */
function patternsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'pattern' && typeof inner === 'string' ? [inner] : patternsIn(inner),
  );
}
