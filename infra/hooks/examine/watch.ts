/** Sign-in, logs, policies and alert rules: what is around the app. */
import { all, must, type Service } from '../azure.ts';
import { at, listAt, textAt } from '../json.ts';
import { apiVersions } from '../preflight.ts';
import type { Deployed } from './deployed.ts';
import { type Finding, failed, passed, unknown } from './finding.ts';

/** infra/modules/alerts.bicep; test/infra/examine.test.ts compares. */
export const alertRules = [
  'no-sweep',
  'near-expiry-not-rotated',
  'paused-or-failing',
  'freeze-unreadable',
  'retirement-late',
  'poison',
  'another-writer',
];

export async function examineSignIn(manager: Service, { siteId, settings }: Deployed): Promise<Finding> {
  const audience = settings['KEYTURN_API_AUDIENCE'] ?? '';
  const keys = settings['KEYTURN_API_KEYS'] ?? '';
  const path = `${siteId}/config/authsettingsV2?api-version=${apiVersions.web}`;
  const { body } = await must(manager, { method: 'GET', path }, 200);
  const isOn = at(body, 'properties', 'platform', 'enabled') === true;
  const action = textAt(body, 'properties', 'globalValidation', 'unauthenticatedClientAction');
  if (isOn && action !== 'AllowAnonymous') {
    const fix = 'az webapp auth update --ids SITE_ID --unauthenticated-client-action AllowAnonymous';
    return failed(
      'sign-in',
      `the platform turns callers away itself (${action}): keys and alerts cannot get through`,
      fix.replace('SITE_ID', siteId),
    );
  }
  if (audience === '' && keys === '') {
    const fix = 'Run "azd up" for sign-in with Entra, or set KEYTURN_API_KEYS (docs/api.md)';
    return failed('sign-in', 'nobody can call the API: there are neither keys nor an Entra application', fix);
  }
  return passed(
    'sign-in',
    [audience === '' ? '' : `Entra: ${audience}`, keys === '' ? '' : 'keys'].filter((one) => one !== '').join('; '),
  );
}

export async function examineLogs(manager: Service, { vaults }: Deployed): Promise<readonly Finding[]> {
  const known = [...vaults].filter(([, id]) => id !== '');
  return Promise.all(
    known.map(async ([name, id]) => {
      const path = `${id}/providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview`;
      const settings = await all(manager, path);
      const audits = (one: unknown) =>
        listAt(one, 'properties', 'logs').some(
          (log) => textAt(log, 'category') === 'AuditEvent' && at(log, 'enabled') === true,
        ) && textAt(one, 'properties', 'workspaceId') !== '';
      if (settings.some(audits)) return passed(`logs of the vault ${name}`, 'audit events go to Log Analytics');
      return failed(
        `logs of the vault ${name}`,
        'no diagnostic setting writes audit events: the alert rules see nothing',
        'Deploy again: azd provision',
      );
    }),
  );
}

/** Built-in policies that can refuse a version which Keyturn publishes. Keyturn always sets an expiry and keeps the content type. */
const limits: Readonly<Record<string, { readonly parameter: string; readonly says: string }>> = {
  '342e8053-e12e-4c44-be01-c3c2f318400f': { parameter: 'maximumValidityInDays', says: 'secrets live at most' },
};

export async function examinePolicies(
  manager: Service,
  { vaults, settings }: Deployed,
  validForDays: number,
): Promise<readonly Finding[]> {
  const known = [...vaults].filter(([, id]) => id !== '');
  return Promise.all(
    known.map(async ([name, id]) => {
      const about = `policies at the vault ${name}`;
      const path = `${id}/providers/Microsoft.Authorization/policyAssignments?$filter=atScope()&api-version=2023-04-01`;
      const assignments = await all(manager, path);
      const days = assignments.flatMap((one) => denyingDays(one));
      const [least] = days.toSorted((a, b) => a - b);
      if (least !== undefined && least < validForDays) {
        const set = settings['KEYTURN_VALID_FOR'] ?? 'P90D';
        return failed(
          about,
          `secrets may live ${least} days, and new versions get ${set}: a publish is refused`,
          `azd env set KEYTURN_DEPLOY_SETTINGS '{"KEYTURN_VALID_FOR": "P${least}D"}'`,
        );
      }
      const sets = assignments.filter((one) =>
        textAt(one, 'properties', 'policyDefinitionId').includes('/policySetDefinitions/'),
      );
      if (sets.length === 0) return passed(about, 'none refuses what Keyturn publishes');
      return unknown(
        about,
        `${sets.length} initiatives are assigned, which are not looked into`,
        'Look for policies of Key Vault in them: az policy assignment list --scope VAULT_ID'.replace('VAULT_ID', id),
      );
    }),
  );
}

function denyingDays(assignment: unknown): readonly number[] {
  const definition = textAt(assignment, 'properties', 'policyDefinitionId').split('/').at(-1) ?? '';
  const limit = limits[definition];
  const parameters = at(assignment, 'properties', 'parameters');
  if (limit === undefined || textAt(parameters, 'effect', 'value').toLowerCase() !== 'deny') return [];
  const days = at(parameters, limit.parameter, 'value');
  return typeof days === 'number' ? [days] : [];
}

export async function examineAlerts(manager: Service, { group }: Deployed): Promise<Finding> {
  const path = `${group}/providers/Microsoft.Insights/scheduledQueryRules?api-version=2025-01-01-preview`;
  const rules = await all(manager, path);
  const isOn = (name: string) =>
    rules.some((one) => textAt(one, 'name').endsWith(`-${name}`) && at(one, 'properties', 'enabled') === true);
  const missing = alertRules.filter((name) => !isOn(name));
  if (missing.length > 0)
    return failed('alert rules', `missing or switched off: ${missing.join(', ')}`, 'Deploy again: azd provision');
  const told = rules.some((one) => listAt(one, 'properties', 'actions', 'actionGroups').length > 0);
  if (told) return passed('alert rules', `${alertRules.length} rules, and somebody is told`);
  return unknown(
    'alert rules',
    'nobody is told of them',
    `azd env set KEYTURN_DEPLOY_ALERT_EMAILS '["oncall@contoso.com"]' && azd provision`,
  );
}
