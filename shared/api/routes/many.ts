/** Rotating many secrets at once, by a selector and with their number confirmed. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Failure, isFailure } from '../../errors.ts';
import { type Answer, ok, placeOf } from '../answer.ts';
import { claim, fingerprintOf, queue, queuedMark, requestOf } from '../ask.ts';
import { may } from '../caller.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { breakGlass, fields, reason } from '../fields.ts';
import { withFourEyes } from '../four-eyes.ts';
import { knownBeside, readPage, type Selection, selectionOf, selector, selects, viewAll } from '../listing.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { approvalView } from '../views/approval.ts';
import type { SecretView } from '../views/secret.ts';

/** More than this in one call would not be answered in time. */
const mostSecrets = 10_000;

/** How many requests are on their way to the queue at once. */
const mostAtOnce = 16;

/** How many names a refusal shows. */
const mostShown = 50;

export const manyBody = fields({
  selector,
  confirm: z
    .int('takes the number of secrets that you expect to be rotated')
    .min(0, 'is at least 0')
    .max(mostSecrets, `is at most ${mostSecrets}: narrow the selector`),
  reason,
  breakGlass,
});

const answer = z.object({
  matched: z.int(),
  approval: approvalView.optional().describe('Nothing is queued: it waits for a second person.'),
  rotations: z.array(z.object({ vault: z.string(), secret: z.string(), rotationId: z.string(), location: z.string() })),
});

interface Match {
  readonly vault: string;
  readonly secret: string;
}

export function manyRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'rotateMany',
        method: 'POST',
        path: '/rotations',
        needs: 'operator',
        covers: 'each',
        summary: 'Rotate many secrets by a selector, with their number confirmed',
        description:
          'Nothing is enqueued unless the selector matches exactly `confirm` secrets; the refusal says how many it matches, and which.',
        idempotent: true,
        answers: {
          200: { description: 'Nothing matches, as confirmed.', schema: answer },
          202: { description: 'All are queued.', schema: answer },
        },
        params: fields({}),
        query: fields({}),
        body: manyBody,
      },
      (call) => rotateMany(deps, call),
    ),
  ];
}

export type ManyCall = Call<unknown, unknown, z.infer<typeof manyBody>>;

/** Finds what the selector fits, and asks for all of it; it waits for a second person where the settings say so. */
export async function rotateMany(deps: ApiDependencies, call: ManyCall): Promise<Answer> {
  const { selector, confirm } = call.body;
  const known = selector.vault === undefined ? undefined : vaultOf(deps, selector.vault);
  if (known?.kind === 'problem') return known.answer;
  const selection = selectionOf(selector);
  const sentBefore = await wasSent(deps, call);
  if (isFailure(sentBefore)) return failureProblem(sentBefore);
  // What matches is counted before the key is taken, so that a number that was wrong is corrected under the same key.
  const matches = sentBefore.marked ? undefined : await findAll(deps, selection, confirm, call);
  if (matches !== undefined && isFailure(matches)) return failureProblem(matches);
  if (matches !== undefined && matches.secrets.length !== confirm)
    return differs(matches.secrets, confirm, matches.complete);
  if (matches === undefined || matches.secrets.length === 0) return queueFound(deps, call, selection, matches);
  const held = { action: 'rotations', kinds: ['many'], body: call.body, found: matches.secrets } as const;
  return withFourEyes(
    deps,
    call,
    { ...held, place: { vault: selector.vault ?? '*', secret: '*' } },
    (allowed) => queueFound(deps, allowed, selection, matches),
    (approval) => ({ matched: matches.secrets.length, rotations: [], approval }),
  );
}

/** `matches` undefined: it was sent before. */
async function queueFound(
  deps: ApiDependencies,
  call: ManyCall,
  selection: Selection,
  matches: { readonly secrets: readonly Match[] } | undefined,
): Promise<Answer> {
  const askedAt = deps.now();
  const claimed = await claim(deps, call, fingerprintOf(call.body), askedAt);
  if (claimed.kind === 'problem') return claimed.answer;
  const batch = claimed.rotationId;
  if (claimed.queued || matches === undefined) return repeated(deps, batch, selection, call);
  const rotations = matches.secrets.map((match) => ({ ...match, rotationId: idOf(batch, match) }));
  const failed = await queueAll(deps, rotations, askedAt, call);
  if (failed !== undefined) return failureProblem(failed);
  const marks = await Promise.all(
    [queuedMark(batch), ...(call.idempotencyKey === undefined ? [] : [sentMark(call)])].map((mark) =>
      deps.marks.put(mark),
    ),
  );
  for (const marked of marks) if (isFailure(marked)) call.log.warn('asking-not-kept', { code: marked.code });
  return answered(rotations);
}

/** Says that all of a request is in the queue, by the caller's key. */
function sentMark({ caller, idempotencyKey }: ManyCall): string {
  return `sent ${caller.id} ${idempotencyKey ?? ''}`;
}

async function wasSent(deps: ApiDependencies, call: ManyCall) {
  return call.idempotencyKey === undefined ? { kind: 'known' as const, marked: false } : deps.marks.has(sentMark(call));
}

type Rotation = Match & { readonly rotationId: string };

function answered(rotations: readonly Rotation[]): Answer {
  const shown = rotations.map((one) => ({ ...one, location: placeOf(one.rotationId) }));
  const body = { matched: shown.length, rotations: shown };
  return shown.length === 0 ? ok(body) : { status: 202, headers: { 'retry-after': '2' }, body };
}

/** The states have changed since, so the ones that were queued are found by their marks. */
async function repeated(deps: ApiDependencies, batch: string, selection: Selection, call: ManyCall): Promise<Answer> {
  const matches = await findAll(deps, { ...selection, states: undefined }, mostSecrets, call);
  if (isFailure(matches)) return failureProblem(matches);
  const rotations: Rotation[] = [];
  for (let at = 0; at < matches.secrets.length; at += mostAtOnce) {
    const some = matches.secrets
      .slice(at, at + mostAtOnce)
      .map((match) => ({ ...match, rotationId: idOf(batch, match) }));
    const marks = await Promise.all(some.map((one) => deps.marks.has(queuedMark(one.rotationId))));
    for (const [index, mark] of marks.entries()) {
      if (isFailure(mark)) return failureProblem(mark);
      const one = some[index];
      if (mark.marked && one !== undefined) rotations.push(one);
    }
  }
  return answered(rotations);
}

/** Each rotation's id follows from the request's, so that a repeat after a crash asks for the same rotations. */
function idOf(batch: string, { vault, secret }: Match): string {
  const text = `${batch}\n${vault}\n${secret.toLowerCase()}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** What the selector fits now, as whoever asked may rotate it. */
export async function foundNow(deps: ApiDependencies, call: ManyCall): Promise<readonly Match[] | Failure> {
  const { selector, confirm } = call.body;
  const matches = await findAll(deps, selectionOf(selector), confirm, call);
  return isFailure(matches) ? matches : matches.secrets;
}

/** Stops looking once there are more than were confirmed. A candidate that is stored is no secret to be asked for. */
async function findAll(
  deps: ApiDependencies,
  selection: Selection,
  confirmed: number,
  { caller, signal }: ManyCall,
): Promise<{ readonly kind: 'matches'; readonly secrets: readonly Match[]; readonly complete: boolean } | Failure> {
  const secrets: Match[] = [];
  const vaults = selection.vault === undefined ? [...deps.engine.vaults.keys()] : [selection.vault];
  for (const vault of vaults) {
    const beside = await knownBeside(deps, vault);
    // Which secrets are meant by a state is not guessed.
    if (beside.unread !== undefined) return beside.unread;
    for (let next: Parameters<typeof readPage>[2] | undefined = { vault }; next !== undefined; ) {
      const page = await readPage(deps, [vault], next, signal);
      if (isFailure(page)) return page;
      for (const view of viewAll(deps, vault, page.page.secrets, beside, page.page.readAt)) {
        if (!mayRotate(view) || !selects(selection, view)) continue;
        // A selector reaches no further than its caller's role does.
        if (!may(caller, 'operator', view)) continue;
        secrets.push({ vault, secret: view.secret });
      }
      if (secrets.length > confirmed + mostShown) return { kind: 'matches', secrets, complete: false };
      next = page.next;
    }
  }
  return { kind: 'matches', secrets, complete: true };
}

/** A stored candidate is none of its own, and what a person replaces is never rotated. */
function mayRotate({ state, candidateOf, manual }: SecretView): boolean {
  return state !== 'unmanaged' && state !== 'copy' && candidateOf === undefined && manual !== true;
}

function differs(secrets: readonly Match[], confirm: number, complete: boolean): Answer {
  const matched = `${complete ? '' : 'more than '}${complete ? secrets.length : secrets.length - 1}`;
  return problem('count-differs', `the selector matches ${matched} secrets, and ${confirm} were confirmed`, {
    ...(complete ? { matched: secrets.length } : {}),
    secrets: secrets.slice(0, mostShown),
  });
}

async function queueAll(
  deps: ApiDependencies,
  rotations: readonly Rotation[],
  askedAt: Date,
  { body, caller, log }: ManyCall,
): Promise<Failure | undefined> {
  for (let at = 0; at < rotations.length; at += mostAtOnce) {
    const sent = rotations.slice(at, at + mostAtOnce).map(({ vault, secret, rotationId }) => {
      const request = requestOf({ vault, secret, mode: 'asked', reason: body.reason }, caller, rotationId, askedAt);
      return queue(deps, request, askedAt, 0, log);
    });
    for (const outcome of await Promise.all(sent)) if (isFailure(outcome)) return outcome;
  }
  return undefined;
}
