/** Whether the app's clock is right: tokens, signatures and leases depend on it. Azure's own is in the header of every answer. */
import type { Service } from '../azure.ts';
import { type Finding, failed, passed, unknown } from './finding.ts';

/** What the app said of its clock, and when that was heard by the clock of this process, in ms. */
export interface AppClock {
  readonly time: Date;
  readonly heardMs: number;
}

/** Services take signatures and tokens that are off by a few minutes; a header tells whole seconds. */
const toleratedSeconds = 30;

export async function examineClock(
  manager: Service,
  siteId: string,
  { time, heardMs }: AppClock,
  nowMs: () => number,
): Promise<Finding> {
  const { date } = await manager.ask({ method: 'GET', path: `${siteId}?api-version=2025-03-01` });
  if (date === undefined) return unknown('clock', 'Resource Manager did not say what time it is', 'Run it again');
  const off = Math.round((time.getTime() + nowMs() - heardMs - date.getTime()) / 1000);
  if (Math.abs(off) <= toleratedSeconds) return passed('clock', `the app's is right to ${toleratedSeconds} s`);
  const how = `the app's is ${Math.abs(off)} s ${off > 0 ? 'ahead' : 'behind'}`;
  return failed('clock', how, `az functionapp restart --ids ${siteId}`);
}
