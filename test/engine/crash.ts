import { Crash } from './world.ts';

/** Where a worker dies: at its n-th call of the outside world, before the call has its effect or after it. */
export interface CrashPoint {
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** What a worker did: the calls in their order, and whether it died. */
export interface Trace {
  readonly calls: string[];
  dead: boolean;
}

/**
 * Wraps every port of a worker so that it dies at `point`: from then on each of its calls throws, also those that would tidy up, as
 * nothing runs in a process that is gone. Properties that are objects themselves (the lease) are wrapped as well.
 * `watch` looks at the world after each call, and is waited for.
 */
export function dyingAt(point: CrashPoint | undefined, trace: Trace, watch: () => unknown = () => undefined) {
  const wrap = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get(target, property) {
        const member: unknown = Reflect.get(target, property, target);
        // What answers at once, and a listing: its pages are no calls of their own, and it changes nothing.
        const isPassed = ['remainingMs', 'propose', 'list'].includes(String(property));
        if (typeof member !== 'function' || isPassed) {
          return typeof member === 'function' ? member.bind(target) : member;
        }
        return async (...args: unknown[]): Promise<unknown> => {
          if (trace.dead) throw new Crash();
          const call = trace.calls.push(`${name}.${String(property)}`) - 1;
          const here = point?.call === call ? point.when : undefined;
          if (here === 'before') {
            trace.dead = true;
            throw new Crash();
          }
          const outcome: unknown = await Reflect.apply(member, target, args);
          await watch();
          if (here === 'after') {
            trace.dead = true;
            throw new Crash();
          }
          return wrapLease(outcome);
        };
      },
    });
  const wrapLease = (outcome: unknown): unknown =>
    typeof outcome === 'object' &&
    outcome !== null &&
    'lease' in outcome &&
    typeof outcome.lease === 'object' &&
    outcome.lease !== null
      ? { ...outcome, lease: wrap('lease', outcome.lease) }
      : outcome;
  return wrap;
}
