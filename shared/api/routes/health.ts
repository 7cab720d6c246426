/** Is it alive, and does it reach what it needs? */
import * as z from 'zod';
import type { Vault } from '../../contract/ports.ts';
import { activities } from '../../contract/state.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { ok } from '../answer.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields, time } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { freezeView, viewFreeze } from './freeze.ts';

const reach = z.object({
  reachable: z.boolean(),
  ms: z.int(),
  code: z.string().optional(),
  detail: z.string().optional(),
  hint: z.string().optional(),
});

const details = z.object({
  status: z.enum(['healthy', 'impaired']),
  version: z.string(),
  time: time.describe("By the app's own clock, when it answered."),
  vaults: z.array(
    reach.extend({ vault: z.string(), sweptAt: time.optional().describe('When the sweep was through with it last.') }),
  ),
  storage: reach.extend({
    services: z.array(reach.extend({ service: z.enum(['blob', 'queue', 'table']) })),
  }),
  freeze: freezeView.optional().describe('Absent where the storage account does not say.'),
  failing: z
    .int()
    .optional()
    .describe('Secrets whose rotation, retirement or check fails, over all vaults; absent where it is not known.'),
  paused: z.int().optional().describe('Those among them whose rotations are paused after failures.'),
  queues: z
    .array(z.object({ queue: z.string(), messages: z.int() }))
    .optional()
    .describe('About how much each queue holds, what is delayed included; absent where it is not known.'),
  retrying: z.int().optional().describe('Secrets where something is only retried.'),
});

/** Whoever asks waits for the slowest part, and a storage account that gives no answer is given up after this time too. */
const lookWithinMs = 7_000;

export function healthRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'getHealth',
        method: 'GET',
        path: '/health',
        needs: 'anybody',
        summary: 'The app answers',
        answers: { 200: { description: 'Says no more than that.', schema: z.object({ status: z.literal('alive') }) } },
        params: fields({}),
        query: fields({}),
      },
      async () => ok({ status: 'alive' }),
    ),
    route(
      {
        id: 'getHealthDetails',
        method: 'GET',
        path: '/health/details',
        needs: 'reader',
        covers: 'each',
        summary: 'Whether the app reaches its vaults and its storage account, whether it is frozen, its version',
        answers: { 200: { description: 'Also where something is not reached: read "status".', schema: details } },
        params: fields({}),
        query: fields({}),
      },
      async ({ signal }) => ok(await lookAround(deps, signal)),
    ),
  ];
}

async function lookAround(deps: ApiDependencies, signal: AbortSignal): Promise<z.infer<typeof details>> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(lookWithinMs)]);
  const [vaults, storage, freeze, troubles, depths] = await Promise.all([
    Promise.all(
      [...deps.engine.vaults.values()].map(async (vault) => ({
        vault: vault.name,
        ...(await look(deps, vault, within)),
        ...(await sweptAt(deps, vault.name)),
      })),
    ),
    lookAtStorage(deps),
    deps.freeze.read(),
    countTroubles(deps),
    deps.queueDepths.all(),
  ]);
  const healthy = storage.reachable && vaults.every((vault) => vault.reachable);
  return {
    status: healthy ? 'healthy' : 'impaired',
    version: deps.version,
    time: deps.now().toISOString(),
    vaults,
    storage,
    ...(isFailure(freeze) ? {} : { freeze: viewFreeze(freeze) }),
    ...troubles,
    ...(isFailure(depths) ? {} : { queues: depths.queues.map((one) => ({ ...one })) }),
  };
}

async function sweptAt({ sweepTimes }: ApiDependencies, vault: string): Promise<{ readonly sweptAt?: string }> {
  const known = await sweepTimes.of(vault);
  return isFailure(known) || known.at === undefined ? {} : { sweptAt: known.at.toISOString() };
}

const services = ['blob', 'queue', 'table'] as const;

/** Each service for itself, and in the whole what is wrong with any. */
async function lookAtStorage(deps: ApiDependencies): Promise<z.infer<typeof details>['storage']> {
  const each = await Promise.all(
    services.map(async (service) => {
      const { outcome: _reached, ...reached } = await timed(deps, deps.storageParts[service]);
      return { service, ...reached };
    }),
  );
  const failed = each.filter(({ reachable }) => !reachable);
  const ms = Math.max(...each.map((one) => one.ms));
  const [first] = failed;
  if (first === undefined) return { reachable: true, ms, services: each };
  const { code, hint } = first;
  return { reachable: false, ms, code, detail: failed.map(({ detail }) => detail).join('; '), hint, services: each };
}

async function look(deps: ApiDependencies, vault: Vault, signal: AbortSignal) {
  const { outcome: _page, ...reached } = await timed(deps, async () => {
    for await (const page of vault.list({ signal })) return page;
    return { kind: 'empty' as const };
  });
  return reached;
}

async function timed<Outcome extends { readonly kind: string }>(
  deps: ApiDependencies,
  work: () => Promise<Outcome | Failure>,
) {
  const started = deps.engine.elapsedMs();
  const outcome = await work();
  const ms = Math.round(deps.engine.elapsedMs() - started);
  if (!isFailure(outcome)) return { outcome, reachable: true, ms };
  const { code, message, hint } = outcome;
  return { outcome, reachable: false, ms, code, detail: message, hint };
}

/** Nothing where it cannot be read. A pause by a person stands in the vault, and is in the list. */
async function countTroubles(
  deps: ApiDependencies,
): Promise<Pick<z.infer<typeof details>, 'failing' | 'paused' | 'retrying'>> {
  const counts = { failing: 0, paused: 0, retrying: 0 };
  for (const vault of deps.engine.vaults.keys()) {
    for await (const one of deps.attention.all(vault)) {
      if (isFailure(one)) return {};
      const all = activities.flatMap((activity) => one.trouble[activity] ?? []);
      if (all.some(({ failures }) => failures > 0)) counts.failing += 1;
      else if (all.length > 0) counts.retrying += 1;
      if (all.some(({ paused }) => paused)) counts.paused += 1;
    }
  }
  return counts;
}
