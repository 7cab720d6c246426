/**
 * The Entra application whose roles people and machines have. Found again by a name that never changes (`uniqueName`), so that it is made
 * once; roles that somebody else has added to it stay.
 * Source: Microsoft's pages "application resource type" and "Upsert application" of Graph 1.0.
 */
import { type Azure, all, must } from './azure.ts';
import { at, listAt, textAt } from './json.ts';

export const appRoles = [
  {
    value: 'Keyturn.Reader',
    id: '6a1f4a5e-3b0d-4c0f-8f0e-1f8f0c2b7a01',
    says: 'Sees how secrets stand, and what a rotation would do.',
  },
  {
    value: 'Keyturn.Operator',
    id: '6a1f4a5e-3b0d-4c0f-8f0e-1f8f0c2b7a02',
    says: 'Rotates, rolls back, retires, pauses.',
  },
  {
    value: 'Keyturn.Emergency',
    id: '6a1f4a5e-3b0d-4c0f-8f0e-1f8f0c2b7a03',
    says: 'Revokes a credential at once and ends its sessions.',
  },
  { value: 'Keyturn.Consumer', id: '6a1f4a5e-3b0d-4c0f-8f0e-1f8f0c2b7a04', says: 'Acknowledges new versions.' },
] as const;

const scopeId = '6a1f4a5e-3b0d-4c0f-8f0e-1f8f0c2b7a11';
/** The Azure command line, which asks for tokens in the name of whoever is signed in. The same in every tenant. */
const azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';

export interface SignIn {
  readonly clientId: string;
  /** Of the application's service principal. */
  readonly principalId: string;
}

/** Makes application and service principal, or brings them up to date. May be called again: then it changes nothing. */
export async function makeSignIn({ graph }: Azure, environment: string): Promise<SignIn> {
  const name = `keyturn-${environment}`;
  const path = `/v1.0/applications(uniqueName='${encodeURIComponent(name)}')`;
  const known = await must(graph, { method: 'GET', path }, 200, 404);
  const application =
    known.status === 200
      ? known.body
      : (
          await must(
            graph,
            {
              method: 'POST',
              path: '/v1.0/applications',
              body: { displayName: `Keyturn (${environment})`, uniqueName: name, signInAudience: 'AzureADMyOrg' },
            },
            201,
          )
        ).body;
  const clientId = textAt(application, 'appId');
  const change = missingFrom(application, clientId);
  if (Object.keys(change).length > 0)
    await must(graph, { method: 'PATCH', path: `/v1.0/applications/${textAt(application, 'id')}`, body: change }, 204);
  return { clientId, principalId: await principalOf(graph, clientId) };
}

/** What the application lacks. Empty where it is as it should be. */
function missingFrom(application: unknown, clientId: string): Readonly<Record<string, unknown>> {
  const uri = `api://${clientId}`;
  const uris = listAt(application, 'identifierUris');
  const roles = listAt(application, 'appRoles');
  const lacking = appRoles.filter(({ value }) => !roles.some((role) => textAt(role, 'value') === value));
  const scopes = listAt(application, 'api', 'oauth2PermissionScopes');
  const cliIsKnown = listAt(application, 'api', 'preAuthorizedApplications').some(
    (one) => textAt(one, 'appId') === azureCli,
  );
  const apiIsRight = cliIsKnown && scopes.length > 0 && at(application, 'api', 'requestedAccessTokenVersion') === 2;
  return {
    ...(uris.includes(uri) ? {} : { identifierUris: [...uris, uri] }),
    ...(lacking.length === 0 ? {} : { appRoles: [...roles, ...lacking.map(roleBody)] }),
    ...(apiIsRight ? {} : { api: apiBody(scopes, listAt(application, 'api', 'preAuthorizedApplications')) }),
  };
}

function roleBody({ value, id, says }: (typeof appRoles)[number]) {
  return {
    ...{ id, value, displayName: value, description: says, isEnabled: true },
    allowedMemberTypes: ['User', 'Application'],
  };
}

function apiBody(scopes: readonly unknown[], authorized: readonly unknown[]) {
  const scope = {
    ...{ id: scopeId, value: 'user_impersonation', type: 'User', isEnabled: true },
    adminConsentDisplayName: 'Use Keyturn',
    adminConsentDescription: 'Lets the Azure command line call Keyturn in the name of the signed-in person.',
  };
  const kept = scopes.length > 0 ? scopes : [scope];
  const ids = kept.map((one) => textAt(one, 'id'));
  return {
    requestedAccessTokenVersion: 2,
    oauth2PermissionScopes: kept,
    preAuthorizedApplications: [
      ...authorized.filter((one) => textAt(one, 'appId') !== azureCli),
      { appId: azureCli, delegatedPermissionIds: ids },
    ],
  };
}

async function principalOf(graph: Azure['graph'], clientId: string): Promise<string> {
  const known = await must(graph, { method: 'GET', path: `/v1.0/servicePrincipals(appId='${clientId}')` }, 200, 404);
  if (known.status === 200) return textAt(known.body, 'id');
  const made = await must(graph, { method: 'POST', path: '/v1.0/servicePrincipals', body: { appId: clientId } }, 201);
  return textAt(made.body, 'id');
}

/** Gives a person or a machine one of the roles. May be called again. */
export async function giveRole(
  { graph }: Azure,
  { principalId: resourceId }: SignIn,
  principalId: string,
  role: (typeof appRoles)[number]['value'],
): Promise<void> {
  const appRoleId = appRoles.find(({ value }) => value === role)?.id ?? '';
  const path = `/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo`;
  const given = await all(graph, path);
  const same = (one: unknown): boolean =>
    textAt(one, 'principalId') === principalId && textAt(one, 'appRoleId') === appRoleId;
  if (given.some(same)) return;
  await must(graph, { method: 'POST', path, body: { principalId, resourceId, appRoleId } }, 201);
}
