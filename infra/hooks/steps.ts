/** What azd's hooks do, apart from where tokens come from and where words go. */
import type { Azure } from './azure.ts';
import { all, must } from './azure.ts';
import { textAt } from './json.ts';
import { type Problem, preflight } from './preflight.ts';
import { publishRunbook } from './runbook.ts';
import { giveRole, makeSignIn } from './sign-in.ts';
import { findTopics } from './topics.ts';
import { type Environment, wantedOf } from './wanted.ts';

export interface World {
  readonly azure: Azure;
  readonly env: Environment;
  readonly say: (line: string) => void;
  /** Keeps a value in azd's environment. */
  readonly keep: (name: string, value: string) => Promise<void>;
  readonly readRunbook: () => Promise<string>;
}

/** Before azd makes anything. False: there are problems, all of them said, and nothing was changed. */
export async function beforeProvision({ azure, env, say, keep }: World): Promise<boolean> {
  const wanted = wantedOf(env);
  const problems = await preflight(azure, wanted);
  if (problems.length > 0) {
    tellProblems(problems, say);
    return false;
  }
  say('Preflight: rights, region, names and vaults are as they must be.');
  if (wanted.vaults.length > 0) {
    const vaults = await findTopics(azure, wanted.vaults);
    await keep('KEYTURN_DEPLOY_VAULTS', JSON.stringify(vaults));
    for (const { name, systemTopicName } of vaults)
      say(
        systemTopicName === ''
          ? `${name} gets a system topic.`
          : `${name} has the system topic ${systemTopicName}, which is used.`,
      );
  }
  if (wanted.signIn) {
    const { clientId } = await makeSignIn(azure, wanted.environment);
    await keep('KEYTURN_DEPLOY_CLIENT_ID', clientId);
    await keep('KEYTURN_AUDIENCE', `api://${clientId}`);
    say(`People and machines sign in to the application ${clientId}, which has the four roles.`);
  }
  return true;
}

/** All at once, each with the line to paste. */
export function tellProblems(problems: readonly Problem[], say: (line: string) => void): void {
  say(
    `Nothing was made: ${problems.length === 1 ? 'one thing stands' : `${problems.length} things stand`} in the way.`,
  );
  for (const { what, fix } of problems) {
    say('');
    say(what);
    say(`  ${fix}`);
  }
}

/** After azd made everything: whoever deploys may operate, and so may the runbook. May run again. */
export async function afterProvision({ azure, env, say, readRunbook }: World): Promise<void> {
  const wanted = wantedOf(env);
  const account = env['KEYTURN_AUTOMATION_ACCOUNT'] ?? '';
  const group = `/subscriptions/${wanted.subscriptionId}/resourceGroups/rg-${wanted.environment}`;
  const runsAs =
    account === ''
      ? ''
      : await publishRunbook(
          azure,
          `${group}/providers/Microsoft.Automation/automationAccounts/${account}`,
          await readRunbook(),
        );
  if (runsAs !== '') say(`The runbook rotate_secret is published in ${account}.`);
  if (!wanted.signIn) return;
  const signIn = await makeSignIn(azure, wanted.environment);
  const me = await must(azure.graph, { method: 'GET', path: '/v1.0/me' }, 200, 400, 403);
  // A pipeline signs in as an application, and is given its role by a person.
  if (me.status === 200) {
    await giveRole(azure, signIn, textAt(me.body, 'id'), 'Keyturn.Operator');
    say(`${textAt(me.body, 'userPrincipalName') || 'You'} may rotate secrets (Keyturn.Operator).`);
  }
  if (runsAs !== '') await giveRole(azure, signIn, runsAs, 'Keyturn.Operator');
}

/** What stays after `azd down`, as a script: it lies outside the resource group. Changes nothing. */
export async function leftBehind({ azure, env, say }: World): Promise<void> {
  const wanted = wantedOf(env);
  const principalId = env['KEYTURN_PRINCIPAL_ID'] ?? '';
  say('# What Keyturn leaves outside its resource group. Run it after "azd down": sh left-behind.sh');
  for (const { name, subscriptionId, resourceGroup, systemTopicName, systemTopicResourceGroup } of wanted.vaults) {
    const scope = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.KeyVault/vaults/${name}`;
    const topic = systemTopicName === '' ? `${name}-events` : systemTopicName;
    const topicGroup = systemTopicResourceGroup === '' ? resourceGroup : systemTopicResourceGroup;
    const app = env['KEYTURN_APP_NAME'] ?? '';
    const filter = encodeURIComponent(`assignedTo('${principalId}')`);
    const path = `${scope}/providers/Microsoft.Authorization/roleAssignments?$filter=${filter}&api-version=2022-04-01`;
    for (const one of await all(azure.manager, path)) say(`az role assignment delete --ids ${textAt(one, 'id')}`);
    for (const subscription of [app, `${app}-expired`])
      say(
        `az eventgrid system-topic event-subscription delete --yes --subscription ${subscriptionId} -g ${topicGroup} --system-topic-name ${topic} -n ${subscription}`,
      );
    say(`az monitor diagnostic-settings delete --resource ${scope} -n keyturn`);
  }
  if (wanted.customRole)
    say(`az role definition delete --name "Keyturn ${(env['KEYTURN_APP_NAME'] ?? '').replace('keyturn-', '')}"`);
  const client = env['KEYTURN_DEPLOY_CLIENT_ID'] ?? '';
  if (client !== '') say(`az ad app delete --id ${client}`);
}
