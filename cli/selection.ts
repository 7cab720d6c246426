/** Which secrets are meant by a selector, and what the listing says of them. */
import type { Api } from './api/client.ts';
import { health, type Page, page, type Secret } from './api/views.ts';
import { inTurns } from './asked.ts';
import { must } from './must.ts';
import type { Given, OptionTable } from './options.ts';
import type { Terminal } from './terminal/terminal.ts';
import { Stop, type Trouble } from './trouble.ts';

/** From the one that needs a person most to the one that needs nobody, as the API has them. */
export const states = [
  'drifted',
  'failing',
  'paused',
  'invalid',
  'shared',
  'opted-out',
  'retrying',
  'in-flight',
  'due',
  'overlap',
  'healthy',
  'copy',
  'unmanaged',
] as const;

export const selectorOptions: OptionTable = {
  state: {
    type: 'string',
    multiple: true,
    value: 'STATE',
    help: `in this state: ${states.join(', ')}`,
    choices: states,
  },
  rotator: { type: 'string', value: 'ROTATOR', help: 'of this rotator' },
  tag: {
    type: 'string',
    multiple: true,
    value: 'NAME[=VALUE]',
    help: 'with this tag; several times: with all of them',
  },
};

export function isSelective(given: Given): boolean {
  return given.list('state').length + given.list('tag').length > 0 || given.text('rotator') !== undefined;
}

/** All pages. Secrets come most urgent first. */
export async function listSecrets(
  api: Api,
  given: Given,
  vault: string | undefined,
  terminal: Terminal,
): Promise<Listed> {
  const filters: readonly Filter[] = [
    ...(vault === undefined ? [] : [['vault', vault] as const]),
    ...given.list('state').map((state) => ['state', state] as const),
    ...[given.text('rotator') ?? []].flat().map((rotator) => ['rotator', rotator] as const),
    ...given.list('tag').map((tag) => ['tag', tag] as const),
  ];
  return listFiltered(api, filters, terminal);
}

export interface Everything extends Listed {
  /** Vaults that could not be listed, and why. */
  readonly unlisted: readonly { readonly vault: string; readonly trouble: Trouble }[];
}

/** How many vaults are listed at once. */
const vaultsAtOnce = 8;

/** All secrets, also those that did not opt in. A vault that cannot be listed is named, and the others are listed all the same. */
export async function listEverything(api: Api, vault: string | undefined, terminal: Terminal): Promise<Everything> {
  const vaults =
    vault === undefined
      ? must(await api.ask({ path: ['health', 'details'], schema: health })).vaults.map((one) => one.vault)
      : [vault];
  const found = await inTurns(vaults, vaultsAtOnce, (name) => listVault(api, name, terminal));
  return {
    secrets: found.flatMap((one) => (one.kind === 'listed' ? one.secrets : [])),
    warnings: [...new Set(found.flatMap((one) => (one.kind === 'listed' ? one.warnings : [])))],
    unlisted: found.flatMap((trouble, index) => {
      return trouble.kind === 'trouble' ? [{ vault: vaults[index] ?? '', trouble }] : [];
    }),
  };
}

async function listVault(
  api: Api,
  vault: string,
  terminal: Terminal,
): Promise<(Listed & { readonly kind: 'listed' }) | Trouble> {
  const filters = [['vault', vault] as const, ...states.map((state) => ['state', state] as const)];
  try {
    return { kind: 'listed', ...(await listFiltered(api, filters, terminal)) };
  } catch (error) {
    if (error instanceof Stop) return error.trouble;
    throw error;
  }
}

type Filter = readonly [string, string];

interface Listed {
  readonly secrets: readonly Secret[];
  readonly warnings: readonly string[];
}

async function listFiltered(api: Api, filters: readonly Filter[], terminal: Terminal): Promise<Listed> {
  const secrets: Secret[] = [];
  const warnings = new Set<string>();
  let after: readonly (readonly [string, string])[] | undefined = [];
  for (let pages = 1; after !== undefined; pages += 1) {
    const got: Page = must(
      await api.ask({ path: ['secrets'], query: [...filters, ...after], schema: page, withinMs: 60_000 }),
    );
    secrets.push(...got.secrets);
    for (const warning of got.warnings) warnings.add(warning);
    after = got.next === undefined ? undefined : [['page', got.next]];
    terminal.live(after === undefined ? '' : `  ${secrets.length} secrets in ${pages} pages …`);
  }
  return { secrets: byUrgency(withoutCandidates(secrets)), warnings: [...warnings] };
}

/** A stored candidate says that its secret is in flight, wherever the two stand in the vault's listing. */
function withoutCandidates(secrets: readonly Secret[]): readonly Secret[] {
  const owners = new Map(
    secrets.flatMap((one) => (one.candidateOf === undefined ? [] : [[keyOf(one.vault, one.candidateOf), one]])),
  );
  if (owners.size === 0) return secrets;
  const kept = secrets.filter(({ candidateOf }) => candidateOf === undefined);
  const folded = kept.map((one) => {
    const candidate = owners.get(keyOf(one.vault, one.secret));
    if (candidate === undefined) return one;
    owners.delete(keyOf(one.vault, one.secret));
    const calm = urgencyOf(one) > urgencyOf(candidate);
    return calm ? { ...one, state: candidate.state, detail: candidate.detail } : one;
  });
  // Where a filter left the secret itself out, its candidate stands for it.
  return [...folded, ...owners.values()];
}

function keyOf(vault: string, secret: string): string {
  return `${vault}/${secret}`.toLowerCase();
}

const stateNames: readonly string[] = states;

/** A state that this CLI does not know yet is shown first, where it is not missed. */
function urgencyOf(secret: Secret): number {
  return stateNames.indexOf(secret.state);
}

export function byUrgency(secrets: readonly Secret[]): readonly Secret[] {
  const due = (secret: Secret): string => secret.dueAt ?? secret.expiresAt ?? '9';
  return [...secrets].sort(
    (a, b) =>
      urgencyOf(a) - urgencyOf(b) ||
      compare(due(a), due(b)) ||
      compare(a.vault, b.vault) ||
      compare(a.secret, b.secret),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
