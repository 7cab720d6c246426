/** The queues by name, apart from their messages: a trigger is registered without loading what its messages look like. */
export const queueNames = {
  rotations: 'rotations',
  retirements: 'retirements',
  notifications: 'notifications',
  checks: 'checks',
  /** Where Event Grid puts the vaults' events, as they are. infra/modules/storage.bicep makes it: it must be there before a subscription. */
  secretEvents: 'secret-events',
} as const;

/** Queues of versions before, with the queue that takes their messages now: the sweep moves what is left in them, so that an update loses nothing. */
export const formerQueues = { deliveries: queueNames.notifications } as const;

/** Where the platform puts a message that was delivered too often. */
export function poisonQueueOf(queue: string): string {
  return `${queue}-poison`;
}

/** No function waits for them: each would be looked at every few seconds to find nothing. The sweep reads them. */
export const poisonQueues: readonly { readonly of: string; readonly name: string }[] = [
  ...Object.values(queueNames),
  ...Object.keys(formerQueues),
].map((of) => ({ of, name: poisonQueueOf(of) }));
