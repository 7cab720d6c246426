/** The queues by name, apart from their messages: a trigger is registered without loading what its messages look like. */
export const queueNames = {
  rotations: 'rotations',
  retirements: 'retirements',
  notifications: 'notifications',
  checks: 'checks',
  deliveries: 'deliveries',
} as const;

/** Where the platform puts a message that was delivered too often. */
export function poisonQueueOf(queue: string): string {
  return `${queue}-poison`;
}
