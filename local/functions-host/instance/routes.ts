/** Route templates of http functions. Source: ASP.NET Core route template reference, as used by the Functions host. */
export interface RouteMatch<Target> {
  readonly target: Target;
  /** Decoded values; an optional one that is absent has no entry. */
  readonly params: Readonly<Record<string, string>>;
}

interface Segment {
  /** Matched against one decoded segment, or against the rest for a catch-all. */
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly accepts: (values: readonly string[]) => boolean;
  readonly kind: 'literal' | 'parameter' | 'catch-all';
  readonly optional: boolean;
  readonly fallback: string | undefined;
  /** Lower is tried first: literal, constrained, plain, constrained catch-all, catch-all. */
  readonly weight: number;
}

export interface Route<Target> {
  readonly methods: ReadonlySet<string>;
  readonly segments: readonly Segment[];
  readonly target: Target;
}

/** Throws when the template is not valid. */
export function parseRoute<Target>(template: string, methods: readonly string[], target: Target): Route<Target> {
  const segments = splitTemplate(template.replace(/^\/+|\/+$/g, '')).map(parseSegment);
  const early = segments.slice(0, -1);
  if (early.some((segment) => segment.kind === 'catch-all')) {
    throw new Error(`The route "${template}" is not valid: a catch-all parameter can only be its last segment.`);
  }
  if (early.some((segment) => segment.optional)) {
    throw new Error(`The route "${template}" is not valid: an optional parameter must be at its end.`);
  }
  return { methods: new Set(methods.map((method) => method.toUpperCase())), segments, target };
}

/** The best route for a path and method. A path known under another method only is no match: the host answers 404, not 405. */
export function findRoute<Target>(
  routes: readonly Route<Target>[],
  method: string,
  path: string,
): RouteMatch<Target> | undefined {
  const parts = decodePath(path);
  if (parts === undefined) return undefined;
  const matches = routes
    .filter((route) => route.methods.has(method.toUpperCase()))
    .flatMap((route) => {
      const params = matchSegments(route.segments, parts);
      return params === undefined ? [] : [{ route, params }];
    })
    .sort((a, b) => compareWeights(a.route.segments, b.route.segments));
  const best = matches[0];
  return best === undefined ? undefined : { target: best.route.target, params: best.params };
}

function decodePath(path: string): string[] | undefined {
  try {
    return path
      .replace(/^\/|\/$/g, '')
      .split('/')
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function matchSegments(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  const real = parts.length === 1 && parts[0] === '' ? [] : parts;
  for (const [index, segment] of segments.entries()) {
    const text = segment.kind === 'catch-all' ? real.slice(index).join('/') : real[index];
    if (text === undefined || (text === '' && segment.kind !== 'literal')) {
      const absent = segment.fallback;
      if (!segment.optional && absent === undefined && segment.kind !== 'catch-all') return undefined;
      if (absent !== undefined) params[segment.names[0] ?? ''] = absent;
      continue;
    }
    const found = segment.pattern.exec(text);
    if (found === null || !segment.accepts(found.slice(1))) return undefined;
    for (const [at, name] of segment.names.entries()) params[name] = found[at + 1] ?? '';
  }
  const taken = segments.at(-1)?.kind === 'catch-all' ? real.length : segments.length;
  return real.length > taken ? undefined : params;
}

function compareWeights(a: readonly Segment[], b: readonly Segment[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index]?.weight ?? 0) - (b[index]?.weight ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

// A slash inside braces belongs to a regex constraint.
function splitTemplate(template: string): string[] {
  return template === '' ? [] : (template.match(/(?:\{[^}]*\}|[^/{])+/g) ?? []);
}

function parseSegment(text: string): Segment {
  const parameters = [...text.matchAll(/\{(\*{0,2})([A-Za-z_][\w-]*)((?::[^{}=?]+)*)(?:=([^{}?]*))?(\?)?\}/g)];
  if (parameters.length === 0) {
    if (/[{}]/.test(text)) throw new Error(`The route segment "${text}" is not valid.`);
    const pattern = new RegExp(`^${escapePattern(text)}$`, 'i');
    return {
      pattern,
      names: [],
      accepts: () => true,
      kind: 'literal',
      optional: false,
      fallback: undefined,
      weight: 1,
    };
  }
  const constraints = parameters.map(([, , , list = '']) => list.split(':').filter(Boolean).map(parseConstraint));
  const catchAll = parameters.some(([, stars]) => stars !== '');
  const constrained =
    constraints.some((list) => list.length > 0) || parameters.length > 1 || parameters[0]?.[0] !== text;
  const rest = text.split(/\{[^{}]*\}/).map((literal) => escapePattern(literal));
  return {
    pattern: new RegExp(`^${rest.join(catchAll ? '([^]*)' : '([^]+?)')}$`, 'i'),
    names: parameters.map(([, , name = '']) => name),
    accepts: (values) => constraints.every((list, index) => list.every((accept) => accept(values[index] ?? ''))),
    kind: catchAll ? 'catch-all' : 'parameter',
    optional: parameters.some((parameter) => parameter[5] === '?'),
    fallback: parameters[0]?.[4],
    weight: (catchAll ? 4 : 2) + (constrained ? 0 : 1),
  };
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

type Constraint = (value: string) => boolean;

const plainConstraints: Readonly<Record<string, Constraint>> = {
  int: (value) => /^[+-]?\d+$/.test(value) && Math.abs(Number(value)) <= 2 ** 31,
  long: (value) => /^[+-]?\d{1,19}$/.test(value),
  bool: (value) => /^(?:true|false)$/i.test(value),
  guid: (value) => /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  decimal: (value) => /^[+-]?\d+(?:\.\d+)?$/.test(value),
  double: (value) => /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(value),
  float: (value) => /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(value),
  datetime: (value) => !Number.isNaN(Date.parse(value)),
  required: (value) => value !== '',
};

function parseConstraint(text: string): Constraint {
  const [, name = '', list] = /^(\w+)(?:\((.*)\))?$/.exec(text) ?? [];
  const plain = Object.hasOwn(plainConstraints, name) ? plainConstraints[name] : undefined;
  if (plain !== undefined && list === undefined) return plain;
  const [first = Number.NaN, second = first] = (list ?? '').split(',').map(Number);
  if (name === 'regex' && list !== undefined) {
    const pattern = new RegExp(list, 'i');
    return (value) => pattern.test(value);
  }
  if (Number.isNaN(first) || Number.isNaN(second)) throw new Error(`The route constraint "${text}" is not known.`);
  if (name === 'length') return (value) => value.length >= first && value.length <= second;
  if (name === 'minlength') return (value) => value.length >= first;
  if (name === 'maxlength') return (value) => value.length <= first;
  const whole = (value: string) => /^[+-]?\d+$/.test(value);
  if (name === 'min') return (value) => whole(value) && Number(value) >= first;
  if (name === 'max') return (value) => whole(value) && Number(value) <= first;
  if (name === 'range') return (value) => whole(value) && Number(value) >= first && Number(value) <= second;
  throw new Error(`The route constraint "${text}" is not known.`);
}
