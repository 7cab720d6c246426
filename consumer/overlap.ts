/**
 * How long an old credential lives on after a rotation, as the tags of a version tell it: what the owner asks for (`overlap`, alone or inside
 * `policy`), and what the last rotation did (`retire-by` in `rotation`). See docs/tags.md of Keyturn.
 */

const dayMs = 86_400_000;
const duration = /^P(?!$)(?:(\d{1,5})D)?(?:T(?!$)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$/;

/** In ms; the shorter one where both are told. Undefined: neither is, or one cannot be read. Pure. */
export function overlapOf(tags: Readonly<Record<string, string>>, createdAt: Date | undefined): number | undefined {
  const asked = tags['overlap'] ?? /(?:^|;)\s*overlap\s*=\s*([^;]*)/.exec(tags['policy'] ?? '')?.[1];
  const askedMs = asked === undefined ? undefined : durationMs(asked.trim());
  if (asked !== undefined && askedMs === undefined) return undefined;
  const retireBy = Date.parse(/(?:^|;)retire-by=([^;]+)/.exec(tags['rotation'] ?? '')?.[1] ?? '');
  const lastMs = createdAt === undefined ? Number.NaN : retireBy - createdAt.getTime();
  const known = [askedMs ?? Number.NaN, lastMs].filter((ms) => ms > 0);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** An ISO 8601 duration without years and months, or whole days. */
function durationMs(text: string): number | undefined {
  if (/^\d{1,5}$/.test(text)) return Number(text) * dayMs;
  const parts = duration.exec(text);
  if (parts === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return days * dayMs + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000;
}
