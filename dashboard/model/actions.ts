/** What somebody can do with a secret, and what is asked before it is done. */
import type { Secret } from './shapes.ts';

export const actionNames = ['rotate', 'repair', 'retire', 'rollback', 'pause', 'resume', 'emergency'] as const;
export type ActionName = (typeof actionNames)[number];

interface Action {
  readonly label: string;
  readonly role: 'operator' | 'emergency';
  /** What it does, before somebody confirms it. */
  readonly does: string;
  readonly danger: boolean;
  readonly offered: (secret: Secret) => boolean;
}

const isManaged = ({ state, rotator, manual }: Secret) =>
  rotator !== undefined && manual !== true && !['unmanaged', 'opted-out', 'copy'].includes(state);
const hasTrouble = ({ trouble }: Secret) =>
  trouble?.rotation !== undefined || trouble?.retirement !== undefined || trouble?.check !== undefined;

export const actions: Readonly<Record<ActionName, Action>> = {
  rotate: {
    label: 'Rotate now',
    role: 'operator',
    does: 'A new credential is made, proven by a login and published. The old one works until the end of its overlap.',
    danger: false,
    offered: isManaged,
  },
  repair: {
    label: 'Repair',
    role: 'operator',
    does: 'Publishes the last version that logs in once more, or has the admin make a new credential where none does.',
    danger: false,
    offered: (secret) => isManaged(secret) && secret.state === 'drifted',
  },
  retire: {
    label: 'Retire the old credential',
    role: 'operator',
    does: 'The old credential ends now, if nobody is seen using it.',
    danger: true,
    offered: (secret) => secret.retireBy !== undefined && secret.retired !== true,
  },
  rollback: {
    label: 'Roll back',
    role: 'operator',
    does: 'An earlier version becomes current again. Its credential is proven first.',
    danger: true,
    offered: (secret) => isManaged(secret) && secret.versions.length > 1,
  },
  pause: {
    label: 'Pause',
    role: 'operator',
    does: 'No automatic rotation starts. What a person asks for is still done, and the old credential still ends at its deadline.',
    danger: false,
    offered: (secret) => isManaged(secret) && secret.pausedBy === undefined,
  },
  resume: {
    label: 'Resume',
    role: 'operator',
    does: 'Ends the pause, forgets failures, and has the secret looked at again.',
    danger: false,
    offered: (secret) => isManaged(secret) && (secret.state === 'paused' || hasTrouble(secret)),
  },
  emergency: {
    label: 'Emergency',
    role: 'emergency',
    does: 'For a credential that leaked: it is replaced and revoked at once, and its sessions are ended. Consumers that hold it fail until they read the new version.',
    danger: true,
    offered: isManaged,
  },
};

/** Pure. */
export function offeredFor(secret: Secret): readonly ActionName[] {
  return actionNames.filter((name) => actions[name].offered(secret));
}
