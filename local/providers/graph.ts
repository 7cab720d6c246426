/** Microsoft Graph for the client secrets of applications, and the token endpoint that takes them. Keeps state, and propagates slowly on request. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Asked, type Reply, readJson, type StandInServer, startServer } from './server.ts';

export interface GraphApplication {
  readonly tenant: string;
  readonly clientId: string;
  /** Client secrets by key id. */
  readonly secrets: ReadonlyMap<string, { readonly displayName: string; readonly secretText: string }>;
  /** `start`: how the secret begins, which Graph shows as its hint. */
  issue(displayName: string, start?: string): { readonly keyId: string; readonly secretText: string };
  login(secretText: string): boolean;
  /** The next secret that is issued is refused for so many token requests. */
  lag(requests: number): void;
}

export interface GraphStandIn extends StandInServer {
  /** The token that Graph lets in. */
  readonly token: string;
  addApplication(): GraphApplication;
}

class Application implements GraphApplication {
  readonly tenant = randomUUID();
  readonly clientId = randomUUID();
  readonly secrets = new Map<string, { readonly displayName: string; readonly secretText: string }>();
  #lagNext = 0;
  readonly #lagging = new Map<string, number>();

  issue(
    displayName: string,
    start = randomBytes(6).toString('base64url'),
  ): { readonly keyId: string; readonly secretText: string } {
    const keyId = randomUUID();
    const secretText = `${start}~${randomBytes(30).toString('base64url')}`;
    this.secrets.set(keyId, { displayName, secretText });
    this.#lagging.set(secretText, this.#lagNext);
    this.#lagNext = 0;
    return { keyId, secretText };
  }

  login(secretText: string): boolean {
    return [...this.secrets.values()].some((one) => one.secretText === secretText);
  }

  lag(requests: number): void {
    this.#lagNext = requests;
  }

  /** Whether the token endpoint takes it by now. */
  takes(secretText: string): boolean {
    const left = this.#lagging.get(secretText) ?? 0;
    if (left > 0) this.#lagging.set(secretText, left - 1);
    return left === 0 && this.login(secretText);
  }
}

export async function startGraph(token = randomBytes(32).toString('base64url')): Promise<GraphStandIn> {
  const applications: Application[] = [];
  const server = await startServer((asked) => {
    const tenant = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(asked.path)?.[1];
    if (tenant !== undefined)
      return giveToken(
        asked,
        applications.find((one) => one.tenant === tenant),
      );
    if (asked.header('authorization') !== `Bearer ${token}`) return graphError(401, 'InvalidAuthenticationToken');
    const route = /^\/v1\.0\/applications\(appId='([^']+)'\)(\/addPassword|\/removePassword)?$/.exec(asked.path);
    const application = applications.find((one) => one.clientId === route?.[1]);
    if (route === null || application === undefined) return graphError(404, 'Request_ResourceNotFound');
    return onApplication(asked, application, route[2]);
  });
  return {
    ...server,
    token,
    addApplication() {
      const application = new Application();
      applications.push(application);
      return application;
    },
  };
}

function onApplication(asked: Asked, application: Application, action: string | undefined): Reply {
  if (action === undefined) {
    if (asked.method !== 'GET') return graphError(405, 'Request_BadRequest');
    const passwordCredentials = [...application.secrets].map(([keyId, { displayName, secretText }]) => ({
      keyId,
      displayName,
      hint: secretText.slice(0, 3),
      secretText: null,
    }));
    return { status: 200, body: { passwordCredentials } };
  }
  const body = asked.header('content-type') === 'application/json' ? readJson(asked.body) : undefined;
  if (asked.method !== 'POST' || body === undefined) return graphError(400, 'Request_BadRequest');
  if (action === '/removePassword') {
    const known = typeof body['keyId'] === 'string' && application.secrets.delete(body['keyId']);
    return known ? { status: 204 } : graphError(400, 'Request_BadRequest');
  }
  const wanted = readJson(JSON.stringify(body['passwordCredential'] ?? null));
  const displayName = wanted?.['displayName'];
  if (typeof displayName !== 'string') return graphError(400, 'Request_BadRequest');
  const { keyId, secretText } = application.issue(displayName);
  return {
    status: 200,
    body: { keyId, displayName, secretText, hint: secretText.slice(0, 3), endDateTime: '2028-01-01T00:00:00Z' },
  };
}

function giveToken(asked: Asked, application: Application | undefined): Reply {
  const form = new URLSearchParams(asked.body);
  if (asked.method !== 'POST' || form.get('grant_type') !== 'client_credentials')
    return tokenError(400, 'unsupported_grant_type', 70003);
  if (application === undefined) return tokenError(400, 'invalid_request', 90002);
  if (form.get('client_id') !== application.clientId) return tokenError(400, 'unauthorized_client', 700016);
  if (form.get('scope')?.endsWith('/.default') !== true) return tokenError(400, 'invalid_scope', 70011);
  if (!application.takes(form.get('client_secret') ?? '')) return tokenError(401, 'invalid_client', 7000215);
  return {
    status: 200,
    body: { token_type: 'Bearer', expires_in: 3599, access_token: randomBytes(40).toString('base64url') },
  };
}

function tokenError(status: number, error: string, code: number): Reply {
  return { status, body: { error, error_description: `AADSTS${code}: refused by the stand-in.`, error_codes: [code] } };
}

function graphError(status: number, code: string): Reply {
  return { status, body: { error: { code, message: `The stand-in answered ${code}.` } } };
}
