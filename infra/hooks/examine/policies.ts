/** Azure Policy assignments that would refuse what Keyturn publishes. Keyturn always sets an expiry, and keeps the content type. */
import { all, must, type Service } from '../azure.ts';
import { at, listAt, textAt } from '../json.ts';
import type { Deployed } from './deployed.ts';
import { type Finding, failed, passed, unknown } from './finding.ts';

const version = 'api-version=2023-04-01';

/** A limit of a built-in policy in days: how long a new version may live at most, or must live at least. */
interface Limit {
  readonly parameter: string;
  readonly bound: 'most' | 'least';
}

/** By the id of the definition. Source: Key Vault's page "Integrate Azure Key Vault with Azure Policy". */
const limits: Readonly<Record<string, Limit>> = {
  // Secrets should have the specified maximum validity period.
  '342e8053-e12e-4c44-be01-c3c2f318400f': { parameter: 'maximumValidityInDays', bound: 'most' },
  // Secrets should not be active for longer than the specified number of days.
  'e8d99835-8a06-45ae-a8e0-87a91941ccfe': { parameter: 'maximumValidityInDays', bound: 'most' },
  // Secrets should have more than the specified number of days before expiration.
  'b0eb591a-5e70-4534-a8bf-04b9c489584a': { parameter: 'minimumDaysBeforeExpiration', bound: 'least' },
};

/** Secrets should have content type set. A secret that has none gets none. */
const contentType = '75262d3e-ba4a-4f43-85f8-9f72c090e5e3';

/** A policy as it applies: alone, or as one of an initiative. */
interface Applied {
  readonly definition: string;
  /** With the parameters of the initiative put in. */
  readonly parameters: unknown;
}

export async function examinePolicies(
  manager: Service,
  { vaults, settings }: Deployed,
  validForDays: number,
): Promise<readonly Finding[]> {
  const known = [...vaults].filter(([, id]) => id !== '');
  const set = settings['KEYTURN_VALID_FOR'] ?? 'P90D';
  return Promise.all(
    known.map(async ([name, id]) => {
      const path = `${id}/providers/Microsoft.Authorization/policyAssignments?$filter=atScope()&${version}`;
      const assignments = await all(manager, path);
      const applied = await Promise.all(assignments.map((one) => appliedBy(manager, one)));
      return judge(`policies at the vault ${name}`, applied.flat().filter(refuses), { validForDays, set });
    }),
  );
}

function judge(
  about: string,
  denying: readonly Applied[],
  { validForDays, set }: { readonly validForDays: number; readonly set: string },
): Finding {
  const days = (bound: Limit['bound']) => denying.flatMap((one) => daysOf(one, bound)).toSorted((a, b) => a - b);
  const [most] = days('most');
  const least = days('least').at(-1);
  const fix = (wanted: number) => `azd env set KEYTURN_DEPLOY_SETTINGS '{"KEYTURN_VALID_FOR": "P${wanted}D"}'`;
  if (most !== undefined && most < validForDays)
    return failed(about, `secrets may live ${most} days, and new versions get ${set}: a publish is refused`, fix(most));
  if (least !== undefined && least >= validForDays) {
    const detail = `secrets must live more than ${least} days, and new versions get ${set}: a publish is refused`;
    return failed(about, detail, fix(least + 1));
  }
  if (!denying.some(({ definition }) => definition === contentType))
    return passed(about, 'none refuses what Keyturn publishes');
  const detail = 'secrets without a content type are refused, and a new version has that of the one before';
  const look = 'Give those without one a content type: az keyvault secret list --vault-name VAULT';
  return unknown(about, detail, `${look} --query "[?contentType==null].name"`);
}

function daysOf({ definition, parameters }: Applied, bound: Limit['bound']): readonly number[] {
  const limit = limits[definition];
  if (limit === undefined || limit.bound !== bound) return [];
  const days = at(parameters, limit.parameter, 'value');
  return typeof days === 'number' ? [days] : [];
}

function refuses({ parameters }: Applied): boolean {
  return textAt(parameters, 'effect', 'value').toLowerCase() === 'deny';
}

async function appliedBy(manager: Service, assignment: unknown): Promise<readonly Applied[]> {
  if (textAt(assignment, 'properties', 'enforcementMode') === 'DoNotEnforce') return [];
  const id = textAt(assignment, 'properties', 'policyDefinitionId');
  const given = at(assignment, 'properties', 'parameters');
  if (!id.includes('/policySetDefinitions/')) return [{ definition: nameOf(id), parameters: given }];
  const initiative = (await must(manager, { method: 'GET', path: `${id}?${version}` }, 200)).body;
  const defaults = at(initiative, 'properties', 'parameters');
  return listAt(initiative, 'properties', 'policyDefinitions').map((one) => ({
    definition: nameOf(textAt(one, 'policyDefinitionId')),
    parameters: putIn(at(one, 'parameters'), given, defaults),
  }));
}

function nameOf(id: string): string {
  return (id.split('/').at(-1) ?? '').toLowerCase();
}

/** `[parameters('x')]` of an initiative is what its assignment gives, or else its default. */
function putIn(parameters: unknown, given: unknown, defaults: unknown): unknown {
  return Object.fromEntries(
    Object.entries(Object(parameters)).map(([name, parameter]) => {
      const value = at(parameter, 'value');
      const [, inner] = (typeof value === 'string' ? /^\[parameters\('([^']+)'\)\]$/.exec(value) : undefined) ?? [];
      if (inner === undefined) return [name, { value }];
      return [name, { value: at(given, inner, 'value') ?? at(defaults, inner, 'defaultValue') }];
    }),
  );
}
