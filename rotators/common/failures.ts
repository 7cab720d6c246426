/** What the rotators of servers say alike when a step fails. */
import type { Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';

/** What can be wrong that says nothing about anybody's password or rights. */
export type WireFault = 'unreachable' | 'untrusted' | 'missing' | 'busy' | 'read-only' | 'late' | 'rejected';

/** The failure of such a fault. `target`: host and port. */
export function wireFailure(
  fault: Error,
  kind: WireFault,
  { step: { secret }, target }: { readonly step: Pick<Step, 'secret'>; readonly target: string },
): Failure {
  const at = { secret, target, detail: fault.message };
  switch (kind) {
    case 'unreachable':
      return failure('target-unreachable', at, fault);
    case 'untrusted':
      return failure('target-tls', at, fault);
    case 'missing':
      return failure('target-missing', at, fault);
    case 'busy':
      return failure('target-busy', at, fault);
    case 'read-only':
      return failure('target-read-only', at, fault);
    case 'late':
      return failure('lease-lost', { secret, step: 'apply' }, fault);
    case 'rejected':
      return failure('target-refused', at, fault);
  }
}

/** The admin's name in messages. */
export function adminName({ admin }: Pick<Step, 'admin'>): string {
  switch (admin.kind) {
    case 'self':
      return 'that is the login itself';
    case 'connection':
      return admin.secret;
    case 'identity':
      return 'managed-identity';
  }
}
