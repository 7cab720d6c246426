import type { Bench } from './bench.ts';

/** Every bench by its name. */
export const benches: readonly Bench[] = [
  {
    name: 'rotation',
    about:
      'a rotation by the engine, against a straight script that makes the same calls, and against the least script that changes a password (--target, --rtt, --strategy)',
    aim: 'ratio 1.05 or less, 1.10 at most; leastScriptRatio 3.0 or less at --rtt 20; as many calls and connections as the least possible',
    flags: ['target', 'rtt', 'strategy'],
    load: () => import('./rotation/bench.ts'),
  },
  {
    name: 'cold-start',
    about:
      'loading the built app until all functions are registered, against a hello-world app that is bundled the same way',
    aim: 'ratio 1.35 or less',
    flags: [],
    load: () => import('./cold-start/bench.ts'),
  },
  {
    name: 'sweep',
    about: 'a sweep of all secrets of a healthy vault, against a bare loop over the pages of its listing',
    aim: 'ratio 1.15 or less; one list call a page; at most 50 MB more at the peak',
    flags: [],
    load: () => import('./sweep/bench.ts'),
  },
  {
    name: 'zero-downtime',
    about:
      'a steady load of 500 queries a second over Postgres (also behind PgBouncer), MariaDB, MySQL and Redis through 20 rotations each, every one of them with its retirement, and an emergency with 500 sessions',
    aim: 'no query fails; every old credential is refused; a consumer that lags is named, waited for, and cut at the deadline; in an emergency all sessions are gone in less than 2 s',
    flags: [],
    load: () => import('./zero-downtime/bench.ts'),
  },
  {
    name: 'event-storm',
    about:
      '10,000 deliveries for 2,500 secrets to two instances, against what a vault lets anybody create in that time',
    aim: 'exactly one new version of each secret, at 0.95 of the limit of the vault or more',
    flags: [],
    load: () => import('./event-storm/bench.ts'),
  },
  {
    name: 'operations',
    about:
      'what is paid for by the call: executions of functions, calls of vault and storage account, from event to retired, for an acknowledgement, a sweep, an idle hour',
    aim: 'from event to retired at most 36 calls and 6 executions; an idle hour without a call but looks at empty queues',
    flags: [],
    load: () => import('./operations/bench.ts'),
  },
  {
    name: 'fleet',
    about: 'one sweep over 20 vaults of 5,000 secrets, in a subscription that takes five times the calls of one vault',
    aim: 'every vault is swept; what is refused with 429 is waited out',
    flags: [],
    load: () => import('./fleet/bench.ts'),
  },
  {
    name: 'onboarding',
    about: '1,000 secrets in 20 vaults, a third of them odd, discovered, onboarded and rehearsed by commands alone',
    aim: 'every secret ends as it should, or is named with its reason; no vault is asked faster than it allows',
    flags: [],
    load: () => import('./onboarding/bench.ts'),
  },
];
