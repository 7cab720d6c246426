/**
 * Goes through a vault by listing alone: one call a page, no call a secret, nothing kept of a secret once its page is done.
 */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { PolicyDependencies } from '../policy/current.ts';
import { rememberingPolicies } from '../policy/policy-memory.ts';
import type { Finding } from './judge.ts';
import { oneAhead } from './one-ahead.ts';
import { type Known, type Looked, lookAt, type SecretState } from './standing.ts';

export interface SweepReport {
  readonly kind: 'swept';
  readonly vault: string;
  readonly pages: number;
  readonly listed: number;
  readonly managed: number;
  readonly due: number;
  readonly retirements: number;
  readonly stalled: number;
  readonly invalid: number;
  /** How many managed secrets stand how; a state that none is in is absent. */
  readonly states: Readonly<Partial<Record<SecretState, number>>>;
}

export interface Found extends Looked {
  readonly properties: SecretProperties;
}

export interface Walking {
  /** What is known of a secret besides the vault's facts. Pure, and cheap: it is asked of every secret. */
  readonly known: (secret: string) => Known;
  /** Whether a secret without the tag `rotator` is handed over, too. Pure, and cheap. Absent: none is. */
  readonly suspect?: (properties: SecretProperties) => boolean;
  /** Called for each page with all managed secrets and stored candidates, and with the vault's time. A failure ends the walk. */
  readonly act: (found: readonly Found[], now: Date) => Promise<Failure | undefined>;
}

/** Looks at every secret of one vault and hands over what was found, page by page. A page that cannot be read ends it with a failure. */
export async function walk(
  deps: PolicyDependencies,
  vault: Vault,
  { known, act, suspect = () => false }: Walking,
  signal: AbortSignal,
): Promise<SweepReport | Failure> {
  const parse = rememberingPolicies();
  const counts = { pages: 0, listed: 0, managed: 0, due: 0, retirements: 0, stalled: 0, invalid: 0 };
  const states: Partial<Record<SecretState, number>> = {};
  for await (const page of oneAhead(vault.list({ signal }))) {
    if (isFailure(page)) return page;
    counts.pages++;
    counts.listed += page.secrets.length;
    const found: Found[] = [];
    for (const properties of page.secrets) {
      const looked = lookAt(deps, properties, known(properties.name), page.readAt, parse);
      const isOut = looked.finding.kind === 'opted-out';
      if (isOut && !suspect(properties)) continue;
      if (!isOut) count(counts, states, looked);
      found.push({ ...looked, properties });
    }
    const failed = await act(found, page.readAt);
    if (failed !== undefined) return failed;
  }
  return { kind: 'swept', vault: vault.name, ...counts, states };
}

function count(
  counts: { managed: number; due: number; retirements: number; stalled: number; invalid: number },
  states: Partial<Record<SecretState, number>>,
  { finding, standing }: Looked,
): void {
  if (finding.kind === 'stalled') {
    counts.stalled++;
    return;
  }
  counts.managed++;
  states[standing.state] = (states[standing.state] ?? 0) + 1;
  if (isDue(finding)) counts.due++;
  if (finding.kind === 'retirement-due') counts.retirements++;
  if (finding.kind === 'invalid') counts.invalid++;
}

function isDue(finding: Finding): boolean {
  return finding.kind === 'due' || (finding.kind === 'retirement-due' && finding.due);
}
