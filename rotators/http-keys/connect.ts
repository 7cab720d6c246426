/** From the tags of a secret to a session with a provider, or to what is wrong with them. */
import type { RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { makeWire, type Wire } from '../../shared/http/client.ts';
import { type Catalog, loadCatalog } from './catalog.ts';
import type { Description } from './description.ts';
import { credentialVariables, type Session } from './session.ts';
import type { HttpKeysTags } from './tags.ts';
import type { Variable } from './template.ts';

/** The session of a step, or what is wrong with its tags. No I/O. */
export type Connect = (step: Step<HttpKeysTags>) => Session | Failure;

/** Reads all descriptions; called once per process. */
export async function connector(environment: RotatorEnvironment): Promise<Connect> {
  const { trustedCertificates, connectTimeoutMs } = environment;
  const wire = makeWire({ trustedCertificates, timeoutMs: connectTimeoutMs * 3 });
  const catalog = await loadCatalog(environment.descriptionsFolder);
  const allowedHosts = environment.allowedHosts.map((host) => host.toLowerCase());
  return (step) => openSession(catalog, step, wire, allowedHosts);
}

function openSession(
  catalog: Catalog,
  step: Step<HttpKeysTags>,
  wire: Wire,
  allowedHosts: readonly string[],
): Session | Failure {
  const { secret } = step;
  const { provider } = step.options;
  if (catalog.problems.length > 0 && !catalog.descriptions.has(provider)) {
    return failure('description-unfit', { secret, provider, detail: catalog.problems.join('; ') });
  }
  const description = catalog.descriptions.get(provider);
  if (description === undefined) {
    const known = [...catalog.descriptions.keys()].sort().join(', ');
    const detail = `"${provider}" is no provider; there are ${known}`;
    return failure('tag-invalid', { secret, problems: [{ tag: 'provider', detail }] });
  }
  if ('manual' in description) {
    const { title, documentation: link, manual } = description;
    return failure('manual-rotation', { secret, target: title, link, detail: manual.reason });
  }
  const resource = resourceVariables(description, step.options.resource);
  if (typeof resource === 'string')
    return failure('tag-invalid', { secret, problems: [{ tag: 'provider', detail: resource }] });
  const admin = adminOf(step, description);
  if ('code' in admin) return admin;
  const base = new Map<string, Variable>([['label', step.label], ['secret', secret], ...resource]);
  return { step, description, wire, allowedHosts, base, ...admin };
}

function adminOf(step: Step<HttpKeysTags>, description: Description): Pick<Session, 'admin' | 'adminName'> | Failure {
  const { admin, secret } = step;
  switch (admin.kind) {
    case 'connection': {
      const variables = credentialVariables('admin', admin.credential, description.adminPair?.separator);
      if (description.adminPair !== undefined && !variables.has('admin.username')) {
        const detail = `${description.title} needs two parts, written with "${description.adminPair.separator}" between them`;
        return failure('admin-invalid', { secret, admin: admin.secret, detail });
      }
      return { admin: variables, adminName: admin.secret };
    }
    case 'self':
      return { admin: credentialVariables('admin', step.current, description.adminPair?.separator), adminName: secret };
    case 'identity': {
      const detail = `names the vault secret with a key that may manage keys of ${description.title}`;
      return failure('tag-invalid', { secret, problems: [{ tag: 'admin', detail }] });
    }
  }
}

function resourceVariables(description: Description, given: readonly string[]): [string, Variable][] | string {
  const wanted = description.resource;
  if (given.length > wanted.length) {
    return expectation(description);
  }
  const variables: [string, Variable][] = [];
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? part.default;
    if (text === undefined) return expectation(description);
    const fits =
      part.values === undefined ? new RegExp(`^(?:${part.pattern})$`).test(text) : part.values.includes(text);
    if (!fits) return expectation(description);
    variables.push([`resource.${part.name}`, part.number === true ? { data: Number(text) } : text]);
  }
  return variables;
}

function expectation(description: Description): string {
  const parts = description.resource.map((part) =>
    part.values === undefined ? part.name : `${part.name} (${part.values.join(', ')})`,
  );
  return `write it as ${[description.name, ...parts].join('/')} for ${description.title}`;
}
