/**
 * What kind of target a secret is probably for, from what its owner left: the value where it may be read, tags, the content type, the name.
 * A guess for people to confirm; nothing is ever rotated on its strength. The answer holds nothing of the value.
 */
import type { SecretText } from '../contract/secret-text.ts';
import { parseSecretValue } from './index.ts';

export interface Kind {
  /** The rotator that fits; undefined: none, or it cannot be told. */
  readonly rotator: string | undefined;
  /** In a few words. */
  readonly what: string;
  readonly because: 'tag' | 'value' | 'content type' | 'name' | 'nothing';
  /** Whether there is hardly another reading. */
  readonly sure: boolean;
}

export interface KindFacts {
  readonly name: string;
  readonly contentType?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Absent where it was not read. */
  readonly value?: SecretText | undefined;
}

type Said = Pick<Kind, 'rotator' | 'what'>;

/** Pure. Takes time in proportion to the length of the value. */
export function guessKind({ name, contentType, tags, value }: KindFacts): Kind {
  const tag = byTags(tags);
  if (tag !== undefined) return { ...tag, because: 'tag', sure: true };
  const content = byContentType(contentType);
  if (content !== undefined) return { ...content, because: 'content type', sure: true };
  const text = value?.reveal().trim() ?? '';
  const read = value === undefined ? undefined : (byText(text) ?? byParts(value, contentType));
  if (read !== undefined) return { ...read, because: 'value', sure: true };
  const named = byName(name);
  if (named !== undefined) return { ...named, because: 'name', sure: false };
  if (value !== undefined && isRandom(text)) {
    return { rotator: undefined, what: 'a key or a password without an address', because: 'value', sure: false };
  }
  return { rotator: undefined, what: 'unknown', because: 'nothing', sure: false };
}

function byTags(tags: Readonly<Record<string, string>>): Said | undefined {
  const { rotator } = tags;
  if (rotator !== undefined) return { rotator, what: `managed as ${rotator}` };
  if (tags['copy-of'] !== undefined) return { rotator: undefined, what: 'a copy of another secret' };
  if (tags['derived-from'] !== undefined) return { rotator: undefined, what: 'derived from another secret' };
  if (tags['serves'] !== undefined) return { rotator: undefined, what: 'an admin secret' };
  // Tags of Microsoft's rotation samples.
  const address = tags['ProviderAddress'] ?? '';
  if (/\/providers\/Microsoft\./i.test(address)) return { rotator: 'azure-keys', what: 'keys of an Azure resource' };
  return undefined;
}

function byContentType(type: string | undefined): Said | undefined {
  if (type === undefined) return undefined;
  if (/x-pkcs12|x-pem-file/i.test(type)) return { rotator: undefined, what: 'the secret of a certificate' };
  return undefined;
}

/** Beginnings and words that only one kind of credential has. */
const marks: readonly (readonly [RegExp, Said])[] = [
  [/^(?:jdbc:)?postgres(?:ql)?:/i, { rotator: 'postgres', what: 'a Postgres login' }],
  [/^(?:jdbc:)?(?:mysql|mariadb)(?:\+\w+)?:/i, { rotator: 'mysql', what: 'a MySQL or MariaDB login' }],
  [/^(?:jdbc:)?(?:sqlserver|mssql)(?:\+\w+)?:/i, { rotator: 'sql-server', what: 'a SQL Server login' }],
  [/^redis(?:s|-sentinel)?:\/\//i, { rotator: 'redis', what: 'a Redis login' }],
  [/^mongodb(?:\+srv)?:/i, { rotator: undefined, what: 'a MongoDB login, which no rotator replaces' }],
  [/^amqps?:/i, { rotator: undefined, what: 'an AMQP login, which no rotator replaces' }],
  [
    /AccountKey=.*EndpointSuffix=|DefaultEndpointsProtocol=/i,
    { rotator: 'azure-keys', what: 'a key of a storage account' },
  ],
  [/Endpoint=sb:\/\//i, { rotator: 'azure-keys', what: 'a key of Service Bus, Event Hubs or Relay' }],
  [/AccountEndpoint=https:/i, { rotator: 'azure-keys', what: 'a key of Cosmos DB' }],
  [/Endpoint=https:\/\/[^;]*azconfig\./i, { rotator: 'azure-keys', what: 'a key of App Configuration' }],
  [/^.{3}[78]Q~[\w.~-]{30,40}$/, { rotator: 'entra-app', what: 'a client secret of an Entra application' }],
  [/^[rs]k_(?:live|test)_/, { rotator: 'http-keys', what: 'a key of Stripe' }],
  [/^SG\.[\w-]{16,}\./, { rotator: 'http-keys', what: 'a key of SendGrid' }],
  [/^(?:gh[pousr]_|github_pat_)/, { rotator: 'http-keys', what: 'a token of GitHub' }],
  [/^sk-[\w-]{20,}/, { rotator: 'http-keys', what: 'a key of OpenAI' }],
  [/^(?:xox[abp]-|AKIA[0-9A-Z]{16}$|glpat-)/, { rotator: 'manual', what: 'a token of a provider without a rotator' }],
  [/^whsec_/, { rotator: 'self-issued', what: 'a signing key of webhooks' }],
  [/-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)/, { rotator: 'manual', what: 'a key or certificate in PEM' }],
  [/^[\w-]+\.[\w-]+\.[\w-]+$/, { rotator: 'manual', what: 'a signed token, which its issuer renews' }],
  [/[?&]sig=[^&]+/i, { rotator: 'manual', what: 'a SAS token, which ends by itself' }],
];

function byText(text: string): Said | undefined {
  const [first] = marks.filter(([mark]) => mark.test(text)).map(([, said]) => said);
  // Three parts with dots are also host names; a token's first part is a header in base64, which begins so.
  if (first?.what.startsWith('a signed token') === true && !text.startsWith('eyJ')) return undefined;
  return first;
}

const hosts: readonly (readonly [RegExp, Said])[] = [
  [/\.postgres\.(?:database|cosmos)\.azure\./, { rotator: 'postgres', what: 'a Postgres login' }],
  [/\.(?:mysql|mariadb)\.database\.azure\./, { rotator: 'mysql', what: 'a MySQL or MariaDB login' }],
  [/\.database\.(?:windows|usgovcloudapi|chinacloudapi)\./, { rotator: 'sql-server', what: 'a SQL Server login' }],
  [/\.redis\.(?:cache|azure)\./, { rotator: 'redis', what: 'a Redis login' }],
];

const ports: ReadonlyMap<number, Said> = new Map([
  [5432, { rotator: 'postgres', what: 'a Postgres login' }],
  [3306, { rotator: 'mysql', what: 'a MySQL or MariaDB login' }],
  [1433, { rotator: 'sql-server', what: 'a SQL Server login' }],
  [6379, { rotator: 'redis', what: 'a Redis login' }],
  [6380, { rotator: 'redis', what: 'a Redis login' }],
]);

/** From the host and the port, and from the words that the connection strings of one library alone have. */
function byParts(value: SecretText, contentType: string | undefined): Said | undefined {
  const parsed = parseSecretValue(value, { leads: 'host', ...(contentType === undefined ? {} : { contentType }) });
  if (parsed.kind === 'unreadable') return undefined;
  const { endpoint, format } = parsed.value;
  const host = endpoint?.host.toLowerCase() ?? '';
  const byHost = hosts.find(([suffix]) => suffix.test(host))?.[1] ?? ports.get(endpoint?.port ?? 0);
  if (byHost !== undefined) return byHost;
  const text = value.reveal();
  switch (format) {
    case 'libpq':
      return { rotator: 'postgres', what: 'a Postgres login' };
    case 'stackexchange-redis':
      return { rotator: 'redis', what: 'a Redis login' };
    case 'ado-net':
      if (/(?:^|;)\s*host\s*=/i.test(text)) return { rotator: 'postgres', what: 'a Postgres login' };
      if (/(?:initial catalog|data source|server\s*=\s*tcp:|trustservercertificate)/i.test(text))
        return { rotator: 'sql-server', what: 'a SQL Server login' };
      return /(?:^|;)\s*uid\s*=/i.test(text) ? { rotator: 'mysql', what: 'a MySQL or MariaDB login' } : undefined;
    case 'json':
      return byEngine(text);
    default:
      return undefined;
  }
}

/** As AWS and most samples write it: `"engine": "postgres"`. */
function byEngine(text: string): Said | undefined {
  const engine = /"(?:engine|type|driver)"\s*:\s*"([a-z]{2,20})/i.exec(text)?.[1]?.toLowerCase() ?? '';
  if (/^postgres/.test(engine)) return { rotator: 'postgres', what: 'a Postgres login' };
  if (/^(?:mysql|mariadb)/.test(engine)) return { rotator: 'mysql', what: 'a MySQL or MariaDB login' };
  if (/^(?:sqlserver|mssql)/.test(engine)) return { rotator: 'sql-server', what: 'a SQL Server login' };
  return engine === 'redis' ? { rotator: 'redis', what: 'a Redis login' } : undefined;
}

const words: readonly (readonly [RegExp, Said])[] = [
  [/\b(?:pg|postgres|postgresql|psql)\b/, { rotator: 'postgres', what: 'a Postgres login' }],
  [/\b(?:mysql|mariadb|maria)\b/, { rotator: 'mysql', what: 'a MySQL or MariaDB login' }],
  [/\b(?:mssql|sqlserver|sqldb|azuresql|sql)\b/, { rotator: 'sql-server', what: 'a SQL Server login' }],
  [/\b(?:redis|cache)\b/, { rotator: 'redis', what: 'a Redis login' }],
  [
    /\b(?:storage|blob|cosmos|cosmosdb|servicebus|eventhub|eventhubs|appconfig|search|signalr|batch|acr)\b/,
    { rotator: 'azure-keys', what: 'keys of an Azure resource' },
  ],
  [
    /\b(?:client secret|clientsecret|aad|entra|spn|service principal|app secret)\b/,
    { rotator: 'entra-app', what: 'a client secret of an Entra application' },
  ],
  [
    /\b(?:stripe|twilio|sendgrid|github|openai|datadog|cloudflare|pagerduty|confluent|mongodb atlas|new relic)\b/,
    { rotator: 'http-keys', what: 'a key of a provider' },
  ],
  [
    /\b(?:signing|hmac|jwt|webhook|cookie|session|csrf|encryption|pepper|salt)\b/,
    { rotator: 'self-issued', what: 'a key without a target' },
  ],
  [/\b(?:cert|certificate|pfx|pem|tls|ssl|ssh)\b/, { rotator: 'manual', what: 'a key or a certificate' }],
  [/\b(?:apikey|api key|token|pat|license|licence)\b/, { rotator: 'manual', what: 'a key of a provider' }],
  [
    /\b(?:db|database|connectionstring|connection string|conn)\b/,
    { rotator: undefined, what: 'a database login; which database cannot be told from the name' },
  ],
];

function byName(name: string): Said | undefined {
  const spaced = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[-_.]+/g, ' ')
    .toLowerCase();
  return words.find(([word]) => word.test(spaced))?.[1];
}

function isRandom(text: string): boolean {
  return text.length >= 16 && /^[\x21-\x7e]+$/.test(text);
}
