/** The queues by name, apart from their messages: a trigger is registered without loading what its messages look like. */
export const queueNames = {
  rotations: 'rotations',
  retirements: 'retirements',
  notifications: 'notifications',
  checks: 'checks',
  deliveries: 'deliveries',
  /** Where Event Grid puts the vaults' events, as they are. infra/modules/storage.bicep makes it: it must be there before a subscription. */
  secretEvents: 'secret-events',
} as const;

/** Where the platform puts a message that was delivered too often. */
export function poisonQueueOf(queue: string): string {
  return `${queue}-poison`;
}
