import type { RotatorEnvironment } from '../../../shared/contract/rotator.ts';
import type { Wire } from '../wire.ts';
import type { Arm } from './arm.ts';

/** What every call for an Azure key works with. */
export interface Azure {
  readonly arm: Arm;
  /** To the services themselves; never given the app's token. */
  readonly wire: Wire;
  readonly environment: RotatorEnvironment;
}
