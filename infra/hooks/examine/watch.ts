/** Sign-in, logs and alert rules: what is around the app. */
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

/** Of each vault and of each system topic, by the end of their names. */
export const metricRules = ['throttled', 'dead-letters'];

export async function examineAlerts(manager: Service, { group, vaults }: Deployed): Promise<Finding> {
  const insights = `${group}/providers/Microsoft.Insights`;
  const rules = await all(manager, `${insights}/scheduledQueryRules?api-version=2025-01-01-preview`);
  const metrics = await all(manager, `${insights}/metricAlerts?api-version=2018-03-01`);
  const named = (list: readonly unknown[], fits: (name: string) => boolean) =>
    list.filter((one) => fits(textAt(one, 'name')) && at(one, 'properties', 'enabled') === true).length;
  const missing = [
    ...alertRules.filter((name) => named(rules, (given) => given.endsWith(`-${name}`)) === 0),
    ...metricRules.filter((name) => named(metrics, (given) => given.includes(`-${name}-`)) < vaults.size),
  ];
  if (missing.length > 0)
    return failed('alert rules', `missing or switched off: ${missing.join(', ')}`, 'Deploy again: azd provision');
  const told = [...rules, ...metrics].some(
    (one) =>
      listAt(one, 'properties', 'actions', 'actionGroups').length > 0 ||
      listAt(one, 'properties', 'actions').length > 0,
  );
  if (told) return passed('alert rules', `${alertRules.length + metricRules.length} rules, and somebody is told`);
  return unknown(
    'alert rules',
    'nobody is told about them',
    `azd env set KEYTURN_DEPLOY_ALERT_EMAILS '["oncall@contoso.com"]' && azd provision`,
  );
}
