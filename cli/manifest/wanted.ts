/** Which tags the manifest wants each secret to have, and where they differ from those that stand. Pure. */
import { listsName } from '../../shared/engine/policy/glob.ts';
import type { Secret } from '../api/views.ts';
import type { Manifest, Rule, WantedTags } from './schema.ts';

/** One secret that differs. */
export interface Difference {
  readonly vault: string;
  readonly secret: string;
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  /** What stands there now of the tags that differ. */
  readonly before: Readonly<Record<string, string>>;
}

/** A rule, by what it matches. */
export interface RuleCount {
  /** From one. */
  readonly rule: number;
  readonly match: string;
  readonly matched: number;
}

export interface Compared {
  readonly differences: readonly Difference[];
  /** How many secrets are as they should be. */
  readonly same: number;
  readonly rules: readonly RuleCount[];
}

/** `environment` undefined: the manifest has none. */
export function compareWith(manifest: Manifest, environment: string | undefined, secrets: readonly Secret[]): Compared {
  const inside = manifest.environments?.[environment ?? ''];
  const own = secrets.filter(
    ({ vault, candidateOf }) => candidateOf === undefined && (inside === undefined || fits(inside.vaults, vault)),
  );
  const rules = manifest.secrets
    .map((rule, index) => ({ rule, number: index + 1 }))
    .filter(({ rule }) => rule.environments === undefined || rule.environments.includes(environment ?? ''));
  const counts = new Map<number, number>(rules.map(({ number }) => [number, 0]));
  const differences: Difference[] = [];
  let same = 0;
  for (const secret of own) {
    const fitting = rules.filter(({ rule }) => matches(rule, secret));
    if (fitting.length === 0) continue;
    for (const { number } of fitting) counts.set(number, (counts.get(number) ?? 0) + 1);
    const defaults = { ...manifest.defaults, ...inside?.defaults };
    const difference = differenceOf(
      secret,
      wantedOf(
        defaults,
        fitting.map(({ rule }) => rule),
      ),
    );
    if (difference === undefined) same += 1;
    else differences.push(difference);
  }
  const counted = rules.map(({ rule, number }) => ({
    ...{ rule: number, match: rule.match.join(', ') },
    matched: counts.get(number) ?? 0,
  }));
  return { differences, same, rules: counted };
}

function fits(patterns: readonly string[], name: string): boolean {
  return listsName(patterns.join(','), name);
}

function matches({ match, vaults, except }: Rule, { vault, secret }: Secret): boolean {
  if (!fits(match, secret) || (vaults !== undefined && !fits(vaults, vault))) return false;
  return except === undefined || !fits(except, secret);
}

/** Defaults are for secrets that are to be managed: an admin secret that only serves takes none. */
function wantedOf(defaults: WantedTags, rules: readonly Rule[]): WantedTags {
  const own: WantedTags = Object.assign({}, ...rules.map(({ tags }) => tags));
  return typeof own['rotator'] === 'string' ? { ...defaults, ...own } : own;
}

function differenceOf({ vault, secret, tags }: Secret, wanted: WantedTags): Difference | undefined {
  const entries = Object.entries(wanted);
  const set = entries.flatMap(([name, value]) =>
    typeof value === 'string' && tags[name] !== value ? [[name, value] as const] : [],
  );
  const remove = entries.flatMap(([name, value]) => (value === null && Object.hasOwn(tags, name) ? [name] : []));
  if (set.length + remove.length === 0) return undefined;
  const before = [...set.map(([name]) => name), ...remove].flatMap((name) => {
    const value = Object.hasOwn(tags, name) ? tags[name] : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return { vault, secret, set: Object.fromEntries(set), remove, before: Object.fromEntries(before) };
}

/** The difference as lines: `+` comes, `~` changes, `-` goes. */
export function differenceLines({ set, remove, before }: Difference): readonly string[] {
  return [
    ...Object.entries(set).map(([name, value]) => {
      const old = before[name];
      return old === undefined ? `+ ${name} = ${value}` : `~ ${name} = ${value} (was ${old})`;
    }),
    ...remove.map((name) => `- ${name} (was ${before[name] ?? ''})`),
  ];
}
