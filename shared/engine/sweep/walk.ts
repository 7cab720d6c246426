/**
 * Goes through a vault by listing alone: one call a page, no call a secret, nothing kept of a secret once its page is done.
 */
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import { unknownChannels } from '../policy/channels.ts';
import type { PolicyDependencies } from '../policy/current.ts';
import { rememberingPolicies } from '../policy/policy-memory.ts';
import { type Finding, judge } from './judge.ts';
import { oneAhead } from './one-ahead.ts';

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
}

export interface Found {
  readonly secret: string;
  readonly finding: Finding;
}

/** Called for each page with what there is to act on, and with the vault's time. A failure ends the walk. */
export type Act = (found: readonly Found[], now: Date) => Promise<Failure | undefined>;

/** Judges every secret of one vault and hands over what was found, page by page. A page that cannot be read ends it with a failure. */
export async function walk(
  deps: PolicyDependencies,
  vault: Vault,
  act: Act,
  signal: AbortSignal,
): Promise<SweepReport | Failure> {
  const parse = rememberingPolicies();
  const counts = { pages: 0, listed: 0, managed: 0, due: 0, retirements: 0, stalled: 0, invalid: 0 };
  for await (const page of oneAhead(vault.list({ signal }))) {
    if (isFailure(page)) return page;
    counts.pages++;
    counts.listed += page.secrets.length;
    const found: Found[] = [];
    for (const secret of page.secrets) {
      const finding = judge(deps, secret, page.readAt, parse);
      count(counts, finding);
      if (finding.kind !== 'opted-out' && finding.kind !== 'healthy') found.push({ secret: secret.name, finding });
      const unknown =
        finding.kind === 'opted-out' ? undefined : unknownChannels(deps.defaults, secret.name, secret.tags);
      // The secret itself is fine, so it is told of and not counted.
      if (unknown !== undefined) found.push({ secret: secret.name, finding: { kind: 'invalid', failure: unknown } });
    }
    const failed = await act(found, page.readAt);
    if (failed !== undefined) return failed;
  }
  return { kind: 'swept', vault: vault.name, ...counts };
}

function count(
  counts: { managed: number; due: number; retirements: number; stalled: number; invalid: number },
  finding: Finding,
): void {
  if (finding.kind === 'opted-out') return;
  if (finding.kind === 'stalled') {
    counts.stalled++;
    return;
  }
  counts.managed++;
  if (finding.kind === 'due' || (finding.kind === 'retirement-due' && finding.due)) counts.due++;
  if (finding.kind === 'retirement-due') counts.retirements++;
  if (finding.kind === 'invalid') counts.invalid++;
}
