/** Listing secrets: a page of the vault is a page of the answer. */
import * as z from 'zod';
import { secretStates } from '../../engine/sweep/standing.ts';
import { isFailure } from '../../errors.ts';
import { ok } from '../answer.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, vaultName } from '../fields.ts';
import { knownBeside, pageToken, readPage, type Selection, selects, tokenOf, viewAll } from '../listing.ts';
import { failureProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { secretView } from '../views/secret.ts';

const state = z.enum(secretStates);
const tag = z
  .string()
  .regex(/^[^=]{1,256}(=.{0,256})?$/s, 'takes NAME or NAME=VALUE')
  .transform((text) => {
    const at = text.indexOf('=');
    return at < 0 ? { name: text } : { name: text.slice(0, at), value: text.slice(at + 1) };
  });

/** Given once or several times. */
const some = <T extends z.ZodType>(one: T) =>
  z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(one).max(16));

const query = fields({
  vault: vaultName.optional(),
  state: some(state).optional().describe('Given several times: any of them. Absent: all that opted in.'),
  rotator: z.string().min(1).max(64).optional(),
  tag: some(tag).optional().describe('NAME or NAME=VALUE. Given several times: all of them.'),
  page: pageToken.optional().describe('The `next` of a page before.'),
});

const listed = z.object({
  secrets: z
    .array(secretView.meta({ id: 'Secret' }))
    .describe('Those of this page that fit: 25 at most, possibly none although `next` is there.'),
  next: z.string().optional().describe('Absent on the last page.'),
  warnings: z.array(z.string()),
});

export function listRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'listSecrets',
        method: 'GET',
        path: '/secrets',
        needs: 'reader',
        covers: 'each',
        summary: 'List secrets by state, rotator and tag, a page at a time',
        description:
          'Comes from the listing of the vault alone. Filters apply to a page after it was read, so a page may be short or empty.',
        answers: { 200: { description: 'One page.', schema: listed } },
        params: fields({}),
        query,
      },
      async (call) => {
        const { vault, rotator, page: given } = call.query;
        const vaults = vault === undefined ? [...deps.engine.vaults.keys()] : [vault];
        const at = given ?? { vault: vaults[0] ?? '' };
        const found = vaultOf(deps, at.vault);
        if (found.kind === 'problem') return found.answer;
        const [page, beside] = await Promise.all([
          readPage(deps, vaults, at, call.signal),
          knownBeside(deps, at.vault),
        ]);
        if (isFailure(page)) return failureProblem(page);
        const views = viewAll(deps, at.vault, page.page.secrets, beside, page.page.readAt);
        const selection: Selection = { states: call.query.state, rotator, tags: call.query.tag };
        return ok({
          secrets: views.filter((view) => call.sees(view) && selects(selection, view)),
          ...(page.next === undefined ? {} : { next: tokenOf(page.next) }),
          // On call, a list without counts of failures is better than none.
          warnings: [...beside.warnings],
        });
      },
    ),
  ];
}
