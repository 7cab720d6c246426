/** Faults on demand: which calls they hit and what happens to them. */
import * as z from 'zod';
import { operations, type Route } from './route.ts';

const matchSchema = z.strictObject({
  /** One operation or several; absent: all. */
  operation: z.union([z.enum(operations), z.array(z.enum(operations)).min(1)]).optional(),
  /** HTTP method. */
  method: z.enum(['GET', 'PUT', 'PATCH', 'POST', 'DELETE']).optional(),
  /** Regular expression on the secret's name, unanchored. */
  name: z.string().refine(isRegExp, { error: 'must be a regular expression' }).optional(),
});

/** Which of the matching calls. They are counted from 1 for each fault. */
const whenSchema = z.union([
  z.literal('always'),
  z.strictObject({ calls: z.array(z.int().min(1)).min(1) }),
  z.strictObject({ rate: z.number().min(0).max(1), seed: z.int() }),
]);

/** `before`: the vault did nothing. `after`: it did what was asked, and only the answer is lost or wrong. */
const stage = z.enum(['before', 'after']).default('before');

const effectSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(400).max(599),
    /** Absent: the body the service sends with this status. */
    code: z.string().optional(),
    message: z.string().optional(),
    innerCode: z.string().optional(),
    retryAfterSeconds: z.int().min(0).optional(),
    stage,
  }),
  z.strictObject({ kind: z.literal('delay'), ms: z.number().min(0), stage }),
  z.strictObject({ kind: z.literal('cut'), stage }),
]);

export const faultSchema = z.strictObject({
  match: matchSchema.default({}),
  when: whenSchema.default('always'),
  effect: effectSchema,
});

export type FaultRule = z.input<typeof faultSchema>;
export type FaultEffect = z.output<typeof effectSchema>;

export interface Fault {
  readonly id: string;
  readonly rule: z.output<typeof faultSchema>;
  /** Calls that matched, and those among them that were hit. */
  readonly matched: number;
  readonly hits: number;
  remove(): void;
}

interface Entry {
  readonly fault: Fault;
  hit(method: string, route: Route): boolean;
}

export class Faults {
  readonly #entries = new Map<string, Entry>();
  #added = 0;

  /** Throws a ZodError that names the wrong field. Faults act in the order they were added: all delays, then the first status or cut. */
  add(rule: FaultRule): Fault {
    const parsed = faultSchema.parse(rule);
    const id = `fault-${++this.#added}`;
    const entry = makeEntry(id, parsed, () => this.remove(id));
    this.#entries.set(id, entry);
    return entry.fault;
  }

  list(): readonly Fault[] {
    return [...this.#entries.values()].map(({ fault }) => fault);
  }

  /** Whether there was one. */
  remove(id: string): boolean {
    return this.#entries.delete(id);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** What happens to this call. Counts it, so it must be asked exactly once per call. */
  judge(method: string, route: Route): readonly FaultEffect[] {
    const effects: FaultEffect[] = [];
    for (const { fault, hit } of this.#entries.values()) if (hit(method, route)) effects.push(fault.rule.effect);
    return effects;
  }
}

function makeEntry(id: string, rule: z.output<typeof faultSchema>, remove: () => void): Entry {
  const { match, when } = rule;
  const wanted = match.operation === undefined ? undefined : new Set([match.operation].flat());
  const name = match.name === undefined ? undefined : new RegExp(match.name);
  const random = typeof when === 'object' && 'rate' in when ? seededRandom(when.seed) : undefined;
  let matched = 0;
  let hits = 0;
  const chosen = () => {
    if (when === 'always') return true;
    if ('calls' in when) return when.calls.includes(matched);
    return (random?.() ?? 1) < when.rate;
  };
  return {
    fault: {
      id,
      rule,
      get matched() {
        return matched;
      },
      get hits() {
        return hits;
      },
      remove,
    },
    hit: (method, route) => {
      if (wanted !== undefined && !wanted.has(route.operation)) return false;
      if (match.method !== undefined && match.method !== method) return false;
      if (name !== undefined && !name.test(route.name)) return false;
      matched++;
      if (!chosen()) return false;
      hits++;
      return true;
    },
  };
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function isRegExp(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}
