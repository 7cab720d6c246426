import { expect, test } from 'vitest';
import { type AppFunction, allFunctions } from '../../functions/table.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';

const table = allFunctions({
  vaults: new Set(['local']),
  schedules: { sweep: '0 */15 * * * *', drift: '0 0 3 * * *' },
});

function binding(one: AppFunction): string {
  switch (one.kind) {
    case 'queue':
      return one.queue;
    case 'timer':
      return one.schedule;
    case 'event':
      return one.queues.join(', ');
    case 'http':
    case 'page':
      return one.route;
  }
}

// Settings such as AzureWebJobs.sweep.Disabled, action groups and event subscriptions name the functions.
test('whoever named a function in Azure finds it by the same name and on the same binding', () => {
  expect(table.map((one) => `${one.name} ← ${one.kind} ${binding(one)}`)).toEqual([
    'onSecretEvent ← event rotations, checks, rotations-poison',
    'onSecretEventQueue ← queue secret-events',
    'rotate ← queue rotations',
    'retire ← queue retirements',
    'notify ← queue notifications',
    'api ← http api/v1/{*path}',
    'onAlert ← http api/v1/alerts',
    'dashboard ← page {*path}',
    'sweep ← timer 0 */15 * * * *',
    'drift ← timer 0 0 3 * * *',
    'check ← queue checks',
  ]);
});

test('a message of any queue is taken by one function, and no function looks at a queue of poison or of a version before', () => {
  const taken = table.flatMap((one) => (one.kind === 'queue' ? [one.queue] : []));
  expect(taken.sort()).toEqual(Object.values(queueNames).sort());
});
