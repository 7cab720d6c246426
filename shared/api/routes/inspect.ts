/** One secret: its versions, policy, acknowledgements and trouble; and what a rotation of it would do. No value is read to show it. */
import * as z from 'zod';
import type { History, SecretProperties, Vault } from '../../contract/ports.ts';
import { lookAtSource } from '../../engine/copies/link.ts';
import { policyOf } from '../../engine/policy/current.ts';
import { sourceOf } from '../../engine/policy/links.ts';
import { readStamp } from '../../engine/policy/stamp.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import { acknowledgementsOf, acknowledgementsView } from '../acknowledged.ts';
import { ok } from '../answer.ts';
import { besideOne } from '../beside.ts';
import { type ApiDependencies, vaultOf } from '../dependencies.ts';
import { fields, secretName, time, vaultName, wholeNumber } from '../fields.ts';
import { failureProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { attemptView, viewAttempt } from '../views/rotation.ts';
import { secretView, viewSecret } from '../views/secret.ts';

const params = fields({ vault: vaultName, secret: secretName });

const versionView = z.object({
  version: z.string(),
  current: z.boolean(),
  enabled: z.boolean(),
  createdAt: time,
  expiresAt: time.optional(),
  rotationId: z.string().optional(),
  from: z.string().optional(),
});

const inspected = secretView.extend({
  version: z.string().describe('The current version.'),
  login: z
    .string()
    .optional()
    .describe('Login, slot or key id of the current version, as the history has it; absent where no rotation made it.'),
  versions: z.array(versionView).describe('Newest first, 50 at most.'),
  pending: z.object({ secret: z.string(), version: z.string(), createdAt: time }).optional(),
  acknowledgements: acknowledgementsView.optional(),
  warnings: z.array(z.string()),
});

type Listed = SecretProperties & { readonly version: string };

export type Versions = { readonly kind: 'versions'; readonly newest: Listed; readonly all: readonly Listed[] };

/** The versions of a secret, of which there is at least one; properties alone, so that a disabled one is seen too. */
export async function versionsOf(vault: Vault, secret: string, signal: AbortSignal): Promise<Versions | Failure> {
  const listed = await vault.versions(secret, { signal });
  if (isFailure(listed)) return listed;
  const [newest] = listed.versions;
  if (newest === undefined) return failure('secret-missing', { secret, vault: vault.name });
  return { kind: 'versions', newest, all: listed.versions };
}

const mostVersions = 50;

/** The current version was made by one of the last attempts, or by nobody of Keyturn. */
const recordsToLookAt = 50;

type Sees = (where: { readonly vault: string; readonly secret: string }) => boolean;

export function inspectRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'getSecret',
        method: 'GET',
        path: '/vaults/{vault}/secrets/{secret}',
        needs: 'reader',
        summary: 'Show one secret: state, policy, versions, trouble, who has acknowledged',
        answers: { 200: { description: 'The secret without its value.', schema: inspected } },
        params,
        query: fields({}),
      },
      async ({ path, sees, signal }) => {
        const found = vaultOf(deps, path.vault);
        if (found.kind === 'problem') return found.answer;
        const shown = await inspect(deps, found.vault, path.secret, sees, signal);
        return isFailure(shown) ? failureProblem(shown) : ok(shown.view);
      },
    ),
    route(
      {
        id: 'getHistory',
        method: 'GET',
        path: '/vaults/{vault}/secrets/{secret}/history',
        needs: 'reader',
        summary: 'What was done with one secret: who asked, when, why, each step, the outcome',
        answers: { 200: { description: 'Newest first.', schema: z.object({ attempts: z.array(attemptView) }) } },
        params,
        query: fields({ limit: wholeNumber(1, 200, 50) }),
      },
      async ({ path, query }) => {
        const found = vaultOf(deps, path.vault);
        if (found.kind === 'problem') return found.answer;
        const listed = await deps.history.of(path.vault, path.secret, { limit: query.limit });
        return isFailure(listed) ? failureProblem(listed) : ok({ attempts: listed.records.map(viewAttempt) });
      },
    ),
  ];
}

async function inspect(deps: ApiDependencies, vault: Vault, secret: string, sees: Sees, signal: AbortSignal) {
  const [versions, beside, history] = await Promise.all([
    versionsOf(vault, secret, signal),
    besideOne(deps, vault, secret, signal),
    deps.history.of(vault.name, secret, { limit: recordsToLookAt }),
  ]);
  if (isFailure(versions)) return versions;
  const { newest, all } = versions;
  const now = deps.now();
  const acknowledged = await acknowledgementsOf(deps, vault.name, newest, now);
  const known = {
    ...beside.known,
    missing: isFailure(acknowledged) ? [] : (acknowledged.view?.missing ?? []).map(({ consumer }) => consumer),
  };
  const source = await sourceOfCopy(deps, vault, newest, sees, signal);
  const view = viewSecret(deps.engine, vault.name, newest, { ...known, ...source }, now);
  const unread = [...beside.unread, ...[acknowledged, history].filter((one) => isFailure(one))];
  const warnings = unread.map(({ message }) => message);
  return {
    kind: 'inspected' as const,
    view: {
      ...view,
      version: newest.version,
      ...loginOf(history, newest),
      versions: all.slice(0, mostVersions).map((one) => viewVersion(one, one.version === newest.version)),
      ...pendingFields(beside.candidate),
      ...(isFailure(acknowledged) || acknowledged.view === undefined ? {} : { acknowledgements: acknowledged.view }),
      warnings,
    },
  };
}

/** The login in use, without a look at the value: whoever made the version wrote down which it is of. */
function loginOf(
  history: Awaited<ReturnType<History['of']>>,
  { version }: Listed,
): Pick<z.infer<typeof inspected>, 'login'> {
  if (isFailure(history)) return {};
  const login = history.records.find((record) => record.to === version && record.login !== undefined)?.login;
  return login === undefined ? {} : { login };
}

/** Looked at by its tags alone, so that a link without consent is shown. */
async function sourceOfCopy(deps: ApiDependencies, vault: Vault, newest: Listed, sees: Sees, signal: AbortSignal) {
  const outcome = policyOf(deps.engine, newest);
  if (outcome.kind !== 'linked' || !sees(sourceOf(outcome, vault.name))) return {};
  return { source: await lookAtSource(deps.engine, { vault: vault.name, secret: newest.name }, outcome, signal) };
}

function pendingFields(candidate: Listed | undefined): Pick<z.infer<typeof inspected>, 'pending'> {
  if (candidate === undefined) return {};
  const { name: secret, version, createdAt } = candidate;
  return { pending: { secret, version, createdAt: createdAt.toISOString() } };
}

function viewVersion(one: Listed, current: boolean): z.infer<typeof versionView> {
  const stamp = readStamp(one.tags);
  return {
    version: one.version,
    current,
    enabled: one.enabled,
    createdAt: one.createdAt.toISOString(),
    ...(one.expiresAt === undefined ? {} : { expiresAt: one.expiresAt.toISOString() }),
    ...(stamp === undefined ? {} : { rotationId: stamp.rotationId, from: stamp.from }),
  };
}
