/** What the sweep would enqueue for one look at the vault, by `judge` alone: no message, no table and no memory tells it anything. */
import { queueNames } from '../../shared/contract/queue-names.ts';
import { isPendingName } from '../../shared/engine/policy/identifiers.ts';
import { judge } from '../../shared/engine/sweep/judge.ts';
import type { SimulatedQueue } from './simulated-queue.ts';
import type { World } from './world.ts';

/** Enqueues what there is to do; whether it found anything. */
export function sweepOnce(world: World, queue: SimulatedQueue, note: (what: string) => void): boolean {
  const { vault } = world;
  const deps = world.deps();
  let found = false;
  for (const name of vault.secrets.keys()) {
    const { version: seen, ...properties } = { name, ...vault.newest(name) };
    const finding = judge(deps, properties, vault.now);
    const secret = finding.kind === 'stalled' ? finding.secret : name;
    const about = { vault: vault.name, secret, requestedBy: 'sweep' };
    switch (finding.kind) {
      case 'opted-out':
      case 'linked':
      case 'healthy':
        continue;
      case 'invalid':
        throw new Error(`the sweep finds ${name} invalid: ${finding.failure.message}`);
      case 'due':
        queue.add(queueNames.rotations, { ...about, mode: 'scheduled' }, 0);
        break;
      case 'copies-due':
      case 'stalled':
        queue.add(queueNames.rotations, { ...about, mode: 'resume' }, 0);
        break;
      case 'emergency': {
        const { rotationId, by, version } = finding;
        const who = by === '' ? {} : { requestedById: by };
        queue.add(
          queueNames.rotations,
          { ...about, mode: 'emergency', rotationId, requestedBy: by || 'sweep', ...who, ...(version && { version }) },
          0,
        );
        break;
      }
      case 'retirement-due':
        queue.add(queueNames.retirements, { ...about, rotationId: finding.rotationId, mode: 'scheduled' }, 0);
        if (finding.copies === true) queue.add(queueNames.rotations, { ...about, mode: 'resume' }, 0);
        if (finding.due) queue.add(queueNames.rotations, { ...about, mode: 'scheduled' }, 0);
    }
    note(`the sweep finds ${isPendingName(name) ? 'a candidate' : 'the secret'} ${seen}: ${finding.kind}`);
    found = true;
  }
  return found;
}
