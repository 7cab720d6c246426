/** Setting the tags of a secret: opting it in, or changing its policy. */
import * as z from 'zod';
import { lends, sameTags, type TagChange } from '../../engine/policy/change-tags.ts';
import { isFailure } from '../../errors.ts';
import { recordPause } from '../../operations/pause.ts';
import { setTags } from '../../operations/tags.ts';
import { type Answer, ok } from '../answer.ts';
import { askerOf } from '../ask.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, reason, secretName, vaultName } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';

const params = fields({ vault: vaultName, secret: secretName });
const tagName = z.string().min(1, 'takes a name').max(256, 'takes 256 characters at most');
const tagValue = z
  .string()
  .max(256, 'takes 256 characters at most')
  .regex(/^[^\p{Cc}]*$/u, 'takes one line without control characters');

export const tagChange = {
  set: z.record(tagName, tagValue).default({}).describe('Tags that are to stand. All others stay as they are.'),
  remove: z.array(tagName).max(15, 'takes 15 names at most').default([]).describe('Tags that are to go.'),
};

const body = fields({
  reason,
  ...tagChange,
  dryRun: z.boolean('takes true or false').default(false).describe('Only say what the change would be.'),
});

const answered = z.object({
  vault: z.string(),
  secret: z.string(),
  version: z.string(),
  changed: z.boolean().describe('Whether anything was, or would be, changed.'),
  before: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()).describe('The tags that the version has now, or would have.'),
  warnings: z.array(z.string()),
});

type TagsCall = Call<z.infer<typeof params>, unknown, z.infer<typeof body>>;

export function tagRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'changeTags',
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/tags',
        needs: 'reader',
        summary: 'Opt a secret in, or change its policy, by its tags',
        description:
          'Tags that cannot be used are refused with every problem at once, and nothing is written. "serves", "names", "also", "copy-of" and "derived-from" lend a value or rights to another secret, so they take the role emergency. Tags that Keyturn writes itself are refused. A reader may ask with "dryRun"; to write takes the role operator.',
        answers: {
          200: { description: 'The tags, before and after. Asked again it changes nothing.', schema: answered },
        },
        params,
        query: fields({}),
        body,
      },
      (call) => tag(deps, call),
    ),
  ];
}

async function tag(deps: ApiDependencies, call: TagsCall): Promise<Answer> {
  const { path, body: asked, signal } = call;
  const found = vaultOf(deps, path.vault);
  if (found.kind === 'problem') return found.answer;
  const change: TagChange = { set: asked.set, remove: asked.remove };
  const refused = asked.dryRun ? undefined : call.demand(lends(change) ? 'emergency' : 'operator', path);
  if (refused !== undefined) return refused;
  const { vault, secret } = path;
  const outcome = await setTags(deps.engine, found.vault, { secret, change, dryRun: asked.dryRun }, signal);
  if (isFailure(outcome)) return failureProblem(outcome);
  if (outcome.kind === 'busy') {
    const headers = { 'retry-after': '10' };
    return problem('not-now', 'a worker is at the secret just now; send it again', { reason: 'busy', headers });
  }
  const { version, before, tags, warnings } = outcome;
  const isChanged = !sameTags(before, tags);
  if (isChanged && !asked.dryRun) await record(deps, call);
  return ok({
    vault,
    secret,
    version,
    changed: isChanged,
    before: { ...before },
    tags: { ...tags },
    warnings: [...warnings],
  });
}

async function record(deps: ApiDependencies, { path, body: asked, caller, log }: TagsCall): Promise<void> {
  const about = { ...path, requestedBy: askerOf(caller).requestedBy, reason: asked.reason };
  const names = [...Object.keys(asked.set), ...asked.remove].join(', ');
  await recordPause({ ...deps, log }, about, 'tagged', `tags were changed: ${names}`);
  log.info('tags-changed', { ...path, by: caller.name, reason: asked.reason, tags: names });
}
