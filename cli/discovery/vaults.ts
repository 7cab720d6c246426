/** What is in the vaults that the identity may list: secrets, keys, certificates. */
import { createHmac, randomBytes } from 'node:crypto';
import { must, type Service } from '../../infra/hooks/azure.ts';
import { at, listAt, textAt } from '../../infra/hooks/json.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { parseSecretValue } from '../../shared/secret-value/index.ts';
import { guessKind, type Kind } from '../../shared/secret-value/kind.ts';
import { inTurns } from '../asked.ts';
import { tagNames, writtenByKeyturn } from '../manifest/tag-names.ts';
import { mistyped } from '../near.ts';
import { type AzureServices, listed, look } from './azure.ts';
import { type Blind, type Finding, risksOfTimes } from './finding.ts';

const dataVersion = 'api-version=7.5';

export interface FoundVault {
  readonly name: string;
  readonly uri: string;
}

export interface Held {
  readonly findings: readonly Finding[];
  readonly blind: readonly Blind[];
}

/** What others match against: the tags of a secret, and a fingerprint of its value where it was read. */
export interface HeldSecret {
  readonly finding: Finding;
  readonly tags: Readonly<Record<string, string>>;
  readonly fingerprint?: string;
  /** What in the value names other things: the words of it that look like host names, hashed. */
  readonly names?: ReadonlySet<string>;
}

export interface VaultContents {
  readonly vault: string;
  readonly secrets: readonly HeldSecret[];
  readonly others: readonly Finding[];
  readonly blind: readonly Blind[];
}

/**
 * Hashes with a key that ends with this process, so that nothing that is kept of a value says anything elsewhere.
 */
export class Fingerprints {
  readonly #key = randomBytes(32);

  of(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }

  /** Of each word that may be the name of a resource. */
  namesIn(text: string): ReadonlySet<string> {
    const words = text.toLowerCase().match(/[a-z0-9][a-z0-9-]{2,62}/g) ?? [];
    return new Set(words.slice(0, 1000).map((word) => this.of(word)));
  }
}

export interface LookOptions {
  /** Whether values are read. */
  readonly read: boolean;
  readonly now: Date;
  readonly prints: Fingerprints;
}

/** How many requests of one vault are under way at once. */
const mostAtOnce = 8;

export async function lookIntoVault(
  services: AzureServices,
  { name, uri }: FoundVault,
  options: LookOptions,
): Promise<VaultContents> {
  const opened = await look(async () => services.vault(name, uri), { what: `the vault ${name}` });
  if (opened.kind === 'blind') return { vault: name, secrets: [], others: [], blind: [opened.blind] };
  const vault = opened.value;
  const [secrets, keys, certificates] = await Promise.all([
    lookAtSecrets(vault, name, options),
    lookAtKeys(vault, name, options),
    lookAtCertificates(vault, name, options),
  ]);
  return {
    vault: name,
    secrets: secrets.secrets,
    others: [...keys.findings, ...certificates.findings],
    blind: [...secrets.blind, ...keys.blind, ...certificates.blind],
  };
}

function grant(vault: string, role: string): string {
  return `az role assignment create --role "${role}" --scope "$(az keyvault show -n ${vault} --query id -o tsv)" --assignee "$(az ad signed-in-user show --query id -o tsv)"`;
}

async function lookAtSecrets(
  vault: Service,
  name: string,
  options: LookOptions,
): Promise<{ readonly secrets: readonly HeldSecret[]; readonly blind: readonly Blind[] }> {
  const list = await listed(vault, `/secrets?${dataVersion}`, {
    ...{ what: `the secrets of ${name}`, fix: grant(name, 'Key Vault Reader') },
  });
  if (list.kind === 'blind') return { secrets: [], blind: [list.blind] };
  // The secret of a certificate is told with the certificate.
  const own = list.value.filter((entry) => at(entry, 'managed') !== true);
  const blind: Blind[] = [];
  const secrets = await inTurns(own, mostAtOnce, async (entry) => {
    const about = nameIn(textAt(entry, 'id'));
    const value =
      options.read && at(entry, 'attributes', 'enabled') !== false ? await readValue(vault, about) : undefined;
    if (value?.kind === 'blind') blind.push({ ...value.blind, what: `the value of ${name}/${about}` });
    return secretOf(entry, name, value?.kind === 'looked' ? value.value : undefined, options);
  });
  return { secrets, blind: fewer(blind, name) };
}

/** A vault whose values nobody may read is one thing to tell, and not a hundred. */
function fewer(blind: readonly Blind[], vault: string): readonly Blind[] {
  const [first] = blind;
  if (first === undefined || blind.length < 4) return blind;
  return [{ what: `${blind.length} values of ${vault}`, why: first.why, fix: grant(vault, 'Key Vault Secrets User') }];
}

function readValue(vault: Service, name: string) {
  return look(
    async () => {
      const { body } = await must(vault, { method: 'GET', path: `/secrets/${name}?${dataVersion}` }, 200);
      return new SecretText(textAt(body, 'value'));
    },
    { what: name },
  );
}

function secretOf(entry: unknown, vault: string, value: SecretText | undefined, options: LookOptions): HeldSecret {
  const { now, prints } = options;
  const name = nameIn(textAt(entry, 'id'));
  const tags = tagsOf(entry);
  const contentType = textAt(entry, 'contentType') || undefined;
  const kind = guessKind({ name, contentType, tags, value });
  const times = timesOf(entry);
  const isDisabled = at(entry, 'attributes', 'enabled') === false;
  const notes = [...notesOn(tags), ...(isDisabled ? ['It is disabled.'] : []), ...notesOnValue(value, kind)];
  const odd = notes.length > 0 ? ['odd' as const] : [];
  const finding: Finding = {
    ...{ what: 'secret', vault, name, kind: kind.what, because: kind.because },
    ...(kind.rotator === undefined ? {} : { rotator: kind.rotator }),
    renewedBy: renewerOf(tags, kind),
    ...times,
    risks: [...risksOfTimes(times, now), ...odd],
    notes,
  };
  if (value === undefined || value.isEmpty) return { finding, tags };
  const text = value.reveal();
  return { finding, tags, fingerprint: prints.of(text.trim()), names: prints.namesIn(text) };
}

function renewerOf(tags: Readonly<Record<string, string>>, kind: Kind): string {
  const { rotator } = tags;
  if (rotator === 'manual') return tags['owner'] === undefined ? 'a person' : `${tags['owner']}`;
  if (rotator !== undefined || tags['copy-of'] !== undefined || tags['derived-from'] !== undefined) return 'Keyturn';
  return kind.what === 'the secret of a certificate' ? 'its certificate' : 'nobody';
}

function notesOn(tags: Readonly<Record<string, string>>): readonly string[] {
  const known = [...tagNames, ...writtenByKeyturn];
  return Object.keys(tags).flatMap((tag) => {
    const near = known.includes(tag) ? undefined : mistyped(tag, tagNames);
    return near === undefined || tags[near] !== undefined
      ? []
      : [`The tag "${tag}" has no effect; did you mean "${near}"?`];
  });
}

/** A value that is a file, an address or a note is nobody's password. What is said of it quotes none of it. */
function notesOnValue(value: SecretText | undefined, { rotator, because }: Kind): readonly string[] {
  if (value === undefined || rotator !== undefined || because === 'tag' || because === 'content type') return [];
  const parsed = parseSecretValue(value, { leads: 'host' });
  return parsed.kind === 'unreadable' ? [`No credential was found: ${parsed.detail}.`] : [];
}

async function lookAtKeys(vault: Service, name: string, { now }: LookOptions): Promise<Held> {
  const list = await listed(vault, `/keys?${dataVersion}`, {
    ...{ what: `the keys of ${name}`, fix: grant(name, 'Key Vault Reader') },
  });
  if (list.kind === 'blind') return { findings: [], blind: [list.blind] };
  const own = list.value.filter((entry) => at(entry, 'managed') !== true);
  const findings = await inTurns(own, mostAtOnce, async (entry): Promise<Finding> => {
    const key = nameIn(textAt(entry, 'kid'));
    const policy = await look(() => vault.ask({ method: 'GET', path: `/keys/${key}/rotationpolicy?${dataVersion}` }), {
      what: key,
    });
    const actions = policy.kind === 'looked' ? listAt(policy.value.body, 'lifetimeActions') : [];
    const rotates = actions.some((action) => textAt(action, 'action', 'type').toLowerCase() === 'rotate');
    const times = timesOf(entry);
    const renewedBy = rotates
      ? 'its rotation policy'
      : policy.kind === 'blind' || policy.value.status === 403
        ? 'not known'
        : 'nobody';
    return {
      what: 'key',
      vault: name,
      name: key,
      kind: 'a key of the vault',
      renewedBy,
      ...times,
      risks: risksOfTimes(times, now),
      notes: [],
    };
  });
  return { findings, blind: [] };
}

async function lookAtCertificates(vault: Service, name: string, { now }: LookOptions): Promise<Held> {
  const list = await listed(vault, `/certificates?${dataVersion}`, {
    ...{ what: `the certificates of ${name}`, fix: grant(name, 'Key Vault Reader') },
  });
  if (list.kind === 'blind') return { findings: [], blind: [list.blind] };
  const findings = await inTurns(list.value, mostAtOnce, async (entry): Promise<Finding> => {
    const certificate = nameIn(textAt(entry, 'id'));
    const path = `/certificates/${certificate}/policy?${dataVersion}`;
    const policy = await look(() => vault.ask({ method: 'GET', path }), { what: certificate });
    const times = timesOf(entry);
    const renewedBy =
      policy.kind === 'looked' && policy.value.status === 200 ? issuerOf(policy.value.body) : 'not known';
    return {
      what: 'certificate',
      vault: name,
      name: certificate,
      kind: 'a certificate',
      renewedBy,
      ...times,
      risks: risksOfTimes(times, now),
      notes: [],
    };
  });
  return { findings, blind: [] };
}

/** An issuer renews what a policy tells it to; of an unknown issuer nobody can be told. */
function issuerOf(policy: unknown): string {
  const issuer = textAt(policy, 'issuer', 'name');
  const actions = listAt(policy, 'lifetime_actions').map((action) =>
    textAt(action, 'action', 'action_type').toLowerCase(),
  );
  if (actions.includes('autorenew') && issuer.toLowerCase() !== 'unknown') return `its policy (${issuer || 'Self'})`;
  return actions.includes('emailcontacts') ? 'a person, who gets a mail' : 'nobody';
}

/** The name in an id of the vault: `https://…/secrets/NAME`. */
function nameIn(id: string): string {
  return URL.parse(id)?.pathname.split('/')[2] ?? '';
}

function tagsOf(entry: unknown): Readonly<Record<string, string>> {
  const tags = at(entry, 'tags');
  if (typeof tags !== 'object' || tags === null) return {};
  return Object.fromEntries(
    Object.entries(tags).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

function timesOf(entry: unknown): Pick<Finding, 'expiresAt' | 'createdAt'> {
  const [expires, created] = [at(entry, 'attributes', 'exp'), at(entry, 'attributes', 'created')];
  const time = (seconds: unknown): string | undefined =>
    typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : undefined;
  const [expiresAt, createdAt] = [time(expires), time(created)];
  return { ...(expiresAt === undefined ? {} : { expiresAt }), ...(createdAt === undefined ? {} : { createdAt }) };
}
