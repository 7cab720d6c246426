/** The news as a pager takes it: how bad, which incident it belongs to, and whether it opens or closes it. */
import type { Notice } from '../contract/notice.ts';

export type Severity = 'critical' | 'error' | 'warning' | 'info';

/** `opens`: something is wrong, or somebody is asked. `closes`: what was wrong is over. `tells`: neither. */
export type Turn = 'opens' | 'closes' | 'tells';

export function severityOf({ type, stillWorks, holding = [], warnings = [] }: Notice): Severity {
  switch (type) {
    case 'failed':
    case 'paused':
      return stillWorks === 'no' || stillWorks === 'unknown' ? 'critical' : 'error';
    case 'drifted':
      return 'critical';
    case 'waiting':
    case 'reminder':
    case 'approval':
    case 'bypassed':
      return 'warning';
    case 'retired':
      return holding.length > 0 ? 'warning' : 'info';
    case 'rotated':
      return warnings.length > 0 ? 'warning' : 'info';
    case 'announced':
      return 'info';
  }
}

export function turnOf({ type }: Notice): Turn {
  switch (type) {
    case 'rotated':
    case 'retired':
      return 'closes';
    case 'announced':
      return 'tells';
    case 'failed':
    case 'paused':
    case 'drifted':
    case 'waiting':
    case 'reminder':
    case 'approval':
    case 'bypassed':
      return 'opens';
  }
}

/**
 * Which incidents the news is about: one for each thing that can be wrong with a secret, so that a second failure is no second page, and the
 * next success closes what it heals.
 */
export function incidentsOf({ type, vault, secret, activity = 'rotation', approval }: Notice): readonly string[] {
  const named = (what: string): string => `keyturn/${vault}/${secret}/${what}`;
  switch (type) {
    case 'rotated':
      return [named('rotation'), named('credential')];
    case 'failed':
      return [named(activity === 'check' ? 'credential' : activity)];
    case 'paused':
      return [named('rotation')];
    case 'drifted':
      return [named('credential')];
    case 'waiting':
    case 'retired':
      return [named('retirement')];
    case 'reminder':
      return [named('replacement')];
    case 'approval':
    case 'bypassed':
      return [named(`approval-${approval?.id ?? ''}`)];
    case 'announced':
      return [named('announced')];
  }
}
