/** The part of "keyturn doctor" that looks at the deployment itself, through Resource Manager. */
import { type AppClock, examine, type Finding } from '../../infra/hooks/examine/index.ts';
import { parseDuration } from '../../shared/config/duration.ts';
import type { Context } from '../command.ts';
import { managerOf, withAzure } from '../manager.ts';
import type { OptionTable } from '../options.ts';
import { paint } from '../terminal/paint.ts';
import { plain, wrapped } from '../terminal/text.ts';
import { usageStop } from '../trouble.ts';

export const deploymentOptions: OptionTable = {
  deployment: {
    type: 'boolean',
    help: 'look at the deployment too, with your "az login": rights, events, sign-in, logs, policies, clock, alert rules',
  },
  'app-id': {
    type: 'string',
    value: 'ID',
    help: 'resource id of the app (of AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP and KEYTURN_APP_NAME)',
  },
};

const dayMs = 86_400_000;
const colours = { passed: 'green', failed: 'red', unknown: 'yellow' } as const;

/** What was found; empty where nobody asked for it. */
export async function examineDeployment(context: Context, clock: AppClock | undefined): Promise<readonly Finding[]> {
  if (!context.given.flag('deployment')) return [];
  const manager = managerOf(context.env);
  const id = appIdOf(context);
  return withAzure('You need the role Website Contributor on the app, and Reader on its subscription.', () =>
    examine(manager, id, daysOf, clock),
  );
}

export function tellDeployment({ terminal }: Context, findings: readonly Finding[]): void {
  const colour = terminal.colour.out;
  if (findings.length > 0) terminal.out('');
  for (const { name, state, detail, fix } of findings) {
    terminal.out(wrapped(`${paint(state, colours[state], colour)} ${name}: ${plain(detail)}`, terminal.columns, '  '));
    if (fix !== undefined)
      terminal.out(wrapped(`${paint('Do:', 'bold', colour)} ${plain(fix)}`, terminal.columns, '    '));
  }
}

function appIdOf({ given, env }: Context): string {
  const id = given.text('app-id');
  if (id !== undefined) return id.replace(/\/+$/, '');
  const [subscription = '', group = '', app = ''] = [
    'AZURE_SUBSCRIPTION_ID',
    'AZURE_RESOURCE_GROUP',
    'KEYTURN_APP_NAME',
  ].map((name) => env[name]?.trim() ?? '');
  if (subscription !== '' && group !== '' && app !== '')
    return `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Web/sites/${app}`;
  throw usageStop(
    'nothing says which app is looked at',
    'Give --app-id "$(az functionapp show -g GROUP -n NAME --query id -o tsv)", or set AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP and KEYTURN_APP_NAME, as azd does.',
  );
}

function daysOf(text: string): number {
  const outcome = parseDuration(text);
  // The app refuses to work with such a setting, and says so in its health.
  return outcome.kind === 'duration' ? outcome.ms / dayMs : 0;
}
