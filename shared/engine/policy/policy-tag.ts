/**
 * Several tags of a policy in one: `policy="valid-for=P90D; overlap=P2D; window=Sat,Sun 00:00-24:00 UTC"`. A secret holds 15 tags, and most of
 * them belong to its owner.
 */
import type { Tags } from '../../contract/ports.ts';
import type { TagProblem } from '../../errors.ts';

export const policyTag = 'policy';

/** What a value may be made of parts of the form `name=value` itself. */
const withParts: ReadonlySet<string> = new Set(['password']);

interface Unpacked {
  readonly tags: Tags;
  readonly problems: readonly TagProblem[];
}

/**
 * The tags with those that stand inside the tag `policy`. A part without the name of a tag belongs to the value before it, because a window
 * may hold several spans. `takes`: whether a tag of that name may stand inside. Pure.
 */
export function unpackPolicy(given: Tags, takes: (name: string) => boolean): Unpacked {
  const text = given[policyTag];
  if (text === undefined) return { tags: given, problems: [] };
  const inside = new Map<string, string>();
  const details: string[] = [];
  let latest: string | undefined;
  for (const part of text.split(';').map((one) => one.trim())) {
    if (part === '') continue;
    const [, name, value = ''] = /^([\w-]+)\s*=\s*(.*)$/s.exec(part) ?? [];
    if (name !== undefined && takes(name)) {
      if (inside.has(name)) details.push(`sets "${name}" twice`);
      latest = name;
      inside.set(name, value);
    } else if (latest === undefined || (name !== undefined && !withParts.has(latest))) {
      details.push(`"${(name ?? part).slice(0, 40)}" is no tag that it takes`);
    } else inside.set(latest, `${inside.get(latest) ?? ''}; ${part}`);
  }
  const twice = [...inside.keys()].filter((name) => given[name] !== undefined);
  return {
    tags: { ...given, ...Object.fromEntries(inside) },
    problems: [
      ...details.map((detail) => ({ tag: policyTag, detail })),
      ...twice.map((tag) => ({ tag, detail: `is set twice: alone, and inside "${policyTag}"` })),
    ],
  };
}
