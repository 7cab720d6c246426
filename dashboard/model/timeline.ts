/** What happened to one secret, from its versions, its history and its acknowledgements, the newest first. */
import type { Attempt, Secret, Version } from './shapes.ts';

export type Moment =
  | { readonly kind: 'attempt'; readonly at: string; readonly attempt: Attempt }
  /** A version that no attempt speaks of: of somebody else, or its history is lost. */
  | { readonly kind: 'version'; readonly at: string; readonly version: Version }
  | { readonly kind: 'acknowledged'; readonly at: string; readonly consumer: string; readonly afterSeconds: number };

/** Pure. */
export function timelineOf(
  { versions, acknowledgements }: Pick<Secret, 'versions' | 'acknowledgements'>,
  attempts: readonly Attempt[],
): readonly Moment[] {
  const told = new Set(attempts.flatMap(({ to }) => to ?? []));
  const moments: Moment[] = [
    ...attempts.map((attempt) => ({ kind: 'attempt' as const, at: attempt.startedAt, attempt })),
    ...versions
      .filter(({ version }) => !told.has(version))
      .map((version) => ({ kind: 'version' as const, at: version.createdAt, version })),
    ...(acknowledgements?.acknowledged ?? []).map((one) => ({ kind: 'acknowledged' as const, ...one })),
  ];
  return moments.sort((a, b) => (a.at > b.at ? -1 : a.at < b.at ? 1 : 0));
}
