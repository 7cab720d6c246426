/** Which secrets are meant by a selector, and what the listing says of them. */
import type { Api } from './api/client.ts';
import { type Page, page, type Secret } from './api/views.ts';
import { must } from './must.ts';
import type { Given, OptionTable } from './options.ts';
import type { Terminal } from './terminal/terminal.ts';

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
): Promise<{ readonly secrets: readonly Secret[]; readonly warnings: readonly string[] }> {
  const filters: (readonly [string, string])[] = [
    ...(vault === undefined ? [] : [['vault', vault] as const]),
    ...given.list('state').map((state) => ['state', state] as const),
    ...[given.text('rotator') ?? []].flat().map((rotator) => ['rotator', rotator] as const),
    ...given.list('tag').map((tag) => ['tag', tag] as const),
  ];
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
