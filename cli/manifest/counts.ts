/**
 * How many secrets each rule matched when the manifest was last applied, in a file beside it that goes into git with it: a pattern that
 * suddenly reaches nothing, or ten times as much, is seen before anything is written.
 */
import { readFile, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { parseJson } from '../../shared/json.ts';
import { usageStop } from '../trouble.ts';
import type { RuleCount } from './wanted.ts';

const countsFile = z.object({
  /** By environment (`*` where the manifest has none), then by what a rule matches. */
  matched: z.record(z.string(), z.record(z.string(), z.number().int().nonnegative())),
});

export type Counts = z.infer<typeof countsFile>;

export function countsPath(manifest: string): string {
  return `${manifest.replace(/\.(?:ya?ml|json)$/i, '')}.counts.json`;
}

export async function readCounts(manifest: string): Promise<Counts> {
  const path = countsPath(manifest);
  const text = await readIfThere(path);
  if (text === undefined) return { matched: {} };
  const read = countsFile.safeParse(parseJson(text));
  if (read.success) return read.data;
  throw usageStop(`${path} is not what "keyturn apply" writes`, 'Take it from git, or delete it and apply again.');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeCounts(
  manifest: string,
  before: Counts,
  environment: string | undefined,
  rules: readonly RuleCount[],
): Promise<void> {
  const own = Object.fromEntries(rules.map(({ match, matched }) => [match, matched]));
  const counts: Counts = { matched: { ...before.matched, [environment ?? '*']: own } };
  const text = `${JSON.stringify(counts, null, 2)}\n`;
  if (text !== `${JSON.stringify(before, null, 2)}\n`) await writeFile(countsPath(manifest), text);
}

/** A rule that matches ten times as much as before, and by so many more, is looked at by a person. */
const times = 10;
const more = 10;

/** What is surprising, as sentences; nothing where nothing is. Pure. */
export function surprises(
  before: Counts,
  environment: string | undefined,
  rules: readonly RuleCount[],
): readonly string[] {
  const known = before.matched[environment ?? '*'] ?? {};
  return rules.flatMap(({ rule, match, matched }) => {
    const last = known[match];
    if (matched === 0)
      return [
        `rule ${rule} (${match}) matches no secret${last === undefined ? '' : `, and ${last} when it was last applied`}`,
      ];
    if (last === undefined || matched < last * times || matched - last < more) return [];
    return [`rule ${rule} (${match}) matches ${matched} secrets, and ${last} when it was last applied`];
  });
}
