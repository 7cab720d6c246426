/** From the text of a manifest to what it says; every mistake is named with its line, and nothing is passed over. */
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import { mistyped, nearest } from '../near.ts';
import { type Manifest, manifestSchema } from './schema.ts';
import { tagNames, writtenByKeyturn } from './tag-names.ts';

export type ReadManifest =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  /** Each a sentence with its line. */
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

type Path = readonly PropertyKey[];
type Document = ReturnType<typeof parseDocument>;

/** YAML, of which JSON is a part. An alias may stand a hundred times, so that a small text makes no huge one. */
export function readManifest(text: string): ReadManifest {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined) return { kind: 'wrong', problems: [broken.message.split('\n')[0] ?? 'it is not YAML'] };
  const at = (path: Path): string => {
    const offset = offsetOf(document, path);
    return offset === undefined ? '' : `line ${counter.linePos(offset).line}: `;
  };
  const read = manifestSchema.safeParse(plainOf(document));
  if (!read.success) return { kind: 'wrong', problems: read.error.issues.flatMap((issue) => problemsOf(issue, at)) };
  const problems = [...tagProblems(read.data, at), ...environmentProblems(read.data, at)];
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'manifest', manifest: read.data };
}

function plainOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

/** Where in the text the value of a path stands, or its key. */
function offsetOf(document: Document, path: Path): number | undefined {
  const parent: unknown = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0];
    return parent.range?.[0];
  }
  const node: unknown = document.getIn(path, true);
  return rangeOf(node) ?? rangeOf(parent);
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const [start]: readonly unknown[] = node.range;
  return typeof start === 'number' ? start : undefined;
}

const keys = {
  '': ['version', 'defaults', 'environments', 'secrets'],
  secrets: ['match', 'vaults', 'except', 'environments', 'tags'],
  environments: ['vaults', 'defaults'],
} as const;

function problemsOf(issue: z.core.$ZodIssue, at: (path: Path) => string): readonly string[] {
  const { path } = issue;
  if (issue.code !== 'unrecognized_keys') return [`${at(path)}${nameOf(path)} ${textOf(issue)}`];
  const known = path[0] === 'secrets' ? keys.secrets : path[0] === 'environments' ? keys.environments : keys[''];
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const meant = near === undefined ? `it takes ${known.join(', ')}` : `did you mean "${near}"?`;
    return `${at([...path, key])}"${key}" is not known ${path.length === 0 ? 'here' : `in ${nameOf(path)}`}; ${meant}`;
  });
}

function textOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return `takes ${issue.expected === 'record' ? 'an object' : `a value of type ${issue.expected}`}`;
  return issue.message;
}

/** `secrets[2].match`, counted from one as people do. */
function nameOf(path: Path): string {
  if (path.length === 0) return 'the manifest';
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part + 1}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

/** Tags that Keyturn writes, and those that are nearly one that it reads: they would have no effect. */
function tagProblems(manifest: Manifest, at: (path: Path) => string): readonly string[] {
  const places: readonly (readonly [Path, object | undefined])[] = [
    [['defaults'], manifest.defaults],
    ...Object.entries(manifest.environments ?? {}).map(([name, one]) => {
      return [['environments', name, 'defaults'], one.defaults] as const;
    }),
    ...manifest.secrets.map((rule, index) => [['secrets', index, 'tags'], rule.tags] as const),
  ];
  return places.flatMap(([path, tags = {}]) =>
    Object.keys(tags).flatMap((tag) => {
      const where = at([...path, tag]);
      if (writtenByKeyturn.includes(tag)) return [`${where}the tag "${tag}" is written by Keyturn alone`];
      const near = tagNames.includes(tag) ? undefined : mistyped(tag, tagNames);
      return near === undefined ? [] : [`${where}the tag "${tag}" has no effect; did you mean "${near}"?`];
    }),
  );
}

function environmentProblems({ environments = {}, secrets }: Manifest, at: (path: Path) => string): readonly string[] {
  const known = Object.keys(environments);
  return secrets.flatMap((rule, index) =>
    (rule.environments ?? [])
      .filter((name) => !known.includes(name))
      .map((name) => {
        const near = nearest(name, known);
        const meant = near === undefined ? `there are ${known.join(', ') || 'none'}` : `did you mean "${near}"?`;
        return `${at(['secrets', index, 'environments'])}"${name}" is no environment; ${meant}`;
      }),
  );
}
