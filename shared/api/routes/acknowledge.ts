/** Consumers say that they use a version. When the last one has, the old credential may end. */
import * as z from 'zod';
import type { SecretProperties } from '../../contract/ports.ts';
import { readStamp } from '../../engine/policy/stamp.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { retirementsQueue } from '../../operations/queues.ts';
import { acknowledgementsOf, acknowledgementsView, consumersOf } from '../acknowledged.ts';
import { ok } from '../answer.ts';
import type { Caller } from '../caller.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, secretName, vaultName, version } from '../fields.ts';
import { failureProblem, problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { versionsOf } from './inspect.ts';

const path = '/vaults/{vault}/secrets/{secret}/versions/{version}/acknowledgements';
const params = fields({ vault: vaultName, secret: secretName, version });
const answer = acknowledgementsView.extend({ current: z.boolean() });

type Listed = SecretProperties & { readonly version: string };

export function acknowledgeRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'getAcknowledgements',
        method: 'GET',
        path,
        needs: 'reader',
        summary: 'Who has acknowledged a version, and who is missing since when',
        answers: { 200: { description: 'Empty lists where the tag "consumers" names nobody.', schema: answer } },
        params,
        query: fields({}),
      },
      async ({ path, signal }) => {
        const found = await find(deps, path, signal);
        return found.kind === 'problem' ? found.answer : show(deps, path.vault, found.version, found.current);
      },
    ),
    route(
      {
        id: 'acknowledgeVersion',
        method: 'POST',
        path,
        needs: 'consumer',
        summary: 'Say that you use this version',
        description:
          'A consumer acknowledges under its own name: that of its key, or of its identity. `consumer` picks one where it has several; a name that is not its own is refused. May be sent again.',
        answers: { 200: { description: 'Kept; who is missing now.', schema: answer } },
        params,
        query: fields({}),
        body: fields({ consumer: z.string().min(1).max(64).optional() }),
      },
      async ({ path, body, caller, log, signal }) => {
        const found = await find(deps, path, signal);
        if (found.kind === 'problem') return found.answer;
        const named = consumersOf(deps, found.version);
        const consumer = ownName(caller, named, body.consumer);
        if (consumer === undefined) return refuse(caller, named);
        const { name } = found.version;
        const added = await deps.acknowledgements.add(path.vault, name, found.version.version, consumer, deps.now());
        if (isFailure(added)) return failureProblem(added);
        log.info('acknowledged', { vault: path.vault, secret: name, version: found.version.version, consumer });
        const checked = found.current ? await checkRetirement(deps, path.vault, found.version) : undefined;
        if (checked !== undefined) return failureProblem(checked);
        return show(deps, path.vault, found.version, found.current);
      },
    ),
  ];
}

/** The caller's name as the tag writes it, or undefined where the tag does not name the caller. */
function ownName(caller: Caller, named: readonly string[], wanted: string | undefined): string | undefined {
  const own = new Set(caller.consumers.map((name) => name.toLowerCase()));
  const fitting = named.filter((name) => own.has(name.toLowerCase()));
  return wanted === undefined ? fitting[0] : fitting.find((name) => name.toLowerCase() === wanted.toLowerCase());
}

function refuse(caller: Caller, named: readonly string[]) {
  const who = caller.consumers.join(', ');
  return problem('not-a-consumer', `the caller is ${who}; the tag "consumers" names ${named.join(', ') || 'nobody'}`);
}

async function find(
  deps: ApiDependencies,
  path: z.infer<typeof params>,
  signal: AbortSignal,
): Promise<
  | { readonly kind: 'found'; readonly version: Listed; readonly current: boolean }
  | { readonly kind: 'problem'; readonly answer: ReturnType<typeof problem> }
> {
  const found = vaultOf(deps, path.vault);
  if (found.kind === 'problem') return found;
  const versions = await versionsOf(found.vault, path.secret, signal);
  if (isFailure(versions)) return { kind: 'problem', answer: failureProblem(versions) };
  const one = versions.all.find((each) => each.version.toLowerCase() === path.version.toLowerCase());
  if (one !== undefined) return { kind: 'found', version: one, current: one.version === versions.newest.version };
  return { kind: 'problem', answer: problem('version-unknown', `${path.secret} has no version ${path.version}`) };
}

async function show(deps: ApiDependencies, vault: string, version: Listed, current: boolean) {
  const known = await acknowledgementsOf(deps, vault, version, deps.now());
  if (isFailure(known)) return failureProblem(known);
  const none = { version: version.version, acknowledged: [], missing: [], complete: true };
  return ok({ ...(known.view ?? none), current });
}

/** All are here: nobody has to wait for the deadline. Asked for again by each repeat, and found done. */
async function checkRetirement(deps: ApiDependencies, vault: string, version: Listed): Promise<Failure | undefined> {
  const stamp = readStamp(version.tags);
  if (stamp?.retireBy === undefined || stamp.retired === true) return undefined;
  const known = await acknowledgementsOf(deps, vault, version, deps.now());
  if (isFailure(known)) return known;
  if (known.view?.complete !== true) return undefined;
  const { rotationId } = stamp;
  const { name: secret } = version;
  const message = { vault, secret, rotationId, mode: 'scheduled' as const, requestedBy: 'acknowledgements' };
  const enqueued = await deps.queues.enqueue(retirementsQueue, message, { secret });
  return isFailure(enqueued) ? enqueued : undefined;
}
