/** Looks at a whole deployment from outside, through Resource Manager. Changes nothing. */
import { AzureRefused, type Service } from '../azure.ts';
import { textAt } from '../json.ts';
import { type AppClock, examineClock } from './clock.ts';
import { deployedAs } from './deployed.ts';
import { examineEvents } from './events.ts';
import { type Finding, failed, passed, unknown } from './finding.ts';
import { examinePolicies } from './policies.ts';
import { examineRights } from './rights.ts';
import { examineAlerts, examineLogs, examineSignIn } from './watch.ts';

export type { AppClock } from './clock.ts';
export type { Finding } from './finding.ts';

/** `daysOf`: reads a duration as the app does. `clock`: what the app said, where it said it. Rejects with `AzureRefused` where the app itself cannot be read. */
export async function examine(
  manager: Service,
  siteId: string,
  daysOf: (duration: string) => number,
  clock: AppClock | undefined,
): Promise<readonly Finding[]> {
  const deployed = await deployedAs(manager, siteId);
  const state = textAt(deployed.site, 'properties', 'state');
  const running =
    state === 'Running'
      ? passed('app', 'it runs')
      : failed('app', `its state is ${state || 'not known'}`, `az functionapp start --ids ${siteId}`);
  const days = daysOf(deployed.settings['KEYTURN_VALID_FOR'] ?? 'P90D');
  const parts = await Promise.all([
    part('rights', () => examineRights(manager, deployed)),
    part('events', () => examineEvents(manager, deployed)),
    part('sign-in', async () => [await examineSignIn(manager, deployed)]),
    part('logs of the vaults', () => examineLogs(manager, deployed)),
    part('policies', () => examinePolicies(manager, deployed, days)),
    part('clock', async () =>
      clock === undefined ? [] : [await examineClock(manager, siteId, clock, () => performance.now())],
    ),
    part('alert rules', async () => [await examineAlerts(manager, deployed)]),
  ]);
  return [running, ...parts.flat()];
}

/** What you may not look at hides nothing of the rest. */
async function part(name: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof AzureRefused)) throw error;
    return [unknown(name, error.message, 'Look with somebody who has the role Reader on the subscription.')];
  }
}
