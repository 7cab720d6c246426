/**
 * Every function of the app: its name, what starts it, and what it does then. What does the work is loaded with the first work that comes,
 * so a row costs the start nothing.
 */
import { poisonQueueOf, queueNames } from '../shared/contract/queue-names.ts';
import type { Log } from '../shared/telemetry.ts';
import type { LoadedApp } from './load-app.ts';
import { type Taken, takeSecretEvent } from './on-secret-event.ts';

export type AppFunction = { readonly name: string } & (
  | {
      /** A message of a queue, one at a time. A throw makes the platform deliver it again, and keep it as poison after the last time. */
      readonly kind: 'queue';
      readonly queue: string;
      readonly run: (app: LoadedApp, message: unknown, log: Log) => Promise<void>;
    }
  | {
      /** A throw makes the platform run it again soon. */
      readonly kind: 'timer';
      /** NCRONTAB, as the settings give it. */
      readonly schedule: string;
      readonly run: (app: LoadedApp, log: Log) => Promise<void>;
    }
  | {
      /** An event of Event Grid, and the queues it may be put into. Event Grid waits 30 s, so the app is not loaded for it. */
      readonly kind: 'event';
      readonly queues: readonly string[];
      readonly run: (event: unknown, log: Log) => Promise<Taken>;
    }
  | {
      /** A request to the HTTP API, which finds the route and decides who may do what. */
      readonly kind: 'http';
      readonly route: string;
      readonly methods: readonly Method[];
    }
  | {
      /** A file of the dashboard. Everybody may have it: it holds nothing of any vault, and what it shows it asks of the API. */
      readonly kind: 'page';
      readonly route: string;
      readonly methods: readonly Method[];
    }
);

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

const everyMethod: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export interface Placed {
  /** Names of the app's vaults, lower case. */
  readonly vaults: ReadonlySet<string>;
  readonly schedules: { readonly sweep: string; readonly drift: string };
}

const { rotations, retirements, notifications, checks, secretEvents } = queueNames;

export function allFunctions({ vaults, schedules }: Placed): readonly AppFunction[] {
  return [
    {
      name: 'onSecretEvent',
      kind: 'event',
      queues: [rotations, checks, poisonQueueOf(rotations)],
      run: (event, log) => takeSecretEvent(vaults, event, log),
    },
    // The same events by way of a queue, which Event Grid reaches where the app has no public address (docs/decisions/13-delivery.md).
    {
      name: 'onSecretEventQueue',
      kind: 'queue',
      queue: secretEvents,
      run: (app, ...given) => app.secretEvent(...given),
    },
    { name: 'rotate', kind: 'queue', queue: rotations, run: (app, ...given) => app.work.rotate(...given) },
    // A message becomes visible when its overlap is over.
    { name: 'retire', kind: 'queue', queue: retirements, run: (app, ...given) => app.work.retire(...given) },
    // A notice goes to all its channels; what one of them does not take comes back as a message of its own.
    { name: 'notify', kind: 'queue', queue: notifications, run: (app, ...given) => app.tell.notify(...given) },
    { name: 'api', kind: 'http', route: 'api/v1/{*path}', methods: everyMethod },
    // A function of its own, so that an action group of Azure Monitor finds it by name.
    { name: 'onAlert', kind: 'http', route: 'api/v1/alerts', methods: ['POST'] },
    // All that is left of the address, so that a link to a secret opens its page.
    { name: 'dashboard', kind: 'page', route: '{*path}', methods: ['GET', 'HEAD'] },
    // The sweep finds what events missed, and reads the poison queues, which no function waits for; once a day every managed credential is tried, a message each.
    {
      name: 'sweep',
      kind: 'timer',
      schedule: schedules.sweep,
      run: async (app, log) => (await app.schedule()).sweep(log),
    },
    {
      name: 'drift',
      kind: 'timer',
      schedule: schedules.drift,
      run: async (app, log) => (await app.schedule()).drift(log),
    },
    {
      name: 'check',
      kind: 'queue',
      queue: checks,
      run: async (app, ...given) => (await app.schedule()).check(...given),
    },
  ];
}
