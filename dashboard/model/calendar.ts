/** What the next days bring: what rotates, what ends, and what expires although nobody renews it. */
import type { Row } from './shapes.ts';

export interface Entry {
  readonly row: Row;
  readonly at: string;
  readonly what: 'rotates' | 'expires' | 'old credential ends' | 'to replace by hand';
  /** Who does it, or by what it is renewed. `nobody`: it expires then, and nothing replaces it. */
  readonly by: string;
}

export interface Day {
  /** `2026-03-01`. */
  readonly date: string;
  readonly entries: readonly Entry[];
}

const dayMs = 86_400_000;

/** Days with something in them, the nearest first; what is overdue stands under today. Pure. */
export function calendarOf(rows: readonly Row[], nowMs: number, days: number): readonly Day[] {
  const today = new Date(nowMs).toISOString();
  const end = new Date(nowMs + days * dayMs).toISOString();
  const byDay = new Map<string, Entry[]>();
  for (const entry of rows.flatMap(entriesOf)) {
    if (entry.at >= end) continue;
    const isOverdue = entry.at < today;
    const date = (isOverdue ? today : entry.at).slice(0, 10);
    const entries = byDay.get(date);
    if (entries === undefined) byDay.set(date, [entry]);
    else entries.push(entry);
  }
  return [...byDay]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, entries]) => ({ date, entries: entries.sort((a, b) => (a.at < b.at ? -1 : 1)) }));
}

function entriesOf(row: Row): readonly Entry[] {
  if (row.candidateOf !== undefined || !row.enabled) return [];
  const ends: Entry[] =
    row.retireBy === undefined || row.retired === true
      ? []
      : [{ row, at: row.retireBy, what: 'old credential ends', by: 'Keyturn' }];
  if (row.manual === true && row.dueAt !== undefined)
    return [...ends, { row, at: row.dueAt, what: 'to replace by hand', by: row.owner ?? 'its owner' }];
  if (row.dueAt !== undefined && row.rotator !== undefined)
    return [...ends, { row, at: row.dueAt, what: 'rotates', by: 'Keyturn' }];
  if (row.expiresAt === undefined) return ends;
  return [...ends, { row, at: row.expiresAt, what: 'expires', by: renewerOf(row) }];
}

/** As Key Vault marks the secret that belongs to a certificate. Source: "About Azure Key Vault certificates", composition of a certificate. */
const ofCertificate = /^application\/x-(?:pkcs12|pem-file)$/i;

/** A copy is renewed with its source, a certificate as its own policy says, and what else did not opt in by nobody that Keyturn knows of. */
function renewerOf({ source, contentType = '' }: Row): string {
  if (source !== undefined) return `with ${source.secret}`;
  return ofCertificate.test(contentType) ? 'by the policy of its certificate, if that says so' : 'nobody';
}
